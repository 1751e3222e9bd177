// Opens pages in Chromium with an empty cache: bytes over the wire and time until hydrated.
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
console.log(`${'page'.padStart(14)} | ${'bytes'.padStart(9)} | ${'usable ms (median of 5)'.padStart(24)}`)
for (const path of paths) {
  const times = []
  let bytes = 0
  for (let round = 0; round < 5; round++) {
    const context = await browser.newContext()
    if (cookie && path !== '/sign-in') {
      const [name, ...value] = cookie.split('=')
      await context.addCookies([{ name, value: value.join('='), url: base }])
    }
    const page = await context.newPage()
    const session = await context.newCDPSession(page)
    await session.send('Network.enable')
    bytes = 0
    session.on('Network.loadingFinished', event => { bytes += event.encodedDataLength })
    await page.goto(base + path, { waitUntil: 'load' })
    // A page without scripts can be used as soon as it is there; others say when they are hydrated.
    const time = await page.evaluate(async () => {
      const hydrates = document.querySelector('script[type=module]') !== null
      while (hydrates && !document.documentElement.hasAttribute('data-ready')) {
        if (performance.now() > 20000) throw new Error('never hydrated')
        await new Promise(resolve => setTimeout(resolve, 5))
      }
      return performance.now()
    })
    await page.waitForLoadState('networkidle')
    times.push(time)
    await context.close()
  }
  times.sort((a, b) => a - b)
  const name = path === '/sign-in' ? 'sign-in' : 'conversation'
  console.log(`${name.padStart(14)} | ${String(bytes).padStart(9)} | ${times[2].toFixed(0).padStart(24)}`)
}
await browser.close()
