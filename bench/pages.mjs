// Opens pages in Chromium with an empty cache: time until one can be used, the bytes that this took, and those
// that follow afterwards on their own (the other areas of the app, for when there is no network).
// Called by `cargo xtask bench pages` with the server's URL, a session cookie, and two paths.
import { execFileSync } from 'node:child_process'
import { chromium } from 'playwright-core'

const [base, cookie, ...paths] = process.argv.slice(2)
const executablePath = process.env.CHROMIUM
  ?? ['chromium', 'chromium-browser', 'google-chrome'].map(name => {
    try { return execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim() } catch { return '' }
  }).find(Boolean)
const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync']
const browser = await chromium.launch({ executablePath, args })
console.log(['page', 'usable ms', 'bytes until then', 'that follow'].map((title, at) => title.padStart(at ? 16 : 14)).join(' | '))
for (const path of paths) {
  const rounds = []
  for (let round = 0; round < 5; round++) {
    const context = await browser.newContext()
    if (cookie && path !== '/sign-in') {
      const [name, ...value] = cookie.split('=')
      await context.addCookies([{ name, value: value.join('='), url: base }])
    }
    const page = await context.newPage()
    // A page without scripts can be used as soon as it is there; others say when they are hydrated.
    await page.addInitScript(() => {
      addEventListener('DOMContentLoaded', () => {
        const root = document.documentElement
        const look = () => {
          if (window.usable === undefined && root.hasAttribute('data-ready')) window.usable = performance.now()
        }
        new MutationObserver(look).observe(root, { attributes: true })
        look()
      })
    })
    await page.goto(base + path, { waitUntil: 'load' })
    await page.evaluate(async () => {
      if (!document.querySelector('script[type=module]')) window.usable = performance.now()
      while (window.usable === undefined) {
        if (performance.now() > 20000) throw new Error('never hydrated')
        await new Promise(resolve => setTimeout(resolve, 5))
      }
    })
    await page.waitForLoadState('networkidle')
    rounds.push(await page.evaluate(() => {
      const loaded = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
      const sum = entries => entries.reduce((bytes, entry) => bytes + entry.transferSize, 0)
      return {
        usable: window.usable,
        needed: sum(loaded.filter(entry => entry.startTime <= window.usable)),
        following: sum(loaded.filter(entry => entry.startTime > window.usable)),
      }
    }))
    await context.close()
  }
  rounds.sort((a, b) => a.usable - b.usable)
  const { usable, needed, following } = rounds[2]
  const name = path === '/sign-in' ? 'sign-in' : 'conversation'
  console.log([name.padStart(14), usable.toFixed(0).padStart(16), String(needed).padStart(16), String(following).padStart(16)].join(' | '))
}
await browser.close()
