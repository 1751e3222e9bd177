// Saved pages in the workspace: the list, the article, what is done with it, and the bookmark that sends a page
// as its reader sees it.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, afterEach, before, describe, test } from "node:test";
import { faults } from "./faults.mjs";
import { LIMIT, Stage, counted, open, ready, until } from "./stage.mjs";
import { NOT_FOUND } from "./watch.mjs";

const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

const PARAGRAPH = "<p>The old roses of the south wall are pruned late, after the last frost, and then only lightly, because they flower on the wood of the year before.</p>";

const article = (title, words = "") => `<!DOCTYPE html><html lang="en"><head><title>${title}</title>
<meta name="author" content="The Gardener"><meta property="og:site_name" content="Garden Letters"></head>
<body><nav>Home</nav><article><h1>${title}</h1>${PARAGRAPH.repeat(12)}<h2>Feeding</h2><p>${words}</p>${PARAGRAPH.repeat(12)}
<h2>Watering</h2>${PARAGRAPH.repeat(6)}<table><tr><th>Month</th><th>Litres</th></tr><tr><td>June</td><td>310</td></tr></table></article></body></html>`;

const list = (page) => page.getByRole("navigation", { name: "Pages", exact: true });
const row = (page, title) => list(page).locator(".rows .row").filter({ hasText: title });
const sheet = (page) => page.getByRole("article", { name: "Page" });

describe("saved pages in the workspace", () => {
  let stage;
  let browser;
  before(async () => (stage = await Stage.start()), LIMIT);
  after(() => stage?.end(), LIMIT);
  afterEach(() => browser?.context.close());

  /** A page as a browser sends it. */
  async function keep(url, html, more = {}) {
    const { id } = await stage.api("POST", "/pages", { url, html, ...more });
    await until("it was read", async () => ["ready", "failed"].includes((await stage.api("GET", `/pages/${id}`)).state));
    const page = await stage.api("GET", `/pages/${id}`);
    assert.equal(page.state, "ready", page.reason);
    return page;
  }

  test("an article is read, tagged, put away, and found at its heading", LIMIT, async () => {
    const { id } = await keep("https://letters.example/roses", article("Old Roses", "Bone meal, and a quinquereme of compost."));
    browser = await stage.owner();
    const { page, watched } = browser;
    await open(page, "/p");
    await row(page, "Old Roses").getByText(/Garden Letters · \d+ min/).waitFor();
    await row(page, "Old Roses").getByRole("link").click();
    await page.waitForURL(new RegExp(`/p/${id}`));
    await sheet(page).getByRole("cell", { name: "310" }).waitFor();
    await sheet(page).getByText("The Gardener").waitFor();
    assert.equal(await sheet(page).getByRole("link", { name: "Original" }).getAttribute("href"), "https://letters.example/roses");
    await sheet(page).getByRole("textbox", { name: "Add a tag" }).fill("#Roses");
    await page.keyboard.press("Enter");
    await sheet(page).getByRole("link", { name: "Roses", exact: true }).waitFor();
    await until("the server has it", async () => (await stage.api("GET", `/pages/${id}`)).tags.includes("Roses"));
    await sheet(page).getByRole("button", { name: "Put away" }).click();
    await until("it left the list", async () => (await row(page, "Old Roses").count()) === 0);
    await page.getByRole("button", { name: "Undo" }).click();
    await row(page, "Old Roses").waitFor();
    await open(page, "/search?q=quinquereme");
    await page.getByRole("link", { name: /Page:.*Old Roses/ }).click();
    await page.waitForURL(/\/p\/[^#]+#./);
    const marked = page.locator(".saved-section.is-marked");
    await marked.getByRole("heading", { name: "Feeding" }).waitFor();
    await until("it is seen", () => marked.evaluate((one) => one.getBoundingClientRect().top >= 0 && one.getBoundingClientRect().top < innerHeight));
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox").fill("old roses");
    await page.getByRole("option", { name: /Old Roses/ }).getByText("Page", { exact: true }).waitFor();
    watched.assertSilent();
  });

  test("where one stopped reading is kept for another screen", LIMIT, async () => {
    const { id } = await keep("https://letters.example/long", article("A long letter"));
    browser = await stage.owner();
    await open(browser.page, `/p/${id}`);
    const scroller = ".saved .file-scroll";
    await browser.page.locator(scroller).evaluate((one) => one.scrollTo(0, one.scrollHeight * 0.45));
    await until("it is kept", async () => (await stage.api("GET", `/pages/${id}`)).position > 0.2);
    const { position } = await stage.api("GET", `/pages/${id}`);
    const seen = (page) =>
      page.evaluate(() => {
        const top = document.querySelector(".saved .file-scroll").getBoundingClientRect().top;
        const blocks = [...document.querySelectorAll(".saved-text .markdown > *")];
        return blocks.findIndex((one) => one.getBoundingClientRect().bottom > top + 24) / blocks.length;
      });
    await browser.context.close();
    browser = await stage.owner(PHONE);
    await open(browser.page, `/p/${id}`);
    await until("the phone goes there", async () => Math.abs((await seen(browser.page)) - position) < 0.05);
    browser.watched.assertSilent();
  });

  test("a private address is refused in words", LIMIT, async () => {
    browser = await stage.owner();
    const { page, watched } = browser;
    watched.allow([/status of 400/, ...NOT_FOUND]);
    await open(page, "/p");
    const field = page.getByRole("textbox", { name: "Address of a page to save" });
    await field.fill("http://192.168.0.1/");
    await field.press("Enter");
    await page.getByText(/not an address on the public internet/).waitFor();
    assert.equal(await field.inputValue(), "http://192.168.0.1/", "what was typed stays");
    watched.assertSilent();
  });

  test("a page is renamed, deleted with a way back, and restored from the bin", LIMIT, async () => {
    const { id } = await keep("https://letters.example/plan", article("A plan"));
    browser = await stage.owner();
    const { page, watched } = browser;
    await open(page, `/p/${id}`);
    const title = page.getByRole("textbox", { name: "Title of the page" });
    await title.fill("The plan of June");
    await title.press("Enter");
    await row(page, "The plan of June").waitFor();
    await page.getByRole("button", { name: "More about this page" }).click();
    await page.getByRole("menuitem", { name: "Pin", exact: true }).click();
    await row(page, "The plan of June").getByText("Pinned").waitFor({ state: "attached" });
    await page.getByRole("button", { name: "More about this page" }).click();
    await page.getByRole("menuitem", { name: "Delete" }).click();
    await page.waitForURL(/\/p$/);
    await page.getByRole("button", { name: "Undo" }).click();
    await page.waitForURL(new RegExp(id));
    await title.waitFor();
    await row(page, "The plan of June").waitFor();
    // what is on its way would be asked for in vain
    await watched.quiet();
    await stage.api("DELETE", `/pages/${id}`);
    await until("it left the list", async () => (await row(page, "The plan of June").count()) === 0);
    await open(page, "/bin");
    await page.getByRole("listitem").filter({ hasText: "The plan of June" }).getByRole("button", { name: "Restore" }).click();
    await page.getByRole("button", { name: "Open" }).click();
    await page.waitForURL(new RegExp(id));
    watched.assertSilent();
  });

  test("an article is complete HTML without scripts", LIMIT, async () => {
    const { id, sections } = await keep("https://letters.example/plain", article("Without scripts", "Bark."));
    browser = await stage.owner({ javaScriptEnabled: false });
    const { page, watched } = browser;
    await page.goto("/p");
    await row(page, "Without scripts").getByRole("link").click();
    await page.getByRole("cell", { name: "310" }).waitFor();
    await counted(page.locator(".saved-section"), sections.length);
    await page.waitForLoadState();
    assert.equal(await page.locator("[style]").count(), 0, "the policy admits no style attributes");
    const last = sections.at(-1).anchor;
    await page.goto(`/p/${id}#${last}`);
    await until("the section is seen", () => page.locator(`#${last}`).evaluate((one) => one.matches(":target") && one.getBoundingClientRect().top >= 0 && one.getBoundingClientRect().top < 900));
    watched.assertSilent();
  });

  test("the kept copy runs nothing and asks nobody", LIMIT, async () => {
    const hostile = article("Hostile", `<script>document.title="run"</script><img src="https://elsewhere.example/x.png" onerror="document.title='run'"><svg onload="document.title='run'"></svg>`);
    const { id } = await keep("https://letters.example/hostile", hostile);
    browser = await stage.owner();
    const { page, watched } = browser;
    await page.goto(`/api/v1/pages/${id}/archive`);
    await page.getByText("pruned late").first().waitFor();
    assert.equal(await page.title(), "Hostile");
    assert.equal(await page.locator("script, svg, iframe").count(), 0);
    watched.assertSilent();
  });

  test("the bookmark hands a page over to a window that asks first, and only the page itself can", LIMIT, async () => {
    const html = article("For members only", "The xylograph of the damask.");
    const site = createServer((request, response) => response.setHeader("content-type", "text/html; charset=utf-8").end(html)).listen(0, "127.0.0.1");
    await once(site, "listening");
    try {
      const away = `http://127.0.0.1:${site.address().port}/members?week=3`;
      browser = await stage.owner();
      const { page, watched, context } = browser;
      watched.allow([/a request to a stranger: http:\/\/127\.0\.0\.1/, /favicon/, /status of 404/]);
      await open(page, "/p");
      const code = await page.getByRole("link", { name: "Save to sideBar" }).getAttribute("href");
      assert.ok(code.startsWith("javascript:"));
      await page.goto(away);
      const [clip] = await Promise.all([context.waitForEvent("page"), page.evaluate((code) => (0, eval)(code.slice("javascript:".length)), code)]);
      await clip.getByText("For members only").waitFor();
      await clip.getByText(away).waitFor();
      assert.equal((await stage.api("GET", "/pages?q=members")).items.length, 0, "nothing is kept before it is told to");
      await clip.getByRole("button", { name: "Save this page" }).click();
      await clip.getByText("Saved.").waitFor();
      const found = await until("it is found", async () => (await stage.api("GET", "/search?q=xylograph")).items[0]);
      assert.equal(found.title, "For members only");

      // a page that says it is another is not believed
      const [liar] = await Promise.all([
        context.waitForEvent("page"),
        page.evaluate((address) => {
          const w = open(address, "_blank", "popup");
          addEventListener("message", () => w.postMessage({ url: "https://bank.example/", title: "Your bank", html: "<p>Planted</p>" }, "*"));
        }, `${stage.url}/p/clip`),
      ]);
      await ready(liar);
      await liar.getByText(/No page came/).waitFor();
      assert.equal(await liar.getByText("Your bank").count(), 0);
      watched.assertSilent();
    } finally {
      site.closeAllConnections();
      site.close();
    }
  });

  for (const [name, options] of [["a desk", {}], ["a phone in the dark", { ...PHONE, theme: "dark" }]]) {
    test(`nothing stands in anybody's way on ${name}`, LIMIT, async () => {
      const { id } = await keep("https://letters.example/for-all", article("For everybody"), { tags: ["Roses"] });
      browser = await stage.owner(options);
      const { page, watched } = browser;
      for (const address of ["/p", `/p/${id}`, "/p/clip"]) {
        await open(page, address);
        assert.deepEqual(await faults(page), [], address);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(wide <= 0, `${address} is ${wide} pixels too wide`);
      }
      watched.assertSilent();
    });
  }
});
