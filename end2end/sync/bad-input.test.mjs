// What no well-behaved client sends to a note's doors, and what follows: a status or a close code that says
// why, memory that stays bounded, and nothing lost for the others.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { after, afterEach, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import * as awareness from "y-protocols/awareness";
import * as Y from "yjs";
import { until } from "../process.mjs";
import * as wire from "./frames.mjs";
import { Line } from "./line.mjs";
import { Own, Standard, fetched } from "./replica.mjs";
import { LIMIT, Server } from "./server.mjs";

const [MALFORMED, NO_ACCESS, TOO_LARGE] = [4400, 4403, 4413];
const MEGABYTE = 1 << 20;

let server;
const open = [];
before(async () => (server = await Server.start()), LIMIT);
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});
after(() => server?.end(), LIMIT);

function kept(one) {
  open.push(one);
  return one;
}

/** Two people who have the note open, one by each door. */
async function people(note) {
  const both = [new Own({ server, note }), new Standard({ server, note })].map(kept);
  for (const one of both) one.join();
  await until("both synchronised", () => both.every((one) => one.synced));
  return both;
}

/** They can still write to each other, on the same lines, and the server has it. */
async function goOn(note, [one, other]) {
  const closed = [one, other].map((replica) => replica.closed.length);
  one.edit((text) => text.insert(0, "still "));
  await until("the other has it", () => other.text.toString().startsWith("still "));
  other.edit((text) => text.insert(0, "and "));
  await until("the first has it, and all is saved", () => one.text.toString().startsWith("and still ") && one.saved);
  assert.equal(await server.content(note), one.text.toString());
  assert.deepEqual([one, other].map((replica) => replica.closed.length), closed, "nobody was let go");
}

async function residentMegabytes() {
  const status = await readFile(`/proc/${server.pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)[1]) / 1024;
}

/** What it is once what went before is done with. */
async function restingMegabytes() {
  let before = await residentMegabytes();
  for (let look = 0; look < 20; look++) {
    await pause(250);
    const now = await residentMegabytes();
    if (Math.abs(now - before) < 1) return now;
    before = now;
  }
  return before;
}

/** What the resident memory reached at its highest while `work` went on, beyond what it was. */
async function growthDuring(work) {
  const before = await restingMegabytes();
  let highest = before;
  const look = async () => (highest = Math.max(highest, await residentMegabytes()));
  const timer = setInterval(() => look().catch(() => {}), 100);
  try {
    await work();
    await look();
  } finally {
    clearInterval(timer);
  }
  return highest - before;
}

function textUpdate(text) {
  const doc = new Y.Doc();
  doc.getText("content").insert(0, text);
  return Y.encodeStateAsUpdate(doc);
}

const NONSENSE = [
  ["nothing at all", Uint8Array.of()],
  ["an unknown type", Uint8Array.of(77, 1, 2)],
  ["a length that lies", Uint8Array.of(wire.SYNC, wire.UPDATE, 0xff, 0xff, 0xff, 0x7f, 1)],
  ["a number without an end", new Uint8Array(12).fill(0xff)],
  ["bytes that are no update", wire.message(wire.SYNC, wire.UPDATE, Uint8Array.of(9, 9, 9, 9))],
  ["an update cut off", wire.message(wire.SYNC, wire.UPDATE, textUpdate("cut off").subarray(0, 9))],
  ["a state vector that is none", wire.message(wire.SYNC, wire.STEP_1, Uint8Array.of(5, 1))],
  ["awareness that is no text", wire.message(wire.AWARENESS, Uint8Array.of(1, 1, 1, 2, 0xc3, 0x28))],
];

test("a malformed message ends its sender's line, with a code that says so", LIMIT, async () => {
  const note = await server.note("Here we are.");
  const both = await people(note);
  for (const [what, bytes] of NONSENSE) {
    const standard = kept(await Line.standard(server, note).open());
    await standard.everything();
    standard.raw(bytes);
    assert.equal((await standard.end()).code, MALFORMED, `${what}, by y-websocket's door`);
    const own = kept(await Line.own(server, note).open());
    await own.everything();
    own.raw(bytes);
    const { code } = await own.hears("closed", ({ type }) => type === wire.CLOSED);
    assert.equal(code, MALFORMED, `${what}, by our frames`);
    // The socket is the whole app's: it stays, and the note can be joined again.
    own.say(wire.ATTACH);
    await own.hears("attached again", ({ type }) => type === wire.ATTACHED);
  }
  await goOn(note, both);
});

test("a text frame on y-websocket's door is refused", LIMIT, async () => {
  const note = await server.note();
  const line = kept(await Line.standard(server, note).open());
  line.socket.send("hello");
  assert.equal((await line.end()).code, MALFORMED);
});

test("an update that refers to what nobody has waits, and harms nobody", LIMIT, async () => {
  const note = await server.note("Here we are.");
  const both = await people(note);
  const doc = new Y.Doc();
  const updates = [];
  doc.on("update", (update) => updates.push(update));
  for (const letter of "abc") doc.getText("content").insert(doc.getText("content").length, letter);
  const line = kept(await Line.standard(server, note).open());
  line.say(wire.SYNC, wire.UPDATE, updates[2]);
  line.say(wire.SYNC, wire.UPDATE, updates[1]);
  await line.everything();
  for (const replica of both) assert.equal(replica.doc.store.pendingStructs, null, "others do not get it");
  await goOn(note, both);
  assert.equal((await fetched(server, note)).store.pendingStructs, null);
  line.say(wire.SYNC, wire.UPDATE, updates[0]);
  await until("it is whole now", () => both.every((replica) => replica.text.toString().includes("abc")));
  await goOn(note, both);
});

test("deletions of what nobody has are no harm either", LIMIT, async () => {
  const note = await server.note("Here we are.");
  const both = await people(note);
  // No structs; one client's clocks 5 to 9 deleted.
  const line = kept(await Line.standard(server, note).open());
  line.say(wire.SYNC, wire.UPDATE, Uint8Array.of(0, 1, 123, 1, 5, 5));
  await line.everything();
  await goOn(note, both);
});

test("an update of 50 MB is refused by both doors, and memory stays bounded", LIMIT, async (t) => {
  const note = await server.note("Here we are.");
  const both = await people(note);
  const huge = textUpdate("x".repeat(50 * MEGABYTE));
  const growth = await growthDuring(async () => {
    for (const make of [Line.standard, Line.own]) {
      const line = kept(await make(server, note).open());
      await line.everything();
      line.say(wire.SYNC, wire.UPDATE, huge);
      const { code } = await line.end();
      // The rest of what is under way may be answered with a reset.
      assert.ok([TOO_LARGE, 1009, 1006].includes(code), `closed with ${code}`);
    }
  });
  t.diagnostic(`${growth.toFixed(0)} MB more`);
  assert.ok(growth < 120, `${growth.toFixed(0)} MB more`);
  await goOn(note, both);
});

// Before the large updates: what the server still does with those would be counted here.
test("a flood of awareness reaches others at a pace, and no states pile up", LIMIT, async (t) => {
  const note = await server.note("Here we are.");
  const both = await people(note);
  let frames = 0;
  both[1].provider.ws.addEventListener("message", () => (frames += 1));
  const line = kept(await Line.standard(server, note).open());
  await line.everything();
  const doc = new Y.Doc();
  const states = new awareness.Awareness(doc);
  kept({ close: () => states.destroy() });
  let seconds = 0;
  const growth = await growthDuring(async () => {
    const began = Date.now();
    frames = 0;
    for (let turn = 0; turn < 20_000; turn++) {
      states.setLocalState({ user: { name: "Flood" }, padding: "p".repeat(500), turn });
      line.say(wire.AWARENESS, awareness.encodeAwarenessUpdate(states, [doc.clientID]));
      if (turn % 500 === 0) await pause(1);
    }
    await line.everything();
    seconds = (Date.now() - began) / 1000;
  });
  assert.ok(frames / seconds < 40, `${(frames / seconds).toFixed(0)} frames a second`);
  // Very many clients behind one line, and one state that is a book.
  for (let client = 1; client <= 5000; client += 500) {
    const many = Array.from({ length: 500 }, (_, n) => [client + n, 1, JSON.stringify({ user: { name: "Crowd" } })]);
    line.say(wire.AWARENESS, statesOf(many));
  }
  line.say(wire.AWARENESS, statesOf([[7777, 1, JSON.stringify({ book: "b".repeat(2 * MEGABYTE) })]]));
  await line.everything().catch(() => {});
  await pause(300);
  const seen = both[1].provider.awareness.getStates().size;
  assert.ok(seen < 50, `${seen} states`);
  t.diagnostic(`${(frames / seconds).toFixed(0)} frames a second, ${seen} states, ${growth.toFixed(0)} MB more`);
  assert.ok(growth < 80, `${growth.toFixed(0)} MB more`);
  await goOn(note, both);
});

test("a note of 12 MB can be opened; past its bound it takes no more, with a code that says so", LIMIT, async (t) => {
  const note = await server.note();
  let ended = null;
  let parts = 0;
  const growth = await growthDuring(async () => {
    for (; parts < 12 && !ended; parts++) {
      const line = kept(await Line.standard(server, note).open());
      line.say(wire.SYNC, wire.UPDATE, textUpdate("y".repeat(12 * MEGABYTE)));
      if (parts === 0) assert.ok((await line.everything()).length >= 12 * MEGABYTE, "it comes back whole");
      // Answered once the update was looked at.
      else await line.answers().catch(() => {});
      ended = line.ended;
      line.close();
    }
  });
  t.diagnostic(`${parts} parts of 12 MB, ${growth.toFixed(0)} MB more`);
  assert.equal(ended?.code, TOO_LARGE);
});

function statesOf(states) {
  const parts = states.flatMap(([client, clock, json]) => [client, clock, Buffer.from(json)]);
  return wire.message(states.length, ...parts);
}

test("whoever never reads is let go, and costs a bounded amount of memory", LIMIT, async (t) => {
  const note = await server.note("Here we are.");
  const both = await people(note);
  const deaf = connect(server.port, "127.0.0.1");
  kept({ close: () => deaf.destroy() });
  deaf.on("error", () => {});
  const ended = new Promise((resolve) => deaf.once("close", resolve));
  const path = `/api/v1/sync/${note}?token=${server.owner.key}`;
  deaf.write(
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n",
  );
  // The answer has come, and is not read either.
  await once(deaf, "readable");
  await pause(200);
  const growth = await growthDuring(async () => {
    // 40 MB in all, put in and taken out again, so that the note itself stays small.
    for (let turn = 0; turn < 400; turn++) {
      both[0].edit((text) => text.insert(0, "z".repeat(100_000)));
      both[0].edit((text) => text.delete(0, 100_000));
      await pause(2);
    }
    await until("the other has all", () => both[1].text.toString() === both[0].text.toString());
  });
  t.diagnostic(`${growth.toFixed(0)} MB more`);
  assert.ok(growth < 250, `${growth.toFixed(0)} MB more`);
  await goOn(note, both);
  deaf.resume();
  const late = pause(60_000, "late", { ref: false });
  assert.notEqual(await Promise.race([ended, late]), "late", "the connection ends");
});

test("who may not come in is told so before the line opens", LIMIT, async () => {
  const note = await server.note("Mine.");
  const other = await server.note("Also mine.");
  const stranger = await server.person();
  const ticket = await server.call("POST", `/notes/${other}/ticket`);
  const outcome = async (line) => (await kept(line).end()).status;
  const by = (key, headers) => outcome(Line.standard(server, note, { key, headers }));
  assert.equal(await by(null), 401, "nobody");
  assert.equal(await by("sb_sk_wrong"), 401, "a wrong key");
  assert.equal(await by(ticket.token), 401, "a ticket for another note");
  assert.equal(await by(`${ticket.token.slice(0, -3)}AAA`), 401, "a ticket that was changed");
  assert.ok([403, 404].includes(await by(stranger.key)), "somebody else's note");
  assert.equal(await outcome(Line.standard(server, "not-an-id")), 404, "no id");
  assert.equal(await outcome(Line.standard(server, crypto.randomUUID())), 404, "no such note");
  const page = { origin: "https://elsewhere.example" };
  assert.equal(await by(server.owner.key, page), 403, "a page of another site");
});

test("a ticket opens its own note, until its key is taken back", LIMIT, async () => {
  const note = await server.note("Mine.");
  const person = await server.person();
  await server.call("POST", `/notes/${note}/shares`, { email: person.email, access: "edit" });
  const { token } = await server.call("POST", `/notes/${note}/ticket`, undefined, person.key);
  const line = kept(await Line.standard(server, note, { key: token }).open());
  await line.everything();
  const keys = await server.call("GET", "/keys", undefined, person.key);
  await server.call("DELETE", `/keys/${keys[0].id}`, undefined, person.key);
  const { status } = await kept(Line.standard(server, note, { key: token })).end();
  assert.equal(status, 401, "the key is gone");
});

test("by our frames, somebody else's note is as absent as one that never was", LIMIT, async () => {
  const stranger = await server.person();
  for (const note of [await server.note("Mine."), crypto.randomUUID()]) {
    const line = kept(await Line.own(server, note, { key: stranger.key }).open());
    const { code } = await line.hears("closed", ({ type }) => type === wire.CLOSED);
    assert.equal(code, 4404);
  }
});

test("a viewer cannot write, neither by attaching nor later, and goes on reading", LIMIT, async () => {
  const note = await server.note("Here we are.");
  const both = await people(note);
  const reader = await server.person();
  await server.call("POST", `/notes/${note}/shares`, { email: reader.email, access: "view" });
  const state = textUpdate("What a viewer brought along.");
  for (const Kind of [Own, Standard]) {
    const viewer = kept(new Kind({ server, note, key: reader.key, state }));
    viewer.join();
    await until("the viewer sees the text", () => viewer.text.toString().includes("Here we are."));
    viewer.edit((text) => text.insert(0, "What a viewer typed."));
    await goOn(note, both);
    const read = () => viewer.text.toString().replace("What a viewer typed.", "").replace("What a viewer brought along.", "");
    await until("the viewer goes on reading", () => read() === both[0].text.toString());
    assert.ok(!(await server.content(note)).includes("viewer"));
    assert.deepEqual(viewer.promised, [], "nothing of theirs is reported saved");
    both[0].edit((text) => text.delete(0, "and still ".length));
  }
});

test("access that is taken back ends open lines, and what is granted again is counted anew", LIMIT, async () => {
  const note = await server.note("Here we are.");
  const both = await people(note);
  const guest = await server.person();
  const share = await server.call("POST", `/notes/${note}/shares`, { email: guest.email, access: "edit" });
  const replica = kept(new Own({ server, note, key: guest.key }));
  replica.join();
  await until("the guest is in", () => replica.synced && replica.saved);
  replica.edit((text) => text.insert(0, "guest "));
  await until("it is saved", () => replica.saved && replica.promised.length > 0);
  await server.call("DELETE", `/notes/${note}/shares/${share.id}`);
  await until("the line has ended", () => replica.closed.some(([code]) => code === NO_ACCESS || code === 4404));
  await server.call("POST", `/notes/${note}/shares`, { email: guest.email, access: "view" });
  await until("the guest may read", () => replica.synced && replica.access === 0);
  replica.edit((text) => text.insert(0, "refused "));
  await pause(200);
  const promised = replica.promised.length;
  await server.call("POST", `/notes/${note}/shares`, { email: guest.email, access: "edit" });
  await until("the guest may write again", () => replica.access === 2 && replica.synced && replica.saved);
  replica.edit((text) => text.insert(0, "again "));
  await until("the others have it", () => both[0].text.toString().startsWith("again "));
  await until("it is reported saved", () => replica.saved && replica.promised.length > promised);
  const stored = await fetched(server, note);
  assert.equal(stored.getText("content").toString(), replica.text.toString(), "what the guest sees is what is stored");
});

test("a text with a character that Postgres does not take is kept, and the note goes on", LIMIT, async () => {
  const note = await server.note("Here we are.");
  const both = await people(note);
  both[0].edit((text) => text.insert(0, "nul \u0000 nul "));
  await until("the other has it", () => both[1].text.toString().startsWith("nul \u0000"));
  await pause(1500);
  await goOn(note, both);
  const { status } = await server.ask("GET", "/notes");
  assert.equal(status, 200);
});

test("who makes something else of the text does not make the note unreadable", LIMIT, async () => {
  const note = await server.note("Here we are.");
  const both = await people(note);
  const doc = new Y.Doc();
  doc.getMap("content").set("a", 1);
  doc.getArray("content-of-another-kind").push([new Y.Map(), 1, "two"]);
  const line = kept(await Line.standard(server, note).open());
  line.say(wire.SYNC, wire.UPDATE, Y.encodeStateAsUpdate(doc));
  await line.everything();
  await goOn(note, both);
  const embed = new Y.Doc();
  embed.getText("content").insertEmbed(0, { image: "a.png" });
  line.say(wire.SYNC, wire.UPDATE, Y.encodeStateAsUpdate(embed));
  await line.everything();
  const { status } = await server.ask("GET", `/notes/${note}`);
  assert.equal(status, 200);
});
