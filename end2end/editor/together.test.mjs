// Others in the note: their cursors, what a model proposes, comments, and what the server says.

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import * as Y from "yjs";
import { LIMIT, Stage, field, openIn, status, text, until } from "./stage.mjs";

const GRACE = { id: "0190c0de-0000-7000-8000-000000000002", name: "Grace Hopper" };

describe("together", () => {
  let stage;
  const contexts = [];
  before(async () => (stage = await Stage.start()), LIMIT);
  after(() => stage?.end(), LIMIT);
  afterEach(async () => {
    stage.mend();
    const wrongs = contexts.flatMap((context) => context.wrongs);
    for (const context of contexts.splice(0)) await context.close();
    assert.deepEqual(wrongs, []);
  });

  async function open(id, options) {
    const context = await stage.browser();
    contexts.push(context);
    return stage.open(context, id, options);
  }

  function propose(room, hunks) {
    const sticky = (at, assoc) => Y.encodeRelativePosition(Y.createRelativePositionFromTypeIndex(room.text, at, assoc));
    const placed = hunks.map(({ before, after }, n) => {
      const from = room.text.toString().indexOf(before);
      return { id: `h${n}`, from: sticky(from, 0), to: sticky(from + before.length, -1), before, after };
    });
    room.doc.getMap("proposals").set("p1", {
      author: { kind: "model", model: "Claude", run: "r1", on_behalf: GRACE.id, name: GRACE.name },
      created_at: "2026-11-20T10:00:00Z",
      reason: "shorter",
      hunks: placed,
    });
  }

  test("others' cursors and selections are shown with their names, and vanish with them", LIMIT, async () => {
    const { id, room } = stage.note("one two three\n");
    const ada = await open(id);
    const grace = await open(id, { account: GRACE });
    await grace.evaluate(() => {
      window.editor.view.dispatch({ selection: { anchor: 4, head: 7 } });
      window.editor.focus();
    });
    await ada.locator('.note-caret[data-name="Grace Hopper"]').waitFor();
    await until("her selection", async () => (await ada.locator(".note-selected").innerText()) === "two");
    await ada.waitForFunction(() => window.seen.presence[0]?.head === 7);
    const [person] = await ada.evaluate(() => window.seen.presence);
    assert.deepEqual([person.name, person.initials, person.head], ["Grace Hopper", "GH", 7]);
    room.edit(0, 0, "zero ");
    await until("both have it", async () => (await text(ada)).startsWith("zero") && (await text(grace)).startsWith("zero"));
    await until("it moves with the text", async () => (await ada.locator(".note-selected").innerText()) === "two");
    const state = [...room.awareness.getStates().values()].find((each) => each.user?.name === "Grace Hopper");
    const head = Y.createAbsolutePositionFromRelativePosition(Y.createRelativePositionFromJSON(state.cursor.head), room.doc);
    assert.equal(head.index, 12, "other Yjs editors understand it");
    await grace.evaluate(() => window.editor.destroy());
    await until("gone", async () => (await ada.locator(".note-caret").count()) === 0);
  });

  test("who was away for a moment is seen again", LIMIT, async () => {
    const { id } = stage.note("one\n");
    const ada = await open(id);
    const grace = await open(id, { account: GRACE });
    await grace.evaluate(() => window.editor.focus());
    await ada.waitForFunction(() => window.seen.presence.length === 1);
    await grace.evaluate(() => window.line.cut());
    await ada.evaluate(() => window.line.cut());
    await ada.waitForFunction(() => window.seen.presence.length === 0);
    await ada.evaluate(() => window.line.mend());
    await grace.evaluate(() => window.line.mend());
    await ada.waitForFunction(() => window.seen.presence[0]?.name === "Grace Hopper");
  });

  test("one can follow somebody through a long note", LIMIT, async () => {
    const { id } = stage.note("line\n".repeat(400));
    const ada = await open(id);
    const grace = await open(id, { account: GRACE });
    await grace.evaluate(() => window.editor.focus());
    await ada.waitForFunction(() => window.seen.presence[0]?.head === 0);
    await ada.evaluate(() => window.editor.follow(window.seen.presence[0].client));
    await grace.evaluate(() => window.editor.goTo(1500));
    const isInView = () => ada.evaluate(() => window.editor.view.visibleRanges.some(({ from, to }) => from <= 1500 && to >= 1500));
    await until("her place is in view", isInView);
    await ada.mouse.move(500, 300);
    await ada.mouse.wheel(0, -9000);
    await until("she has scrolled away", async () => !(await isInView()));
    await grace.evaluate(() => window.editor.goTo(1400));
    await ada.waitForFunction(() => window.seen.presence[0]?.head === 1400);
    await ada.waitForTimeout(400);
    assert.equal(await isInView(), false, "who scrolls leads");
  });

  test("what a model proposes is shown in place and decided change by change", LIMIT, async () => {
    const { id, room } = stage.note("It is a very good plan.\n\nWe might start soon.\n");
    const page = await open(id);
    propose(room, [{ before: "a very good", after: "a good" }, { before: "might start", after: "start" }]);
    const bar = page.getByRole("region", { name: "Proposed changes" });
    await bar.waitFor();
    await until("who proposes what", async () => /Claude proposes 2 changes, asked by Grace Hopper: shorter/.test(await bar.innerText()));
    await until("both changes", async () => (await page.locator(".note-proposed ins").count()) === 2);
    assert.deepEqual(await page.locator("del.note-removed").allInnerTexts(), ["a very good", "might start"]);
    assert.deepEqual(await page.locator(".note-proposed ins").allInnerTexts(), ["a good", "start"]);
    await page.getByRole("button", { name: "Accept: a good" }).click();
    await page.getByRole("button", { name: "Reject all" }).click();
    await page.waitForFunction(() => window.seen.decided.length === 2);
    assert.deepEqual(await page.evaluate(() => window.seen.decided), [["p1", ["h0"], true], ["p1", null, false]]);
    assert.equal(await text(page), room.text.toString(), "the server applies it, nobody else");
  });

  test("typing around and inside a proposal keeps it, and what has no place any more is said", LIMIT, async () => {
    const { id, room } = stage.note("One two three.\n\nFour five.\n");
    const page = await open(id);
    propose(room, [{ before: "two", after: "2" }, { before: "Four five.", after: "Nine." }]);
    await page.getByRole("region", { name: "Proposed changes" }).waitFor();
    await page.evaluate(() => window.editor.view.dispatch({ changes: { from: 0, insert: "Zero. " }, userEvent: "input" }));
    await until("moved", async () => (await page.locator("del.note-removed").first().innerText()) === "two");
    await page.evaluate(() => window.editor.view.dispatch({ changes: { from: 11, insert: "x" }, userEvent: "input" }));
    await until("kept", async () => (await page.locator(".note-proposed small").first().innerText()) === "the text has changed since");
    const from = room.text.toString().indexOf("Four");
    await until("sent", () => room.text.toString().includes("Zero"));
    room.edit(room.text.toString().indexOf("Four"), room.text.toString().indexOf("Four") + 10, "");
    await page.getByText("1 change has no place in the text any more.").waitFor();
    assert.ok(from > 0);
  });

  test("commented passages are underlined and lead to their comment", LIMIT, async () => {
    const { id, room } = stage.note("one two three\n");
    const page = await open(id);
    const anchor = await page.evaluate(() => {
      window.editor.view.dispatch({ selection: { anchor: 4, head: 7 } });
      return window.editor.anchorSelection();
    });
    assert.equal(anchor.quote, "two");
    const from = Y.decodeRelativePosition(Uint8Array.from(Buffer.from(anchor.from, "base64")));
    assert.equal(Y.createAbsolutePositionFromRelativePosition(from, room.doc).index, 4, "Yjs reads it");
    await page.evaluate((given) => window.editor.showComments([{ id: "c1", ...given, resolved: false }]), anchor);
    room.edit(0, 0, "zero ");
    await until("moved", async () => (await text(page)).startsWith("zero"));
    await until("underlined", async () => (await page.locator(".note-comment").innerText()) === "two");
    await page.locator(".note-comment").click();
    await page.waitForFunction(() => window.seen.comments.length > 0);
    assert.deepEqual(await page.evaluate(() => window.seen.comments), ["c1"]);
  });

  test("the state is said as it is: not saving, read-only, refused, gone", LIMIT, async () => {
    const { id, room } = stage.note("one\n");
    const page = await open(id);
    room.stores = false;
    room.state(1, "The database is away; your words are kept on this device.");
    await field(page).press("Control+End");
    await page.keyboard.type("x");
    const unsaved = await status(page, "unsaved");
    assert.match(unsaved.reason, /database is away/);
    room.stores = true;
    room.state(0, "");
    room.report();
    await status(page, "saved");
    room.state(2, "Too much is waiting.");
    assert.equal((await status(page, "read_only")).reason, "Too much is waiting.");
    await until("it takes nothing", async () => (await field(page).getAttribute("contenteditable")) === "false");
    room.state(0, "");
    await status(page, "saved");
    room.close(4508, "resync");
    await until("attached again at once", () => room.members === 1);
    await status(page, "saved");
    await until("it takes words", async () => (await field(page).getAttribute("contenteditable")) === "true");
    await page.keyboard.type("y");
    await until("and in step", () => room.text.toString() === "one\nxy");
    room.close(4403, "");
    assert.match((await status(page, "read_only")).reason, /no longer have access/);
    await until("it takes nothing more", async () => (await field(page).getAttribute("contenteditable")) === "false");
  });

  test("two tabs of one browser see one another without network, and nothing is sent twice", LIMIT, async () => {
    const { id, room } = stage.note("start\n");
    const context = await stage.browser();
    contexts.push(context);
    const pages = [await stage.open(context, id), await stage.open(context, id)];
    stage.cut();
    for (const page of pages) await status(page, "offline");
    await field(pages[0]).press("Control+End");
    await pages[0].keyboard.type("first ");
    await until("seen in the other tab", async () => (await text(pages[1])) === "start\nfirst ");
    await pages[1].bringToFront();
    await field(pages[1]).press("Control+End");
    await pages[1].keyboard.type("second");
    await until("and back", async () => (await text(pages[0])) === "start\nfirst second");
    stage.mend();
    for (const page of pages) await status(page, "saved");
    await until("the room has it", () => room.text.toString() === "start\nfirst second");
    for (const page of pages) await until("and both tabs", async () => (await text(page)) === "start\nfirst second");
  });

  test("an account's notes are removed from the device at sign-out", LIMIT, async () => {
    const { id } = stage.note("one\n");
    const page = await open(id);
    await until("it is kept", async () => (await page.evaluate((account) => window.library.offlineNotes(account), "0190c0de-0000-7000-8000-000000000001"))[0]?.id === id);
    await page.evaluate(() => window.editor.destroy());
    await page.evaluate((account) => window.library.clear(account), "0190c0de-0000-7000-8000-000000000001");
    assert.deepEqual(await page.evaluate(() => indexedDB.databases()), []);
    assert.equal(await page.evaluate(() => localStorage.getItem("sidebar.account")), null);
  });
});
