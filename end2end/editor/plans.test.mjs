// Random plans, the same for the same seed: three editors, two of them tabs of one browser, and somebody
// with another program write, go away, come back, reload and undo. In the end all have the same text,
// and nothing is counted as unsaved. EDITOR_PLANS is how many, EDITOR_SEED replays one.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ACCOUNT, LIMIT, Stage, openIn, random, status, text, until } from "./stage.mjs";

const PLANS = Number(process.env.EDITOR_PLANS ?? 6);
const SEED = process.env.EDITOR_SEED;
const PIECES = ["a", "bc ", "😀", "e\u0301", "\n", "- [ ] x\n", "**b**", "| t |", "שלום", "日本"];
const STEPS = 45;

describe("plans", () => {
  let stage;
  before(async () => (stage = await Stage.start()), LIMIT);
  after(() => stage?.end(), LIMIT);

  const edit = (page, where, length, piece) =>
    page.evaluate(
      ([share, count, insert]) => {
        const { view } = window.editor;
        const chars = Array.from(view.state.doc.toString());
        const at = Math.floor(share * chars.length);
        const unit = (n) => chars.slice(0, n).join("").length;
        view.dispatch({ changes: { from: unit(at), to: unit(Math.min(at + count, chars.length)), insert }, userEvent: "input" });
      },
      [where, length, piece],
    );

  async function run(seed) {
    const next = random(seed);
    const { id, room } = stage.note("the beginning\n");
    const contexts = [await stage.browser(), await stage.browser()];
    const pages = [];
    for (const context of [contexts[0], contexts[0], contexts[1]]) pages.push(await stage.open(context, id));
    for (let step = 0; step < STEPS; step++) {
      const page = pages[next(pages.length)];
      const [what, share, length, piece] = [next(20), next(1000) / 1000, next(6), PIECES[next(PIECES.length)]];
      if (what < 11) await edit(page, share, what < 8 ? 0 : length, piece);
      else if (what < 13) await page.evaluate(() => window.line.cut());
      else if (what < 16) await page.evaluate(() => window.line.mend());
      else if (what < 17) await page.keyboard.press("Control+z");
      else if (what < 18) {
        await page.waitForTimeout(60); // what is typed is stored within 50 ms
        await page.reload();
        await openIn(page, id, { synchronised: false });
      } else {
        const chars = Array.from(room.text.toString());
        const at = Math.floor(share * chars.length);
        room.edit(chars.slice(0, at).join("").length, chars.slice(0, Math.min(at + length, chars.length)).join("").length, piece);
      }
      if (next(4) === 0) await page.waitForTimeout(next(40));
    }
    for (const page of pages) await page.evaluate(() => window.line.mend());
    for (const page of pages) await status(page, "saved");
    for (const page of pages) {
      await until("the same text", async () => (await text(page)) === room.text.toString()).catch(() => {});
      assert.equal(await text(page), room.text.toString(), `seed ${seed}`);
      assert.equal(await page.evaluate(() => window.editor.session.replica.text()), room.text.toString(), `seed ${seed}, the replica`);
      await until("nothing unsaved", async () => (await page.evaluate((account) => window.library.unsavedIn(account), ACCOUNT.id)) === 0);
    }
    assert.deepEqual(contexts.flatMap((context) => context.wrongs), [], `seed ${seed}`);
    for (const context of contexts) await context.close();
  }

  const seeds = SEED ? [Number(SEED)] : Array.from({ length: PLANS }, (_, n) => n + 1);
  for (const seed of seeds) test(`seed ${seed}`, LIMIT, () => run(seed));
});
