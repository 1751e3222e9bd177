// Puts one load on one server and prints what it measured as a line of JSON. The server is told apart
// only by its dialect. `cargo xtask bench sync` calls this, once for each row.
//
//   node load.mjs '{"dialect": "y-websocket", "url": "ws://127.0.0.1:1234/{note}", "notes": ["a", "b"],
//                   "pid": 1, "database": 2, "load": "edits", …}'

import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";
import * as Y from "yjs";
import { seeded } from "../../end2end/sync/random.mjs";
import { Dialect, SYNC } from "./dialect.mjs";
import { Live, Sent } from "./live.mjs";
import { Watch, resident } from "./machine.mjs";
import { Raw } from "./raw.mjs";

const PATIENCE_MS = 20_000;
/** Of the clients of a note that only listen, so many are read in full afterwards. */
const READ_IN_FULL = 2;
/** So many connect at a time: how many may wait to be accepted is not what is measured. */
const AT_A_TIME = 50;

const asked = JSON.parse(process.argv[2]);
const dialect = new Dialect(asked.dialect, asked.url);
const random = seeded(1);

const loads = { edits, cursors, notes, history, opening };
const measured = await loads[asked.load](asked);
console.log(JSON.stringify(measured));
process.exit(0);

/** Keystrokes, so many a second in all, spread over the notes and over the live clients of each. */
async function edits({ notes, clients, live, rate, seconds, warmup = 1 }) {
  const rooms = notes.map((note) => ({ note, sent: new Sent(), live: [], raw: [] }));
  const makers = rooms.flatMap((room) =>
    Array.from({ length: clients }, (_, place) => () => {
      const client = place < live ? new Live(dialect, room.note, room) : new Raw(dialect, room.note);
      (place < live ? room.live : room.raw).push(client);
      return client;
    }),
  );
  await connect(makers);
  for (const room of rooms) for (const raw of room.raw) raw.keep();

  const delay = monitorEventLoopDelay({ resolution: 2 });
  const type = (turn) => {
    const { live } = rooms[turn % rooms.length];
    live[Math.floor(turn / rooms.length) % live.length].type(random);
  };
  await paced(rate, warmup, type);
  for (const room of rooms) room.sent.recording = true;
  const watch = new Watch(asked);
  const [processor, began] = [process.cpuUsage(), performance.now()];
  delay.enable();
  const count = await paced(rate, seconds, type);
  delay.disable();
  const elapsed = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(processor);
  const cost = watch.end();
  for (const room of rooms) room.sent.recording = false;

  const settled = await until(() => rooms.every(({ live }) => live.every((client) => same(client, live[0]))));
  await pause(300);
  const wire = [];
  let [frames, wrong] = [0, settled ? 0 : rooms.length];
  for (const room of rooms) {
    room.raw.forEach((raw, place) => {
      if (place < READ_IN_FULL) {
        const { seen, text } = readInFull(raw, room.sent, wire);
        frames += seen;
        if (text !== room.live[0].text.toString()) wrong += 1;
      } else {
        frames += raw.read();
      }
    });
    frames += room.live.reduce((sum, client) => sum + client.frames, 0);
    wrong += (await lateComer(room)) ? 0 : 1;
  }
  const lost = rooms.flatMap(({ live, raw }) => [...live, ...raw]).filter((client) => client.closed);
  return {
    edits_per_second: count / elapsed,
    live_ms: summary(rooms.flatMap(({ sent }) => sent.latencies)),
    wire_ms: summary(wire),
    frames_per_second: frames / (elapsed + warmup),
    driver_percent: ((user + system) / 1e6 / elapsed) * 100,
    driver_delay_ms: delay.percentile(99) / 1e6,
    wrong,
    disconnected: lost.length,
    why: lost[0]?.closed ?? null,
    ...cost,
  };
}

/** Cursors that move in one note, each so many times a second. */
async function cursors({ notes: [note], clients, rate, seconds, warmup = 1 }) {
  const all = Array.from({ length: clients });
  await connect(all.map((_, place) => () => (all[place] = new Live(dialect, note))));
  const latencies = [];
  let recording = false;
  for (const client of all) {
    client.awareness.on("update", ({ added, updated }, origin) => {
      if (origin !== client || !recording) return;
      for (const id of [...added, ...updated]) {
        const at = client.awareness.getStates().get(id)?.at;
        if (id !== client.doc.clientID && at) latencies.push(performance.now() - at);
      }
    });
  }
  const move = (turn) => all[turn % clients].point(turn);
  await paced(rate * clients, warmup, move);
  recording = true;
  const watch = new Watch(asked);
  const [before, began] = [all.reduce((sum, client) => sum + client.frames, 0), performance.now()];
  await paced(rate * clients, seconds, move);
  const elapsed = (performance.now() - began) / 1000;
  const frames = all.reduce((sum, client) => sum + client.frames, 0) - before;
  const cost = watch.end();
  recording = false;
  const ids = all.map((client) => client.doc.clientID);
  const last = (client, id) => client.awareness.getStates().get(id)?.cursor?.anchor;
  const settled = await until(() =>
    all.every((client) => ids.every((id, place) => last(client, id) === last(all[place], id))),
  );
  return {
    frames_per_second: frames / elapsed,
    live_ms: summary(latencies),
    wrong: settled ? 0 : 1,
    disconnected: all.filter((client) => client.closed).length,
    ...cost,
  };
}

/** Many notes with one client each, who wrote a sentence and then does nothing. */
async function notes({ notes }) {
  const before = resident(asked.pid);
  const all = [];
  await connect(notes.map((note) => () => (all[all.length] = new Raw(dialect, note))));
  for (const client of all) client.send(dialect.update(client.note, sentence(`This is what ${client.note} says.`)));
  await pause(3000);
  const after = resident(asked.pid);
  return {
    before_mb: before,
    highest_mb: after,
    wrong: 0,
    disconnected: all.filter((client) => client.closed).length,
  };
}

/** A note that took very many keystrokes, `together` in a message; then it is opened while its writer is there. */
async function history({ notes: [note], keystrokes, together = 1, times }) {
  const writer = new Live(dialect, note);
  await writer.synced;
  const began = performance.now();
  // Words at a place, a slip taken back now and then, then on to another place.
  let place = 0;
  const type = () => {
    if (random() < 0.02) place = Math.floor(random() * (writer.text.length + 1));
    if (place > 0 && random() < 0.25) {
      place -= 1;
      writer.text.delete(place, 1);
    } else {
      writer.text.insert(place, "abcdefghijklmnopqrstuvwxyz "[Math.floor(random() * 27)]);
      place += 1;
    }
  };
  for (let done = 0; done < keystrokes; done += together) {
    writer.doc.transact(() => {
      for (let more = together; more > 0; more--) type();
    });
    if (done % 200 === 0) {
      await pause(0);
      while (writer.waiting > 64 << 10) await pause(1);
    }
  }
  const reader = new Live(dialect, note);
  await reader.synced;
  const settled = await until(() => same(reader, writer), 60_000);
  const seconds = (performance.now() - began) / 1000;
  const { length } = writer.text;
  const opened = await opening({ notes: [note], length, times });
  return {
    ...opened,
    seconds,
    length,
    wrong: opened.wrong + (settled ? 0 : 1),
    disconnected: [writer, reader].filter((client) => client.closed).length,
    why: writer.closed,
  };
}

/** Opening a note: until its bytes are here, and until a Y.Doc shows its text. */
async function opening({ notes: [note], length, times }) {
  const [wire, shown] = [[], []];
  let wrong = 0;
  for (let time = 0; time < times; time++) {
    let began = performance.now();
    const raw = new Raw(dialect, note);
    await within(raw.synced);
    wire.push(raw.arrived - began);
    raw.close();
    began = performance.now();
    const live = new Live(dialect, note);
    await within(live.synced);
    shown.push(live.arrived - began);
    if (live.text.length !== length) wrong += 1;
    live.close();
  }
  return { first_ms: wire[0], wire_ms: summary(wire), live_ms: summary(shown), wrong, highest_mb: resident(asked.pid) };
}

/** Calls `act` so many times a second, whatever the server does meanwhile; gives how often. */
async function paced(rate, seconds, act) {
  const began = performance.now();
  let done = 0;
  for (;;) {
    const elapsed = (performance.now() - began) / 1000;
    const due = Math.floor(Math.min(elapsed, seconds) * rate);
    for (; done < due; done++) act(done);
    if (elapsed >= seconds) return done;
    await pause(1);
  }
}

async function connect(makers) {
  for (let at = 0; at < makers.length; at += AT_A_TIME) {
    await Promise.all(makers.slice(at, at + AT_A_TIME).map((make) => within(make().synced)));
  }
}

function within(promise) {
  const late = pause(PATIENCE_MS, null, { ref: false }).then(() => {
    throw new Error(`not synchronised within ${PATIENCE_MS} ms`);
  });
  return Promise.race([promise, late]);
}

async function until(condition, patience = PATIENCE_MS) {
  const end = performance.now() + patience;
  while (!condition()) {
    if (performance.now() > end) return false;
    await pause(20);
  }
  return true;
}

function same(one, other) {
  return one === other || (one.text.length === other.text.length && one.text.toString() === other.text.toString());
}

/** Whether somebody who comes now gets from the server what the others have. */
async function lateComer({ note, live }) {
  const client = new Live(dialect, note);
  await within(client.synced);
  const agrees = await until(() => same(client, live[0]), 3000);
  client.close();
  return agrees;
}

/** What a listener had on the wire, and how much later than it was typed. */
function readInFull(raw, sent, latencies) {
  const doc = new Y.Doc();
  for (const update of raw.first) Y.applyUpdate(doc, update);
  const seen = raw.read(({ type, step, body }, at) => {
    if (type !== SYNC || step === 0) return;
    for (const { id, length, constructor } of Y.decodeUpdate(body).structs) {
      if (constructor.name !== "Skip") sent.seen(id.client, id.clock, id.clock + length, at, latencies);
    }
    Y.applyUpdate(doc, body);
  });
  const text = doc.getText("content").toString();
  doc.destroy();
  return { seen, text };
}

function sentence(text) {
  const doc = new Y.Doc();
  doc.getText("content").insert(0, text);
  const update = Y.encodeStateAsUpdate(doc);
  doc.destroy();
  return update;
}

function summary(values) {
  if (values.length === 0) return null;
  const sorted = Float64Array.from(values).sort();
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), longest: sorted[sorted.length - 1] };
}
