// The frame around the pages: themes, phones, the keyboard, panes that fold and are remembered.

import assert from "node:assert/strict";
import { appendFile, cp, mkdtemp, rm } from "node:fs/promises";
import { after, before, beforeEach, afterEach, describe, test } from "node:test";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setting } from "./process.mjs";
import { still } from "./faults.mjs";
import { NETWORK_AWAY, RESTARTING } from "./watch.mjs";
import { LIMIT, Stage, composer, counted, focused, open, ready, settled, until } from "./stage.mjs";

const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

/** How light the page's ground is, from 0 (black) to 255. */
function lightness(page) {
  return page.evaluate(() => {
    const ground = getComputedStyle(document.querySelector("main") ?? document.body).backgroundColor;
    const seen = ground === "rgba(0, 0, 0, 0)" ? getComputedStyle(document.body).backgroundColor : ground;
    const paint = document.createElement("canvas").getContext("2d");
    paint.fillStyle = seen;
    paint.fillRect(0, 0, 1, 1);
    return paint.getImageData(0, 0, 1, 1).data[0];
  });
}

/** Presses Tab until this has the focus. */
async function tabTo(page, target) {
  for (let press = 0; press < 60; press++) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  assert.fail("Tab does not lead there");
}

describe("the theme", () => {
  let stage;
  let browser;
  before(async () => (stage = await Stage.start()), LIMIT);
  after(() => stage?.end(), LIMIT);
  afterEach(() => browser?.context.close());

  test("is in the page as the server sends it, so that nothing flashes", LIMIT, async () => {
    browser = await stage.owner({ theme: "dark", javaScriptEnabled: false });
    const { page, context, watched } = browser;
    for (const address of ["/", "/settings/appearance"]) {
      const html = await (await context.request.get(address)).text();
      assert.match(html, /<html[^>]*data-theme="dark"/);
    }
    await page.goto("/");
    assert.ok((await lightness(page)) < 60, "dark before any script ran");
    watched.assertSilent();
  });

  test("turns by a key, by a click, and stays after a reload", LIMIT, async () => {
    browser = await stage.owner({ colorScheme: "light" });
    const { page, watched } = browser;
    await open(page, "/settings/appearance");
    assert.ok((await lightness(page)) > 200);
    await page.getByText("Dark", { exact: true }).click();
    await until("the dark theme", async () => (await lightness(page)) < 60);
    await page.reload();
    await ready(page);
    assert.ok((await lightness(page)) < 60, "still dark");
    await page.locator("body").press("t");
    await until("the system's theme, which is light", async () => (await lightness(page)) > 200);
    await page.emulateMedia({ colorScheme: "dark" });
    await until("it follows the system", async () => (await lightness(page)) < 60);
    watched.assertSilent();
  });
});

describe("on a phone", () => {
  let stage;
  let conversation;
  before(async () => {
    stage = await Stage.start();
    const wide = "| A rose by its full name | Where it stands | When it blooms | What it needs |\n| --- | --- | --- | --- |\n| Rosa × alba ‘Semiplena’ | by the southern wall | June and July | little |";
    const code = `\`\`\`\n${"a_very_long_name_in_code ".repeat(10)}\n\`\`\``;
    conversation = await stage.conversation([`[[say ${wide}\n\n${code}\n\n${"Donaudampfschifffahrt".repeat(10)}]]`], { title: "Roses" });
  }, LIMIT);
  after(() => stage?.end(), LIMIT);
  afterEach(() => stage?.leave());

  test("reading is one column that nothing leaves, on every page", LIMIT, async () => {
    const { page, watched } = await stage.owner(PHONE);
    const addresses = ["/", "/c", `/c/${conversation}`, "/search?q=roses", "/bin", "/keys", "/settings", "/settings/profile", "/settings/appearance", "/settings/security", "/settings/keys", "/settings/providers", "/settings/people"];
    for (const address of addresses) {
      await open(page, address);
      const wide = await page.evaluate(() => {
        const over = [...document.querySelectorAll("body *")].filter((element) => element.getBoundingClientRect().right > innerWidth + 1 && getComputedStyle(element).visibility !== "hidden");
        const scrolls = (element) => element && (["auto", "scroll", "hidden", "clip"].includes(getComputedStyle(element).overflowX) || scrolls(element.parentElement));
        return { page: document.documentElement.scrollWidth, window: innerWidth, over: over.filter((element) => !scrolls(element.parentElement)).slice(0, 3).map((element) => element.outerHTML.slice(0, 120)) };
      });
      assert.ok(wide.page <= wide.window, `${address} is ${wide.page} px wide`);
      assert.deepEqual(wide.over, [], address);
    }
    watched.assertSilent();
  });

  test("a thumb goes from the list to a conversation, writes, and goes back", LIMIT, async () => {
    const { page, watched } = await stage.owner(PHONE);
    await open(page, "/");
    const bar = page.getByRole("navigation", { name: "Sections for phones" });
    for (const link of await bar.getByRole("link").all()) {
      const { height, width } = await link.boundingBox();
      assert.ok(height >= 44 && width >= 44, `a target of ${width} × ${height}`);
    }
    const current = () => bar.locator('[aria-current="true"]').allTextContents();
    assert.deepEqual(await current(), ["Conversations"]);
    await page.getByRole("link", { name: /Roses/ }).tap();
    await page.waitForURL(/\/c\//);
    await until("the bar says where one is", async () => (await current()).join() === "Conversations");
    await page.getByRole("cell", { name: "by the southern wall" }).waitFor();
    await composer(page).fill("[[say Written with a thumb.]]");
    await page.getByRole("button", { name: "Send" }).tap();
    await page.getByText("Written with a thumb.", { exact: true }).waitFor();
    await settled(page);
    await bar.getByRole("link", { name: "Conversations" }).tap();
    await page.getByRole("link", { name: /Roses/ }).waitFor();
    watched.assertSilent();
  });
});

describe("a long list", () => {
  let stage;
  const titles = Array.from({ length: 120 }, (_, n) => `Conversation number ${String(n).padStart(3, "0")}`);
  before(async () => {
    stage = await Stage.start();
    for (const title of titles) await stage.api("POST", "/conversations", { title });
  }, LIMIT);
  after(() => stage?.end(), LIMIT);

  test("comes as one scrolls, each conversation once and in order, to its end", LIMIT, async () => {
    const { page, watched } = await stage.owner({ viewport: { width: 1280, height: 800 } });
    await open(page, "/c");
    const list = page.getByRole("navigation", { name: "Conversations" });
    const rows = list.locator("a[data-row]");
    await counted(rows, 50);
    await list.getByText(titles.at(-1)).hover();
    await until("all of them", async () => {
      await page.mouse.wheel(0, 1500);
      return (await rows.count()) === 120;
    });
    assert.deepEqual(await rows.locator(".row-title").allTextContents(), titles.toReversed());
    await counted(list.getByRole("button", { name: "Show more" }), 0);
    await list.getByText(titles[0]).click();
    await page.getByRole("heading", { name: titles[0] }).waitFor();
    watched.assertSilent();
  });
});

describe("a newer version of the server", () => {
  let stage;
  let site;
  before(async () => (stage = await Stage.start()), LIMIT);
  after(async () => {
    await stage?.end();
    if (site) await rm(site, { recursive: true, force: true });
  }, LIMIT);

  test("is offered to pages that are open, and taken by one click", LIMIT, async () => {
    site = await mkdtemp(join(tmpdir(), "sidebar-browser-site-"));
    await cp(join(dirname(setting("SIDEBAR_BIN")), "site"), site, { recursive: true });
    await appendFile(join(site, "manifest.json"), "\n");
    const { page, watched } = await stage.owner();
    watched.allow([...NETWORK_AWAY, ...RESTARTING]);
    await open(page, "/c");
    await page.getByText("Connected").waitFor();
    const offer = page.getByRole("button", { name: "New version: reload" });
    assert.equal(await offer.count(), 0);
    await composer(page).fill("half a thought");
    await stage.stopServer("SIGTERM");
    await stage.startServer({ site });
    await offer.waitFor();
    await offer.click();
    await offer.waitFor({ state: "detached" });
    await ready(page);
    await page.getByText("Connected").waitFor();
    assert.equal(await offer.count(), 0);
    await until("the half thought", async () => (await composer(page).inputValue()) === "half a thought");
    watched.assertSilent();
  });
});

describe("the keyboard", () => {
  let stage;
  let browser;
  before(async () => {
    stage = await Stage.start();
    for (const title of ["Apples", "Bees", "Clouds"]) await stage.conversation([`[[say About ${title}.]]`], { title });
  }, LIMIT);
  after(() => stage?.end(), LIMIT);
  beforeEach(async () => (browser = await stage.owner({ viewport: { width: 1280, height: 800 } })));
  afterEach(() => browser?.context.close());

  test("finds a conversation by the palette and opens it", LIMIT, async () => {
    const { page, watched } = browser;
    await open(page, "/settings/profile");
    await page.keyboard.press("Control+k");
    const field = page.getByRole("combobox", { name: "Find notes, files, conversations and commands" });
    await focused(field);
    await page.keyboard.type("bees");
    await page.getByRole("option", { name: /Bees/ }).first().waitFor();
    await page.keyboard.press("Enter");
    await page.getByText("About Bees.", { exact: true }).waitFor();
    assert.match(page.url(), /\/c\//);
    await page.keyboard.press("Control+k");
    await field.waitFor();
    await page.keyboard.press("Escape");
    await field.waitFor({ state: "hidden" });
    watched.assertSilent();
  });

  test("begins a conversation, sends, and leaves the field without losing text", LIMIT, async () => {
    const { page, watched } = browser;
    await open(page, "/bin");
    await page.keyboard.press("c");
    await page.waitForURL(/\/c$/);
    await tabTo(page, composer(page));
    await page.keyboard.type("[[say Typed only.]]");
    await page.keyboard.press("Shift+Enter");
    await page.keyboard.type("and a second line");
    await page.keyboard.press("Control+Enter");
    await page.getByText("Typed only.", { exact: true }).waitFor();
    await settled(page);
    await page.keyboard.type("not sent");
    await page.keyboard.press("Escape");
    assert.equal(await composer(page).inputValue(), "not sent");
    watched.assertSilent();
  });

  test("walks the list with j and k, and opens with Enter", LIMIT, async () => {
    const { page, watched } = browser;
    await open(page, "/bin");
    await open(page, "/");
    await page.locator("body").press("Escape");
    const here = () => page.evaluate(() => document.activeElement?.dataset.row ?? "");
    await page.keyboard.press("j");
    const first = await here();
    assert.notEqual(first, "", "a row has the focus");
    await page.keyboard.press("j");
    const second = await here();
    assert.notEqual(first, second);
    await page.keyboard.press("k");
    assert.equal(await here(), first);
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/c\/.+/);
    watched.assertSilent();
  });

  test("pins, renames and deletes what has the focus in the list", LIMIT, async () => {
    const { page, watched } = browser;
    const id = await stage.conversation(["[[say About dew.]]"], { title: "Dew" });
    const summary = () => stage.api("GET", `/conversations/${id}`);
    const link = page.getByRole("navigation", { name: "Conversations" }).getByRole("link", { name: /Dew/ });
    await open(page, "/bin");
    await open(page, "/");
    await link.focus();
    await page.keyboard.press("p");
    await until("it is pinned", async () => (await summary()).pinned);
    // the row may move once more when the page hears of it, and lose the focus
    await watched.quiet();
    await link.focus();
    await page.keyboard.press("e");
    const field = page.getByRole("textbox", { name: "Title of the conversation" });
    await field.waitFor();
    await field.fill("Morning Dew");
    await page.keyboard.press("Enter");
    await until("it is renamed", async () => (await summary()).title === "Morning Dew");
    await watched.quiet();
    await link.focus();
    await page.keyboard.press("Delete");
    await link.waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Undo" }).press("Enter");
    await link.waitFor();
    watched.assertSilent();
  });

  test("shows where the focus is on everything that can be reached by Tab", LIMIT, async () => {
    const { page, watched } = browser;
    await open(page, "/settings/profile");
    const unseen = [];
    for (let press = 0; press < 40; press++) {
      await page.keyboard.press("Tab");
      await still(page);
      const state = await page.evaluate(() => {
        const element = document.activeElement;
        if (!element || element === document.body) return null;
        const ring = (one) => {
          const style = getComputedStyle(one);
          const drawn = getComputedStyle(one, "::after").backgroundColor;
          const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
          return outlined || style.boxShadow !== "none" || (one.matches(".resizer") && drawn !== "rgba(0, 0, 0, 0)");
        };
        return { seen: ring(element) || (element.parentElement && ring(element.parentElement)) || ring(element.closest("label") ?? element), what: element.outerHTML.slice(0, 100) };
      });
      if (state && !state.seen) unseen.push(state.what);
    }
    assert.deepEqual(unseen, []);
    watched.assertSilent();
  });

  test("reaches every page and every pane", LIMIT, async () => {
    const { page, watched } = browser;
    await open(page, "/settings/profile");
    await page.locator("body").press("?");
    await page.waitForURL(/\/keys$/);
    await page.getByRole("heading", { name: "Keys", exact: true }).waitFor();
    await page.keyboard.press("/");
    await page.waitForURL(/\/search/);
    await focused(page.getByRole("searchbox", { name: "Words to search for" }));
    await page.keyboard.type("clouds");
    await page.getByRole("main").getByRole("link", { name: /Clouds/ }).first().waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("]");
    const panel = page.getByRole("complementary", { name: "Conversation beside the page" });
    await panel.waitFor();
    await page.keyboard.press("]");
    await panel.waitFor({ state: "hidden" });
    watched.assertSilent();
  });

  test("begins a conversation with the focus in its field", LIMIT, async () => {
    const { page, watched } = browser;
    await open(page, "/bin");
    await page.keyboard.press("c");
    await page.waitForURL(/\/c$/);
    await focused(composer(page));
    watched.assertSilent();
  });

  test("begins a conversation by a click with the focus in its field, too", LIMIT, async () => {
    const { page, watched } = browser;
    await open(page, "/bin");
    await page.getByRole("link", { name: "New conversation" }).first().click();
    await page.waitForURL(/\/c$/);
    await focused(composer(page));
    watched.assertSilent();
  });
});

describe("the panes", () => {
  let stage;
  let browser;
  let conversation;
  before(async () => {
    stage = await Stage.start();
    conversation = await stage.conversation(["[[say About roses.]]"], { title: "Roses" });
  }, LIMIT);
  after(() => stage?.end(), LIMIT);
  beforeEach(async () => (browser = await stage.owner({ viewport: { width: 1440, height: 900 } })));
  afterEach(() => browser?.context.close());

  test("fetch a conversation that the pointer rests on, once", LIMIT, async () => {
    const { page, watched } = browser;
    await open(page, "/c");
    // what the server tells at first makes what was fetched ahead old
    await watched.quiet();
    const asked = [];
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    const fetches = () => asked.filter((path) => path.endsWith(`/conversations/${conversation}`)).length;
    const link = page.getByRole("navigation", { name: "Conversations" }).getByRole("link", { name: /Roses/ });
    await link.hover();
    await until("fetched ahead", () => fetches() === 1);
    await link.click();
    await page.getByText("About roses.", { exact: true }).waitFor();
    assert.equal(fetches(), 1, "and not again");
    watched.assertSilent();
  });

  test("fold, widen, and are found so the next time, before any script runs", LIMIT, async () => {
    const { page, watched, context } = browser;
    await open(page, `/c/${conversation}`);
    const edge = page.getByRole("separator", { name: "Width of the list" });
    const list = page.getByRole("region", { name: "List" });
    const { width } = await list.boundingBox();
    const { x, y } = await edge.boundingBox();
    await page.mouse.move(x + 2, y + 200);
    await page.mouse.down();
    await page.mouse.move(x + 82, y + 200, { steps: 5 });
    await page.mouse.up();
    await until("it is wider", async () => Math.abs((await list.boundingBox()).width - width - 80) <= 3);
    const wider = (await list.boundingBox()).width;
    await edge.press("ArrowLeft");
    await until("it is a step narrower", async () => Math.abs((await list.boundingBox()).width - (wider - 16)) <= 3);
    await page.reload();
    await ready(page);
    await until("it is so again", async () => Math.abs((await list.boundingBox()).width - (wider - 16)) <= 3);
    await page.locator("body").press("[");
    await list.waitFor({ state: "hidden" });
    const html = async () => (await context.request.get(`/c/${conversation}`)).text();
    await until("the server folds it, too", async () => /data-list="folded"/.test(await html()));
    watched.assertSilent();
  });

  test("are as wide as they were left in each section", LIMIT, async () => {
    const { page, watched } = browser;
    await open(page, `/c/${conversation}`);
    const edge = page.getByRole("separator", { name: "Width of the list" });
    const width = async () => (await page.getByRole("region", { name: "List" }).boundingBox()).width;
    const usual = await width();
    for (let press = 0; press < 5; press += 1) await edge.press("ArrowRight");
    await until("it is wider", async () => (await width()) === usual + 80);
    await page.getByRole("link", { name: "Settings", exact: true }).click();
    await page.getByRole("navigation", { name: "Settings" }).waitFor();
    await until("the usual width", async () => (await width()) === usual);
    await page.reload();
    await ready(page);
    await until("the usual width again", async () => (await width()) === usual);
    await page.goBack();
    await until("the width of the conversations", async () => (await width()) === usual + 80);
    watched.assertSilent();
  });

  test("hold a conversation beside the search, also after a reload", LIMIT, async () => {
    const { page, watched } = browser;
    await open(page, "/search");
    await page.getByRole("button", { name: "Conversation beside the page" }).click();
    const panel = page.getByRole("complementary", { name: "Conversation beside the page" });
    await panel.getByRole("button", { name: "Roses" }).click();
    await panel.getByText("About roses.", { exact: true }).waitFor();
    await panel.getByRole("textbox", { name: "Message" }).fill("[[say Said beside.]]");
    await panel.getByRole("textbox", { name: "Message" }).press("Enter");
    await panel.getByText("Said beside.", { exact: true }).waitFor();
    await page.reload();
    await ready(page);
    await panel.getByText("Said beside.", { exact: true }).waitFor();
    assert.match(page.url(), /\/search$/);
    watched.assertSilent();
  });
});
