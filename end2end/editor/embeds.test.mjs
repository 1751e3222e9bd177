// What the preview shows of embeds, callouts and footnotes, and that their Markdown is there where one writes.

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { LIMIT, Stage, field, text, until } from "./stage.mjs";


describe("embeds, callouts and footnotes", () => {
  let stage;
  let context;
  let page;
  let room;
  before(async () => (stage = await Stage.start()), LIMIT);
  after(() => stage?.end(), LIMIT);
  afterEach(async () => {
    const wrongs = context?.wrongs ?? [];
    await context?.close();
    assert.deepEqual(wrongs, []);
  });

  async function open(content, options) {
    context = await stage.browser();
    const note = stage.note(content);
    room = note.room;
    page = await stage.open(context, note.id, options);
  }

  const cursorBehind = (found) =>
    page.evaluate((wanted) => {
      const { view } = window.editor;
      view.dispatch({ selection: { anchor: view.state.doc.toString().indexOf(wanted) + wanted.length } });
      view.focus();
    }, found);

  const shown = () => field(page).evaluate((element) => element.innerText);

  test("another note is shown in its place, whole or the part that is named", LIMIT, async () => {
    await open("before\n\n![[Garden plan#soil]]\n\n![[Garden plan]]\n\n![[Nowhere]]\n\nafter");
    const [part, whole, nowhere] = await Promise.all([0, 1, 2].map((at) => page.locator(".md-embed").nth(at)));
    await part.getByText("Loam.").waitFor();
    assert.doesNotMatch(await part.innerText(), /Four|Gravel/);
    await whole.getByText("Gravel.").waitFor();
    assert.equal(await page.locator(".md-embed [id], .md-embed a[href^='#']").count(), 0, "its places are not this page's");
    assert.equal((await nowhere.innerText()).trim(), "Nowhere");
    await page.waitForFunction(() => document.querySelectorAll('.md-embed a[href="/n/1"]').length === 2);
    await whole.getByRole("link", { name: "Garden plan" }).click();
    await page.waitForFunction(() => window.seen.navigated.at(-1) === "/n/1");
    await part.getByText("Loam.").click();
    await until("its Markdown", async () => (await shown()).includes("![[Garden plan#soil]]"));
    await cursorBehind("after");
    await part.getByText("Loam.").waitFor();
  });

  test("a picture of the note is shown by its name, another file is led to", LIMIT, async () => {
    await open("![[files/dot.png|200]] and ![[plan.pdf]]");
    context.expected.push(/status of (404|500)/); // the picture that is not there
    await until("the picture's place", async () => (await page.locator(".md-image, .md-picture-name").count()) === 2);
    await page.getByText("Picture: dot.png").waitFor();
    await page.waitForTimeout(300);
    assert.equal(await text(page), "![[files/dot.png|200]] and ![[plan.pdf]]", "a picture that is not there changes no text");
    assert.equal(await page.getByRole("link", { name: "plan.pdf" }).getAttribute("href"), "/assets/plan.pdf");
    context.wrongs.splice(0); // what was said before it was expected
  });

  test("a callout shows its kind in words, and its marks where one writes", LIMIT, async () => {
    await open("> [!warning] Mind the **step**\n> It is high.\n\n> [!odd-kind]\n> text\n\n> plain\n\nend");
    await page.getByText("Warning", { exact: true }).waitFor();
    await page.getByText("Odd kind", { exact: true }).waitFor();
    await until("its words", async () => /Warning\s+Mind the step/.test(await shown()));
    await until("no marks", async () => !/[!>]/.test(await shown()));
    await until("its lines", async () => (await page.locator(".md-callout.is-warning").count()) === 2);
    await until("the quotation", async () => (await page.locator(".md-quote").count()) === 1);
    await cursorBehind("Mind");
    await until("its marks", async () => (await shown()).includes("> [!warning] Mind"));
  });

  test("a callout folds for oneself alone, and opens where one writes", LIMIT, async () => {
    await open("> [!tip]- Later\n> Hidden one.\n>\n> Hidden two.\n\n> [!note]+ Now\n> Seen.\n\nend");
    await page.getByText("Seen.").waitFor();
    await until("it is folded", async () => !/Hidden/.test(await shown()));
    const button = page.getByRole("button", { name: "Fold or open Tip" });
    assert.equal(await button.getAttribute("aria-expanded"), "false");
    await button.click();
    await page.getByText("Hidden two.").waitFor();
    await until("and says so", async () => (await button.getAttribute("aria-expanded")) === "true");
    await page.getByRole("button", { name: "Fold or open Note" }).click();
    await until("it is folded", async () => !(await shown()).includes("Seen."));
    room.edit(0, 0, "Above.\n\n");
    await page.getByText("Above.").waitFor();
    assert.match(await shown(), /Hidden two/, "what others write leaves it as it is");
    assert.doesNotMatch(await shown(), /Seen/);
    assert.equal(await text(page), room.text.toString());
    await cursorBehind("Now\n> Se");
    await page.keyboard.type("!");
    await page.getByText("Se!en.").waitFor();
  });

  test("a footnote is led to, and back from", LIMIT, async () => {
    await open(`Dug twice[^1], not [^nowhere] else.\n\n${"line\n\n".repeat(80)}[^1]: In *spring*.\n`);
    await page.getByRole("button", { name: "Footnote 1", exact: true }).click();
    await page.getByText("In spring.").waitFor();
    const behind = () => page.evaluate(() => window.editor.view.state.sliceDoc(window.editor.view.state.selection.main.head));
    await until("the cursor is at it", async () => (await behind()) === "In *spring*.\n");
    await page.getByRole("button", { name: "Back to where footnote 1 stands" }).click();
    await until("the mark in the text", async () => (await shown()).includes("Dug twice[^1]"));
  });

  test("who only reads sees them too, and can fold", LIMIT, async () => {
    await open("> [!tip]- Later\n> Hidden.\n\nText[^1].\n\n[^1]: Note.\n\n![[Garden plan]]", { given: { access: "view" } });
    await page.getByRole("button", { name: "Fold or open Tip" }).click();
    await page.getByText("Hidden.").waitFor();
    await page.locator(".md-embed").getByText("Gravel.").waitFor();
  });
});
