// Random sets of updates as Yjs makes them when several people write at once, with what Yjs itself makes of
// them: the oracle. Run as a program it prints one set a line, as JSON, for tests in other languages.
//
//   node end2end/sync/updates.mjs <sets> <seed>

import { pathToFileURL } from "node:url";
import * as Y from "yjs";
import { seeded } from "./random.mjs";

const PIECES = ["a", "bc", "def ", "\n", "👍", "👩‍👩‍👧‍👦", "e\u0301", "שלום", "漢字"];

/** The updates in the order in which they were made, an order in which they may arrive, and the outcome. */
export function set(seed) {
  const random = seeded(seed);
  const below = (limit) => Math.floor(random() * limit);
  const updates = [];
  const docs = Array.from({ length: 2 + below(3) }, (_, place) => {
    const doc = new Y.Doc();
    doc.clientID = seed * 10 + place + 1;
    doc.on("update", (update, origin) => origin !== "remote" && updates.push(update));
    return doc;
  });
  for (let step = 10 + below(40); step > 0; step--) {
    const doc = docs[below(docs.length)];
    if (random() < 0.25) {
      const other = docs[below(docs.length)];
      Y.applyUpdate(doc, Y.encodeStateAsUpdate(other, Y.encodeStateVector(doc)), "remote");
    } else {
      edit(doc, below, random);
    }
  }
  const oracle = new Y.Doc();
  for (const update of updates) Y.applyUpdate(oracle, update);
  return { updates, order: shuffled(updates.length, below, random), text: oracle.getText("content").toString() };
}

function edit(doc, below, random) {
  const text = doc.getText("content");
  const whole = text.toString();
  const boundary = (at) => (/[\udc00-\udfff]/.test(whole[at] ?? "") ? at - 1 : at);
  const from = boundary(below(whole.length + 1));
  const to = boundary(Math.min(whole.length, from + below(6)));
  doc.transact(() => {
    if (random() < 0.4 && to > from) text.delete(from, to - from);
    if (random() < 0.8) text.insert(from, PIECES[below(PIECES.length)]);
  });
}

/** All of them, out of order, some of them twice. */
function shuffled(count, below, random) {
  const order = Array.from({ length: count }, (_, at) => at);
  for (let at = count - 1; at > 0; at--) {
    const other = below(at + 1);
    [order[at], order[other]] = [order[other], order[at]];
  }
  return order.flatMap((at) => (random() < 0.2 ? [at, order[below(count)]] : [at]));
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [count, first] = process.argv.slice(2).map(Number);
  for (let seed = first; seed < first + count; seed++) {
    const { updates, order, text } = set(seed);
    console.log(JSON.stringify({ updates: updates.map((update) => Buffer.from(update).toString("base64")), order, text }));
  }
}
