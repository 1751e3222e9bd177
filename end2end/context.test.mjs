// What a conversation is given: things attached by name and by a drop, the meter, citations that open their place,
// collections, and what every model is told.

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { faults } from "./faults.mjs";
import { shell } from "./process.mjs";
import { LIMIT, OWNER, Stage, answers, composer, counted, open, ready, say, settled, until } from "./stage.mjs";

const LEASE = "# Lease\n\nThe rent is 900.\n\n## Notice\n\nThree months, in writing.\n";

const main = (page) => page.getByRole("main");
const chips = (page) => main(page).locator(".composer-chips .chip");
const names = (page) => main(page).getByRole("listbox", { name: "Attach" });

describe("what a conversation is given", () => {
  let stage;
  let key;
  let browser;
  before(async () => {
    stage = await Stage.start();
    key = await shell(["key", "create", "--data", stage.data, "--user", OWNER.email, "--name", "Context"]);
  }, LIMIT);
  after(() => stage?.end(), LIMIT);
  afterEach(() => browser?.context.close());

  async function keep(name, text) {
    const response = await fetch(`${stage.url}/api/v1/files?${new URLSearchParams({ name })}`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/octet-stream" },
      body: text,
    });
    const { data } = await response.json();
    await until(`${name} is read`, async () => (await stage.api("GET", `/files/${data.id}`)).state === "ready");
    return data.id;
  }

  test("an @ attaches by name, from the keyboard, and the answer says what it was given", LIMIT, async () => {
    await keep("lease-of-the-house.md", LEASE);
    browser = await stage.owner();
    const { page } = browser;
    await open(page, "/c");
    await composer(page).pressSequentially("When does @lease-of");
    await names(page).getByRole("option", { name: /lease-of-the-house/ }).waitFor();
    await composer(page).press("Enter");
    await until("the words are gone from the field", async () => (await composer(page).inputValue()) === "When does ");
    assert.match(await chips(page).first().innerText(), /lease-of-the-house\.md/);
    await main(page).getByRole("button", { name: /What the model will be given: / }).click();
    await main(page).locator(".given:popover-open").getByText("lease-of-the-house.md").waitFor();
    assert.deepEqual(await faults(page), []);
    await page.keyboard.press("Escape");
    await composer(page).pressSequentially("it end? [[say In three months.]]");
    await composer(page).press("Enter");
    await settled(page);
    await main(page).locator("article.is-own .chip").getByText("lease-of-the-house.md").waitFor();
    await until("it is the conversation's", async () => (await chips(page).count()) === 1);
    await answers(page).first().hover();
    await answers(page).first().getByRole("button", { name: "What the model was given" }).click();
    await main(page).locator(".given:popover-open").getByText(/This answer was given about/).waitFor();
    await page.keyboard.press("Escape");
    await chips(page).getByRole("button", { name: /^Take lease/ }).click();
    await until("it is taken off", async () => (await chips(page).count()) === 0);
    // the server is told a moment later
    await browser.watched.quiet();
    await page.reload();
    await ready(page);
    await main(page).locator("article.is-own .chip").waitFor();
    await browser.watched.quiet();
    assert.equal(await chips(page).count(), 0);
  });

  test("a file that is dropped on the conversation is uploaded and attached", LIMIT, async () => {
    browser = await stage.owner();
    const { page } = browser;
    await open(page, "/c");
    await main(page).locator(".composer").evaluate((target) => {
      const data = new DataTransfer();
      data.items.add(new File(["The roses are white."], "dropped-roses.txt"));
      target.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: data }));
    });
    await chips(page).getByRole("link", { name: "dropped-roses.txt" }).waitFor();
    assert.match(new URL(page.url()).pathname, /^\/c$/, "the page stays");
    await say(page, "Which colour? [[say White.]]");
    await settled(page);
    await counted(main(page).locator("article.is-own .chip"), 1);
  });

  test("citations are marks that open the source at its place, and what is not there is none", LIMIT, async () => {
    const id = await keep("cited.md", `${LEASE}\nA copy to cite.\n`);
    const { sections } = await stage.api("GET", `/files/${id}`);
    const url = `/f/${id}#${sections[1].anchor}`;
    const nothing = "/f/0198d3a0-0000-7000-8000-000000000000";
    const answer = `Three months. [Lease, Notice](${url}) Not [elsewhere](${nothing}).`;
    const conversation = await stage.conversation([`[[say ${answer}]]`]);
    browser = await stage.owner();
    const { page } = browser;
    await open(page, `/c/${conversation}`);
    const mark = answers(page).first().locator("a.cite");
    await counted(mark, 1);
    assert.equal(await mark.getAttribute("aria-label"), "Source 1: cited.md, Lease › Notice");
    assert.equal(await answers(page).first().locator(`a[href="${nothing}"]`).count(), 0);
    assert.match(await answers(page).first().locator(".sources").innerText(), /cited\.md\s+Lease › Notice/);
    assert.deepEqual(await faults(page), []);
    await mark.click();
    await page.locator(".file-section.is-marked").getByText("Three months, in writing.").waitFor();
  });

  test("citations appear in an answer that one sees being written", LIMIT, async () => {
    const id = await keep("live.md", `${LEASE}\nA copy to cite at once.\n`);
    browser = await stage.owner();
    const { page } = browser;
    await open(page, "/c");
    await say(page, `[[say So it is. [Lease](/f/${id})]]`);
    await settled(page);
    await answers(page).first().locator("a.cite").waitFor();
    await answers(page).first().locator(".sources").getByText("live.md").waitFor();
  });

  test("a collection is made from a file's menu, searched alone and asked about", LIMIT, async () => {
    const id = await keep("house-rules.md", `${LEASE}\nA copy to collect.\n`);
    browser = await stage.owner();
    const { page } = browser;
    await open(page, `/f/${id}`);
    await main(page).locator(".page").getByRole("button", { name: /^More about/ }).first().click();
    await page.getByRole("menuitem", { name: "Add to a collection…" }).click();
    const dialog = page.getByRole("dialog", { name: /house-rules\.md/ });
    await dialog.getByLabel("Or a new one").fill("House");
    await dialog.getByRole("button", { name: "Make it" }).click();
    await page.getByText("Added to House").waitFor();
    await open(page, "/collections");
    await main(page).getByRole("link", { name: /House/ }).click();
    await main(page).locator(".page").getByRole("link", { name: /house-rules\.md/ }).waitFor();
    assert.deepEqual(await faults(page), []);
    await main(page).getByRole("link", { name: "Ask about it" }).click();
    await chips(page).getByRole("link", { name: "House" }).waitFor();
  });

  test("a saved page is asked about, dropped by its link, collected, and cited at its heading", LIMIT, async () => {
    const paragraph = "<p>The old roses of the south wall are pruned late, after the last frost, and then only lightly.</p>".repeat(20);
    const html = `<html><head><title>Old Roses</title></head><body><article><h1>Old Roses</h1>${paragraph}<h2>Feeding</h2><p>Bone meal in spring.</p>${paragraph}</article></body></html>`;
    const { id } = await stage.api("POST", "/pages", { url: "https://letters.example/roses", html });
    await until("it is read", async () => (await stage.api("GET", `/pages/${id}`)).state === "ready");
    const { anchor } = (await stage.api("GET", `/pages/${id}`)).sections.find(({ label }) => label === "Feeding");
    browser = await stage.owner();
    const { page } = browser;
    await open(page, `/p/${id}`);
    await page.getByRole("button", { name: "More about this page" }).click();
    await page.getByRole("menuitem", { name: "Add to a collection…" }).click();
    const dialog = page.getByRole("dialog", { name: /Old Roses/ });
    await dialog.getByLabel("Or a new one").fill("Garden");
    await dialog.getByRole("button", { name: "Make it" }).click();
    await page.getByText("Added to Garden").waitFor();
    await page.getByRole("button", { name: "More about this page" }).click();
    await page.getByRole("menuitem", { name: "Ask about it" }).click();
    await chips(page).getByRole("link", { name: "Old Roses" }).waitFor();
    await chips(page).getByRole("button", { name: "Take Old Roses off" }).click();
    await until("it is taken off", async () => (await chips(page).count()) === 0);
    await main(page).locator(".composer").evaluate((target, url) => {
      const data = new DataTransfer();
      data.setData("text/uri-list", url);
      target.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: data }));
    }, `${stage.url}/p/${id}`);
    await chips(page).getByRole("link", { name: "Old Roses" }).waitFor();
    await main(page).getByRole("button", { name: /What the model will be given: / }).click();
    await main(page).locator(".given:popover-open").getByRole("link", { name: "Old Roses" }).waitFor();
    await page.keyboard.press("Escape");
    await composer(page).pressSequentially("And @gard");
    await names(page).getByRole("option", { name: /Garden/ }).getByText("Collection").waitFor();
    await page.keyboard.press("Escape");
    await composer(page).fill(`When? [[say In spring. [Feeding](/p/${id}#${anchor})]]`);
    await composer(page).press("Enter");
    await settled(page);
    const source = answers(page).first().locator(".sources").getByRole("link", { name: /Old Roses\s*Feeding/ });
    await source.click();
    await page.waitForURL(new RegExp(`/p/${id}#${anchor}$`));
    await page.locator(".saved-section.is-marked").getByRole("heading", { name: "Feeding" }).waitFor();
    await open(page, "/collections");
    await main(page).getByRole("link", { name: /Garden/ }).click();
    await main(page).locator(".page").getByRole("link", { name: /Old Roses/ }).waitFor();
    assert.deepEqual(await faults(page), []);
  });

  test("a citation of a heading opens the note there, also without scripts", LIMIT, async () => {
    const filler = "Nothing of note stands here.\n\n".repeat(120);
    const content = `Of the house.\n\n# Rent\n\n${filler}## When *due*\n\nOn the first.\n\n${filler}# End\n`;
    const { id } = await stage.api("POST", "/notes", { title: "Lease of the barn", content });
    const conversation = await stage.conversation([`[[say On the first. [Due](/n/${id}#h-when-due)]]`]);
    browser = await stage.owner();
    const { page } = browser;
    await open(page, `/c/${conversation}`);
    await answers(page).first().locator(".sources").getByRole("link", { name: /Lease of the barn\s*Rent › When due/ }).click();
    await page.waitForURL(new RegExp(`/n/${id}#h-when-due$`));
    const heading = page.locator(".cm-line.md-h2");
    const isSeen = (one) => {
      const { top, bottom } = one.getBoundingClientRect();
      return top >= 0 && bottom <= innerHeight;
    };
    await heading.waitFor();
    await until("the heading is seen", () => heading.evaluate(isSeen));
    // as notes link to it: by title and heading
    await open(page, "/n?title=Lease%20of%20the%20barn#When%20due");
    await page.waitForURL(new RegExp(`/n/${id}#When%20due$`));
    await heading.waitFor();
    await until("the heading is seen again", () => heading.evaluate(isSeen));
    await browser.context.close();
    browser = await stage.owner({ javaScriptEnabled: false });
    await browser.page.goto(`/n/${id}#h-when-due`);
    const plain = browser.page.locator("#h-when-due");
    await until("the browser goes there by itself", () => plain.evaluate(isSeen));
  });

  test("what every model is told can be written, and the prompt looked at", LIMIT, async () => {
    browser = await stage.owner();
    const { page } = browser;
    await open(page, "/settings/models");
    await page.getByLabel("In your words").fill("Call me {{name}} the First.");
    await page.getByRole("button", { name: "Show the prompt" }).click();
    await page.getByText(/Call me The Owner the First\./).waitFor();
    await page.getByRole("button", { name: "Save the instructions" }).click();
    await page.getByText("Instructions saved.").waitFor();
    assert.equal((await stage.api("GET", "/me/prompt")).instructions, "Call me {{name}} the First.");
    assert.deepEqual(await faults(page), []);
  });
});
