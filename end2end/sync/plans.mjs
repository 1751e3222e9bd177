// Seeded random plans around one note: people join, leave, type, go offline, come back, reload and undo,
// programs change the whole text, the server is killed, its database too. At the end everybody must have
// the same, the server as well, and nothing that was reported saved may be missing.
//
// The same seed makes the same plan. What the network does in between is the machine's own choice.

import { setTimeout as pause } from "node:timers/promises";
import * as Y from "yjs";
import { seeded } from "./random.mjs";
import { Own, Standard, fetched, holds } from "./replica.mjs";

/** A killed database is back within this, on a machine that does much else too. */
const PATIENCE_MS = 90_000;
const MOST_REPLICAS = 5;

/** Letters, marks that combine, pairs of surrogates, families, right to left, lines and Markdown. */
const PIECES = [
  "a", "word ", "two words ", "\n", "\n- [ ] to do\n", "**bold**", "é", "e\u0301\u0323", "👍", "👩‍👩‍👧‍👦", "🏳️‍🌈", "𝒳𝒴", "שלום ", "مرحبا ", "漢字", "ﬁ", "\u200d", "\t",
];

/** What may happen, and how often compared with the rest. */
const ACTIONS = [
  [30, insert],
  [10, remove],
  [5, move],
  [6, undo],
  [3, redo],
  [6, toggle],
  [4, join],
  [2, reload],
  [2, leave],
  [3, annotate],
  [3, patch],
];

/** One plan, played against a running server. */
export class Plan {
  constructor(seed) {
    this.seed = seed;
    this.random = seeded(seed);
    this.replicas = [];
    this.gone = [];
    /** What happened, to be read when it went wrong. */
    this.story = [];
    this.steps = 20 + this.below(25);
    this.crashAt = this.chance(0.2) ? this.below(this.steps) : null;
    this.databaseAt = this.chance(0.12) ? this.below(this.steps) : null;
  }

  below(limit) {
    return Math.floor(this.random() * limit);
  }

  chance(share) {
    return this.random() < share;
  }

  pick(list) {
    return list[this.below(list.length)];
  }

  tell(what) {
    this.story.push(what);
  }

  /** Plays it and compares; what is to be there for ever is kept for `endures`. */
  async play(server) {
    this.server = server;
    this.note = await server.note(this.chance(0.5) ? "# A note\n\nwith a beginning 👋\n" : undefined);
    let fault = Promise.resolve();
    try {
      join(this);
      join(this);
      for (let step = 0; step < this.steps; step++) {
        if (step === this.crashAt) fault = fault.then(() => this.#crash());
        if (step === this.databaseAt) fault = fault.then(() => this.#loseDatabase());
        await this.#act();
        if (this.chance(0.5)) await pause(this.below(25));
      }
      await fault;
      await this.#agree();
      this.text = this.replicas[0].text.toString();
      this.promised = this.everybody.flatMap((replica) => replica.promised);
      this.received = this.everybody.flatMap((replica) => replica.received);
      this.compare(await fetched(server, this.note), "somebody who comes at the end");
    } finally {
      await fault.catch(() => {});
      for (const replica of this.replicas) replica.close();
    }
  }

  /** After everybody has left and the server was started again: only what it stored is left. */
  async endures(server) {
    this.compare(await fetched(server, this.note), "somebody who comes after a restart");
    const content = await server.content(this.note);
    if (content !== this.text) throw new Error(`the text after a restart is another: ${differing(content, this.text)}`);
  }

  compare(doc, who) {
    const text = doc.getText("content").toString();
    if (text !== this.text) throw new Error(`${who} sees another text: ${differing(text, this.text)}`);
    for (const [updates, what] of [[this.promised, "was reported saved"], [this.received, "others had received"]]) {
      const lost = updates.filter((update) => !holds(doc, update)).length;
      if (lost > 0) throw new Error(`${who} lacks ${lost} of ${updates.length} updates that ${what}`);
    }
  }

  get everybody() {
    return [...this.replicas, ...this.gone];
  }

  async #act() {
    const total = ACTIONS.reduce((sum, [weight]) => sum + weight, 0);
    let place = this.below(total);
    for (const [weight, action] of ACTIONS) {
      if (place < weight) return action(this);
      place -= weight;
    }
  }

  async #crash() {
    this.tell("the server is killed");
    await this.server.crash();
    this.tell("the server is back");
  }

  async #loseDatabase() {
    this.tell("the database is killed");
    await this.server.loseDatabase();
  }

  async #agree() {
    if (this.replicas.length === 0) join(this);
    for (const replica of this.replicas) replica.join();
    const end = Date.now() + PATIENCE_MS;
    let why = "";
    do {
      why = this.#difference() ?? (await this.#onServer());
      if (why === null) return;
      await pause(15);
    } while (Date.now() < end);
    throw new Error(`no agreement within ${PATIENCE_MS} ms: ${why}`);
  }

  /** Why the replicas do not agree yet. */
  #difference() {
    const [first, ...rest] = this.replicas;
    for (const [place, replica] of this.replicas.entries()) {
      if (!replica.synced) return `replica ${place} is not synchronised; its line was closed with ${JSON.stringify(replica.closed)}`;
      if (replica.saved === false) return `replica ${place} waits to hear that its updates are saved`;
      if (waits(replica.doc)) return `replica ${place} waits for something missing`;
    }
    for (const [place, replica] of rest.entries()) {
      if (state(replica.doc) !== state(first.doc)) {
        return `replica 0 and replica ${place + 1} differ: ${differing(first.text.toString(), replica.text.toString())}`;
      }
    }
    return null;
  }

  async #onServer() {
    const { status, data } = await this.server.ask("GET", `/notes/${this.note}`);
    if (status !== 200) return `the server answers ${status}`;
    const text = this.replicas[0].text.toString();
    return data.content === text ? null : `the server's text is another: ${differing(data.content, text)}`;
  }
}

/** What a document is, apart from who knows it. */
function state(doc) {
  const clocks = [...Y.decodeStateVector(Y.encodeStateVector(doc))].sort(([one], [other]) => one - other);
  const meta = Object.entries(doc.getMap("meta").toJSON()).sort();
  return JSON.stringify([clocks, doc.getText("content").toString(), meta]);
}

function waits(doc) {
  return doc.store.pendingStructs !== null || doc.store.pendingDs !== null;
}

function differing(one, other) {
  let at = 0;
  while (at < one.length && one[at] === other[at]) at += 1;
  const cut = (text) => JSON.stringify(text.slice(Math.max(0, at - 10), at + 20));
  return `${one.length} and ${other.length} units, at ${at}: ${cut(one)} and ${cut(other)}`;
}

function anybody(plan) {
  return plan.replicas.length > 0 ? plan.pick(plan.replicas) : join(plan);
}

/** A place in the text that is not inside of a character. */
function place(plan, text) {
  const at = plan.below(text.length + 1);
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code <= 0xdfff ? at - 1 : at;
}

function range(plan, text, longest) {
  const from = place(plan, text);
  const to = from + plan.below(Math.min(longest, text.length - from) + 1);
  const code = text.charCodeAt(to);
  return [from, code >= 0xdc00 && code <= 0xdfff ? to + 1 : to];
}

function insert(plan) {
  const replica = anybody(plan);
  const at = place(plan, replica.text.toString());
  const piece = Array.from({ length: 1 + plan.below(4) }, () => plan.pick(PIECES)).join("");
  // Either in one go, or as it is typed.
  const parts = plan.chance(0.5) ? [piece] : [...piece];
  let done = at;
  for (const part of parts) {
    replica.edit((text) => text.insert(done, part));
    done += part.length;
  }
  plan.tell(`${plan.replicas.indexOf(replica)} types ${JSON.stringify(piece)} at ${at}`);
}

function remove(plan) {
  const replica = anybody(plan);
  const [from, to] = range(plan, replica.text.toString(), 12);
  if (from < to) replica.edit((text) => text.delete(from, to - from));
  plan.tell(`${plan.replicas.indexOf(replica)} deletes ${from}..${to}`);
}

function move(plan) {
  const replica = anybody(plan);
  const whole = replica.text.toString();
  const [from, to] = range(plan, whole, 20);
  const piece = whole.slice(from, to);
  const target = place(plan, whole.slice(0, from) + whole.slice(to));
  if (piece.length > 0) {
    replica.edit((text) => {
      text.delete(from, piece.length);
      text.insert(target, piece);
    });
  }
  plan.tell(`${plan.replicas.indexOf(replica)} moves ${from}..${to} to ${target}`);
}

function undo(plan) {
  const replica = anybody(plan);
  replica.undo.undo();
  plan.tell(`${plan.replicas.indexOf(replica)} takes back`);
}

function redo(plan) {
  const replica = anybody(plan);
  replica.undo.redo();
  plan.tell(`${plan.replicas.indexOf(replica)} does it again`);
}

function toggle(plan) {
  const replica = anybody(plan);
  plan.tell(`${plan.replicas.indexOf(replica)} goes ${replica.online ? "offline" : "online"}`);
  if (replica.online) replica.leave();
  else replica.join();
}

function join(plan) {
  if (plan.replicas.length >= MOST_REPLICAS) return plan.pick(plan.replicas);
  const Kind = plan.chance(0.5) ? Own : Standard;
  const replica = new Kind({ server: plan.server, note: plan.note });
  plan.replicas.push(replica);
  replica.join();
  plan.tell(`${plan.replicas.length - 1} joins as ${Kind.name}`);
  return replica;
}

function reload(plan) {
  const before = anybody(plan);
  const at = plan.replicas.indexOf(before);
  const state = before.stored();
  before.close();
  plan.gone.push(before);
  const after = new before.constructor({ server: plan.server, note: plan.note, state });
  plan.replicas[at] = after;
  if (plan.chance(0.7)) after.join();
  plan.tell(`${at} reloads`);
}

function leave(plan) {
  if (plan.replicas.length < 2) return;
  const at = plan.below(plan.replicas.length);
  const [replica] = plan.replicas.splice(at, 1);
  replica.close();
  plan.gone.push(replica);
  plan.tell(`${at} leaves for good`);
}

/** Something beside the text: the server keeps whatever types a client uses. */
function annotate(plan) {
  const replica = anybody(plan);
  replica.doc.getMap("meta").set(plan.pick(["colour", "order", "size"]), plan.below(1000));
}

async function patch(plan) {
  const path = `/notes/${plan.note}`;
  const asked = await plan.server.ask("GET", path).catch(() => ({ status: 0 }));
  if (asked.status !== 200) return;
  const whole = asked.data.content;
  const [from, to] = range(plan, whole, 8);
  const content = whole.slice(0, from) + plan.pick(PIECES) + whole.slice(to);
  const { status } = await plan.server.ask("PATCH", path, { content }).catch(() => ({ status: 0 }));
  plan.tell(`a program replaces ${from}..${to}: ${status}`);
}
