// Yjs as the oracle: updates that reach the server in any order, some of them twice, come out as Yjs has
// them, at once and after the server was killed and has read its log.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as Y from "yjs";
import * as wire from "./frames.mjs";
import { Line } from "./line.mjs";
import { fetched } from "./replica.mjs";
import { LIMIT, LONG_LIMIT, Server } from "./server.mjs";
import { set } from "./updates.mjs";

const SETS = 150;

let server;
before(async () => (server = await Server.start()), LIMIT);
after(() => server?.end(), LIMIT);

function textOf(update) {
  const doc = new Y.Doc();
  Y.applyUpdate(doc, update);
  return doc.getText("content").toString();
}

test("updates in any order, and twice, come out as Yjs has them", LONG_LIMIT, async () => {
  const wrong = [];
  const notes = [];
  for (let seed = 1; seed <= SETS; seed++) {
    const { updates, order, text } = set(seed);
    const note = await server.note();
    const line = await Line.standard(server, note).open();
    for (const at of order) line.say(wire.SYNC, wire.UPDATE, updates[at]);
    if (textOf(await line.everything()) !== text) wrong.push(seed);
    line.close();
    notes.push({ seed, note, text });
  }
  assert.deepEqual(wrong, [], "seeds whose text differs");
  await server.crash();
  for (const { seed, note, text } of notes) {
    const doc = await fetched(server, note);
    if (doc.getText("content").toString() !== text || (await server.content(note)) !== text) wrong.push(seed);
  }
  assert.deepEqual(wrong, [], "seeds whose text differs after a restart");
});
