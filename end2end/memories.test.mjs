// Memories in the workspace: written down, found, changed, replaced, forgotten; what an answer used; what a model
// suggests or asks to forget, below the conversation and on the page; a phone, no scripts, the keyboard.

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { faults } from "./faults.mjs";
import { LIMIT, Stage, answers, open, ready, say, settled, until } from "./stage.mjs";
import { NOT_FOUND } from "./watch.mjs";

const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

const row = (page, text) => page.locator(".memories-found .memory-row").filter({ hasText: text });
const field = (page) => page.getByRole("textbox", { name: "Something to remember" });

describe("memories in the workspace", () => {
  let stage;
  let browser;
  before(async () => {
    stage = await Stage.start();
  }, LIMIT);
  after(() => stage?.end(), LIMIT);
  afterEach(async () => {
    await browser?.context.close();
    for (const { id } of (await stage.api("GET", "/memories?limit=200")).items) await stage.api("DELETE", `/memories/${id}`);
  });

  const keep = (content, more = {}) => stage.api("POST", "/memories", { content, ...more });

  test("something is written down, replaced by what is so now, changed, and forgotten for good", LIMIT, async () => {
    browser = await stage.owner();
    const { page, watched } = browser;
    await open(page, "/memories");
    await page.getByText("Nothing yet").waitFor();
    await field(page).fill("I live in Porto");
    await page.getByRole("button", { name: "Remember this" }).click();
    await row(page, "I live in Porto").waitFor();
    await row(page, "I live in Porto").getByText("Written by you").waitFor();
    await field(page).fill("I live in Lisbon");
    await field(page).press("Control+Enter");
    await row(page, "I live in Lisbon").waitFor();
    await until("the other is replaced", async () => (await row(page, "I live in Porto").count()) === 0);
    await row(page, "I live in Lisbon").getByRole("link", { name: "I live in Lisbon" }).click();
    await page.waitForURL(/\/memories\/./);
    await page.getByText("What it replaced").waitFor();
    await page.getByText("I live in Porto").waitFor();
    const words = page.getByRole("textbox", { name: "What is remembered" });
    await words.fill("I live in Lisbon, by the river");
    await page.getByRole("button", { name: "Save the change" }).click();
    await page.getByText("Before it was changed").waitFor();
    await until("it is kept from them", async () => {
      // the page is drawn anew when it hears of the change before: then the box is another
      await page.getByRole("checkbox", { name: /Keep from cloud models/ }).check({ timeout: 5000 }).catch(() => {});
      return (await stage.api("GET", "/memories")).items[0].local_only;
    });
    await page.getByText("Kept from cloud models", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Forget this…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("This cannot be undone").waitFor();
    await page.keyboard.press("Escape");
    await until("the question is gone", async () => !(await dialog.isVisible()));
    assert.equal((await stage.api("GET", "/memories")).items.length, 1, "Escape keeps it");
    await page.getByRole("button", { name: "Forget this…" }).click();
    await dialog.getByRole("button", { name: "Forget for good" }).click();
    await page.waitForURL(/\/memories$/);
    await page.getByText("Nothing yet").waitFor();
    watched.assertSilent();
  });

  test("they are looked for, pinned, and forgotten from the list by the keyboard", LIMIT, async () => {
    await keep("My bicycle is green");
    await keep("Ada is my sister");
    browser = await stage.owner();
    const { page, watched } = browser;
    await open(page, "/memories");
    await row(page, "Ada").waitFor();
    await page.getByRole("searchbox", { name: "Look among the memories" }).fill("bicycle");
    await until("the list is narrowed", async () => (await row(page, "Ada").count()) === 0);
    assert.match(page.url(), /\?q=bicycle$/);
    await page.goBack();
    await open(page, "/memories");
    await row(page, "bicycle").getByRole("button", { name: /^Pin/ }).press("Enter");
    await row(page, "bicycle").getByText("Pinned").waitFor();
    assert.match(await page.locator(".memories-found .memory-row").first().innerText(), /bicycle/, "the pinned come first");
    await row(page, "Ada").getByRole("button", { name: "Forget…" }).press("Enter");
    await page.getByRole("dialog").getByRole("button", { name: "Forget for good" }).press("Enter");
    await until("it is gone", async () => (await row(page, "Ada").count()) === 0);
    assert.deepEqual(await faults(page), []);
    watched.assertSilent();
  });

  test("an answer says which memories it used, also after a reload and where one was forgotten", LIMIT, async () => {
    const flat = await keep("My Lisbon flat has two rooms");
    const tram = await keep("The tram in Lisbon stops at my door");
    browser = await stage.owner();
    const { page, watched } = browser;
    await open(page, "/c");
    await say(page, "Tell me of the flat in Lisbon and of its tram [[say It is hilly]]");
    await settled(page);
    const used = answers(page).first().locator(".used-memories");
    await used.getByText("Used 2 memories").waitFor();
    await used.locator("summary").click();
    await used.getByRole("link", { name: "My Lisbon flat has two rooms" }).waitFor();
    await used.getByText("Sent by a program").first().waitFor();
    await stage.api("DELETE", `/memories/${tram.id}`);
    await page.reload();
    await ready(page);
    await used.locator("summary").click();
    await used.getByText("A memory that you have forgotten since").waitFor();
    assert.deepEqual(await faults(page), []);
    await used.getByRole("link", { name: "My Lisbon flat has two rooms" }).click();
    await page.waitForURL(new RegExp(`/memories/${flat.id}$`));
    watched.assertSilent();
  });

  test("what a model suggests and what it asks to forget is decided below the conversation", LIMIT, async () => {
    const old = await keep("I own a boat");
    browser = await stage.owner();
    const { page, watched } = browser;
    await open(page, "/c");
    await say(page, `I sold it [[tool forget {"memory_id":"${old.id}","reason":"You sold it"}]]`);
    const here = page.getByRole("region", { name: "Memories for you to decide" });
    await here.getByText("I own a boat").waitFor();
    await settled(page);
    assert.equal((await stage.api("GET", "/memories")).items.length, 1, "nothing is forgotten unasked");
    await here.getByRole("button", { name: "Forget for good" }).click();
    await until("it is forgotten", async () => (await stage.api("GET", "/memories")).items.length === 0);
    await until("nothing waits", async () => (await here.count()) === 0);
    await say(page, `I moved [[say {"memories":[{"content":"I live in Faro"},{"content":"I like the sea"}]}]]`);
    await settled(page);
    const conversation = page.url().split("/").at(-1);
    await stage.api("POST", "/memories/suggestions", { conversation_id: conversation });
    await here.getByText("I live in Faro").waitFor();
    const card = (text) => here.locator(".memory-row").filter({ hasText: text });
    await card("Faro").getByRole("button", { name: "Remember" }).click();
    await until("it is kept", async () => (await stage.api("GET", "/memories")).items.length === 1);
    await open(page, "/memories");
    const waiting = page.getByRole("region", { name: "For you to decide" });
    await waiting.getByText("I like the sea").waitFor();
    await waiting.getByRole("button", { name: "Let go" }).click();
    await until("nothing waits", async () => (await waiting.count()) === 0);
    await row(page, "I live in Faro").waitFor();
    watched.assertSilent();
  });

  test("without scripts one reads, looks and takes along; what is not there is a 404 that helps", LIMIT, async () => {
    const memory = await keep("My bicycle is green");
    await keep("Ada is my sister");
    browser = await stage.owner({ javaScriptEnabled: false });
    const { page } = browser;
    await page.goto("/memories");
    await page.getByText("Ada is my sister").waitFor();
    await page.getByRole("searchbox", { name: "Look among the memories" }).fill("bicycle");
    await page.getByRole("searchbox", { name: "Look among the memories" }).press("Enter");
    await page.waitForURL(/\?q=bicycle/);
    assert.equal(await page.getByText("Ada is my sister").count(), 0);
    await page.getByRole("link", { name: "My bicycle is green" }).click();
    await page.waitForURL(new RegExp(`/memories/${memory.id}$`));
    await page.getByRole("heading", { name: "History" }).waitFor();
    await page.goto("/memories");
    assert.equal(await page.getByRole("link", { name: /Export as/ }).count(), 2);
    const gone = await page.goto("/memories/01980000-0000-7000-8000-000000000000");
    assert.equal(gone.status(), 404);
    await page.getByRole("link", { name: "To your memories" }).waitFor();
  });

  for (const theme of ["light", "dark"]) {
    test(`on a phone, in the ${theme}, everything is in reach and nothing is wider than the screen`, LIMIT, async () => {
      const memory = await keep("A long statement about a bicycle, its colour, where it stands, and who may ride it on Sundays. ".repeat(3).trim(), { local_only: true });
      await keep("I live in Porto");
      await keep("I live in Lisbon");
      browser = await stage.owner({ ...PHONE, theme });
      const { page, watched } = browser;
      await open(page, "/settings");
      await page.getByRole("navigation", { name: "Settings" }).getByRole("link", { name: "Memories" }).click();
      await row(page, "bicycle").waitFor();
      const wide = () => page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      await watched.quiet();
      assert.equal(await wide(), false);
      assert.deepEqual(await faults(page), []);
      await open(page, `/memories/${memory.id}`);
      await page.getByRole("button", { name: "Forget this…" }).waitFor();
      assert.equal(await wide(), false);
      assert.deepEqual(await faults(page), []);
      await open(page, "/memories/01980000-0000-7000-8000-000000000000");
      await page.getByText("There is no such memory").waitFor();
      watched.allow(NOT_FOUND);
      watched.assertSilent();
    });
  }
});
