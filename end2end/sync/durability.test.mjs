// The server is killed while people type. What it had reported as saved, and what anybody else had
// received, is there when it is started again. Everybody leaves before it starts, so that nobody brings
// back what was lost.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import * as Y from "yjs";
import { until } from "../process.mjs";
import { seeded } from "./random.mjs";
import { Own, Standard, fetched, holds } from "./replica.mjs";
import { LIMIT, LONG_LIMIT, Server } from "./server.mjs";

const ROUNDS = 20;
/** Bytes that are on their way when the server dies still arrive. */
const LAST_BYTES_MS = 60;

let server;
before(async () => (server = await Server.start()), LIMIT);
after(() => server?.end(), LIMIT);

/** How many insertions of each client a document has. */
function clocks(doc) {
  return Y.decodeStateVector(Y.encodeStateVector(doc));
}

function type(replica, random) {
  const { length } = replica.text;
  if (length > 10 && random() < 0.15) replica.edit((text) => text.delete(Math.floor(random() * length), 1));
  else replica.edit((text) => text.insert(Math.floor(random() * (length + 1)), "x"));
}

/** One round; gives how much was received by others and how much was promised, and what is missing. */
async function round(seed) {
  const random = seeded(seed);
  const note = await server.note("Before the crash.\n");
  const writers = [Own, Standard, Own, Standard].map((Kind) => new Kind({ server, note }));
  try {
    for (const writer of writers) writer.join();
    await until("all synchronised", () => writers.every((writer) => writer.synced));
    await killWhileTheyType(writers, random, seed);
    return await compared(writers, note);
  } finally {
    // One that is left open connects for ever, and the tests never end.
    for (const writer of writers) writer.close();
  }
}

async function killWhileTheyType(writers, random, seed) {
  let dead = false;
  const typing = writers.map(async (writer) => {
    while (!dead) {
      type(writer, random);
      await pause(1 + Math.floor(random() * 6));
    }
  });
  try {
    // However long a disk that others use takes over the first words.
    await until("some of it is saved", () => writers.some((writer) => writer.promised.length > 10));
    await pause(80 + Math.floor(random() * 400));
    // Sometimes the whole machine, as it were.
    if (seed % 4 === 0) await server.killDatabase();
    await server.kill();
    await pause(LAST_BYTES_MS);
  } finally {
    dead = true;
    await Promise.all(typing);
  }
}

async function compared(writers, note) {
  for (const writer of writers) writer.leave();
  await server.begin();
  const after = await fetched(server, note);
  const stored = clocks(after);
  const [received, lost] = [new Map(), []];
  for (const writer of writers) {
    for (const [client, clock] of clocks(writer.doc)) {
      if (client !== writer.doc.clientID) received.set(client, Math.max(received.get(client) ?? 0, clock));
    }
    const missing = writer.received.filter((update) => !holds(after, update)).length;
    if (missing > 0) lost.push(`${missing} of ${writer.received.length} received updates`);
    const broken = writer.promised.filter((update) => !holds(after, update)).length;
    if (broken > 0) lost.push(`${broken} of ${writer.promised.length} updates reported as saved`);
  }
  for (const [client, clock] of received) {
    const short = clock - (stored.get(client) ?? 0);
    if (short > 0) lost.push(`${short} insertions of client ${client}`);
  }
  assert.equal(await server.content(note), after.getText("content").toString());
  return {
    received: [...received.values()].reduce((sum, clock) => sum + clock, 0),
    promised: writers.reduce((sum, writer) => sum + writer.promised.length, 0),
    lost,
  };
}

test("twenty kills during typing lose nothing that was saved or that others had", LONG_LIMIT, async (t) => {
  const all = [];
  for (let seed = 1; seed <= ROUNDS; seed++) all.push(await round(seed));
  const sum = (of) => all.reduce((total, counts) => total + of(counts), 0);
  const lost = all.flatMap((counts, at) => counts.lost.map((what) => `round ${at + 1}: ${what}`));
  t.diagnostic(`${sum((c) => c.received)} edits that others had received, ${sum((c) => c.promised)} updates reported saved, lost: ${lost.length}`);
  assert.ok(sum((c) => c.received) > 500, "people typed");
  assert.ok(sum((c) => c.promised) > 100, "some was reported saved");
  assert.deepEqual(lost, []);
});
