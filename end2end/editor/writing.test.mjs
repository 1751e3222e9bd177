// Text that two editors and a Yjs document share: the same everywhere, whatever is typed, at once, away
// from the network, and after a reload.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ACCOUNT, LIMIT, Stage, field, openIn, random, reads, status, text, until } from "./stage.mjs";

/** One user-visible character each; several UTF-16 units some of them. */
const PIECES = ["a", "b ", "é", "e\u0301", "😀", "👩‍👩‍👧", "𝒳", "שלום", "مرحبا", "\n", "\n\n", "- [ ] x", "**", "日本"];

describe("writing", () => {
  let stage;
  before(async () => (stage = await Stage.start()), LIMIT);
  after(() => stage?.end(), LIMIT);

  /** Replaces part of the text between whole code points, as typing would. */
  function edit(page, from, to, insert) {
    return page.evaluate(
      ([at, end, piece]) => {
        const { view } = window.editor;
        const chars = Array.from(view.state.doc.toString());
        const unit = (n) => chars.slice(0, n).join("").length;
        const [a, b] = [Math.min(at, chars.length), Math.min(end, chars.length)];
        view.dispatch({ changes: { from: unit(a), to: unit(Math.max(a, b)), insert: piece }, userEvent: "input" });
      },
      [from, to, insert],
    );
  }

  test("positions are the same on all sides, for any script and any seed", LIMIT, async () => {
    for (const seed of [1, 2, 3, 4]) {
      const next = random(seed);
      const { id, room } = stage.note("beginning 😀 end");
      const context = await stage.browser();
      const pages = [await stage.open(context, id), await stage.open(await stage.browser(), id)];
      for (let step = 0; step < 60; step++) {
        const who = next(3);
        const [from, length, piece] = [next(30), next(4), PIECES[next(PIECES.length)]];
        if (who < 2) {
          await edit(pages[who], from, from + length, piece);
          continue;
        }
        const chars = Array.from(room.text.toString());
        const unit = (n) => chars.slice(0, n).join("").length;
        const at = Math.min(from, chars.length);
        room.edit(unit(at), unit(Math.min(at + length, chars.length)), piece);
      }
      // All of it is in the room before anything is compared.
      for (const page of pages) await status(page, "saved");
      for (const page of pages) {
        await until(`seed ${seed}: the same text`, async () => (await text(page)) === room.text.toString());
        await status(page, "saved");
        assert.equal(await page.evaluate(() => window.editor.session.replica.text()), room.text.toString());
        assert.deepEqual(page.context().wrongs, []);
      }
      for (const page of pages) await page.context().close();
    }
  });

  test("undo takes back one's own words only", LIMIT, async () => {
    const { id, room } = stage.note("start\n");
    const page = await stage.open(await stage.browser(), id);
    await field(page).press("Control+End");
    // At once: letters with a pause between them are taken back one after the other.
    await page.keyboard.insertText("mine");
    await until("mine is there", () => room.text.toString().endsWith("mine"));
    room.edit(0, 0, "theirs ");
    await until("theirs is shown", async () => (await text(page)).startsWith("theirs"));
    await page.keyboard.press("Control+z");
    await reads(page, "theirs start\n");
    await until("the room agrees", () => room.text.toString() === "theirs start\n");
    await page.keyboard.press("Control+Shift+Z");
    await reads(page, "theirs start\nmine");
    await until("the room agrees", () => room.text.toString() === "theirs start\nmine");
    await page.keyboard.press("Control+z");
    await page.keyboard.press("Control+z");
    await reads(page, "theirs start\n");
    assert.equal(await text(page), "theirs start\n", "nothing more to take back");
  });

  test("two who type at one place keep both their words whole", LIMIT, async () => {
    const { id, room } = stage.note("");
    const pages = [await stage.open(await stage.browser(), id), await stage.open(await stage.browser(), id)];
    for (const page of pages) await field(page).focus();
    await Promise.all([pages[0].keyboard.type("alpha ", { delay: 5 }), pages[1].keyboard.type("BRAVO ", { delay: 5 })]);
    await until("all arrived", () => room.text.length === 12);
    for (const page of pages) await until("the same", async () => (await text(page)) === room.text.toString());
    const letters = [...room.text.toString()];
    assert.equal(letters.filter((c) => /[a-z]/.test(c)).join(""), "alpha");
    assert.equal(letters.filter((c) => /[A-Z]/.test(c)).join(""), "BRAVO");
  });

  test("what is typed without network is counted, kept, and merged when it returns", LIMIT, async () => {
    const { id, room } = stage.note("one\n");
    const page = await stage.open(await stage.browser(), id);
    stage.cut();
    assert.deepEqual(await status(page, "offline"), { kind: "offline", n: 0, stored: true });
    await field(page).press("Control+End");
    await page.keyboard.type("two");
    const offline = await status(page, "offline");
    assert.ok(offline.n >= 1 && offline.stored);
    room.edit(0, 0, "zero\n");
    stage.mend();
    await status(page, "saved");
    assert.equal(room.text.toString(), "zero\none\ntwo");
    assert.equal(await text(page), "zero\none\ntwo");
  });

  test("a reload while changes are unsaved shows them, counts them, and saves them", LIMIT, async () => {
    const { id, room } = stage.note("one\n");
    const page = await stage.open(await stage.browser(), id);
    room.stores = false;
    await field(page).press("Control+End");
    await page.keyboard.type("two", { delay: 30 });
    const { n } = await status(page, "saving");
    stage.cut();
    await status(page, "offline");
    const before = await page.evaluate(() => window.editor.unsaved());
    assert.ok(before >= n);
    const unsaved = () => page.evaluate((id) => window.library.unsavedIn(id), ACCOUNT.id);
    await until("all is written down", async () => (await unsaved()) === before);
    stage.mend();
    await page.reload();
    await openIn(page, id, { synchronised: false });
    assert.equal(await text(page), "one\ntwo");
    const counted = await page.evaluate((id) => window.library.unsavedIn(id), ACCOUNT.id);
    assert.equal(counted, before, "exact across the reload");
    await until("sent again", () => room.members > 0);
    room.stores = true;
    await page.waitForTimeout(100);
    room.report();
    await status(page, "saved");
    await until("nothing waits", async () => (await page.evaluate((id) => window.library.unsavedIn(id), ACCOUNT.id)) === 0);
    assert.equal(room.text.toString(), "one\ntwo");
  });
});
