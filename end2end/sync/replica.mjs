// Replicas of a note as tests have them: a Y.Doc that comes and goes, by y-websocket's own provider from
// npm or by our frames on `/api/v1/ws`. Both write down what they were promised and what they received.

import { setTimeout as pause } from "node:timers/promises";
import WebSocket from "ws";
import * as awareness from "y-protocols/awareness";
import { WebsocketProvider } from "y-websocket";
import * as Y from "yjs";
import { PATIENCE_MS } from "../process.mjs";
import * as wire from "./frames.mjs";

/** A provider asks whether anybody else in this process has the note: no. */
const ALONE = { disableBc: true, maxBackoffTime: 400, WebSocketPolyfill: WebSocket };
const AGAIN_MS = 150;

class Replica {
  /** `state`: what it had stored when it was closed. */
  constructor({ server, note, key, state }) {
    this.server = server;
    this.note = note;
    this.key = key ?? server.owner.key;
    this.doc = new Y.Doc();
    this.text = this.doc.getText("content");
    if (state) Y.applyUpdate(this.doc, state, "stored");
    this.undo = new Y.UndoManager(this.text, { trackedOrigins: new Set(["typing"]), captureTimeout: 0 });
    /** Updates from elsewhere, as they came. */
    this.received = [];
    /** Updates of ours that the server reported as saved. */
    this.promised = [];
    this.online = false;
    this.doc.on("update", (update, origin) => {
      if (origin === "remote") this.received.push(update);
    });
  }

  /** What it would have on its disk. */
  stored() {
    return Y.encodeStateAsUpdate(this.doc);
  }

  edit(change) {
    this.doc.transact(() => change(this.text), "typing");
  }

  close() {
    this.leave();
    this.undo.destroy();
    this.doc.destroy();
  }
}

/** As anybody's program would join: y-websocket, unchanged. */
export class Standard extends Replica {
  constructor(options) {
    super(options);
    const { server, note } = this;
    this.provider = new WebsocketProvider(`${server.socketUrl}/api/v1/sync`, note, this.doc, {
      ...ALONE,
      connect: false,
      params: { token: this.key },
    });
    this.doc.on("update", (update, origin) => {
      if (origin === this.provider) this.received.push(update);
    });
    this.closed = [];
    this.provider.on("connection-close", (event) => event && this.closed.push([event.code, event.reason]));
    this.provider.on("connection-error", () => {});
  }

  join() {
    this.online = true;
    this.provider.connect();
  }

  leave() {
    this.online = false;
    this.provider.disconnect();
  }

  get synced() {
    return this.provider.synced;
  }

  close() {
    this.online = false;
    this.provider.destroy();
    this.provider.awareness.destroy();
    super.close();
  }
}

/** As the app joins: frames of its own, which tell what is saved. */
export class Own extends Replica {
  synced = false;
  storing = 0;
  access = null;
  /** What was sent since the note was joined, in order, and how many of these are saved. */
  #sent = [];
  #saved = 0;
  #socket = null;
  #timer = null;

  constructor(options) {
    super(options);
    this.awareness = new awareness.Awareness(this.doc);
    this.closed = [];
    this.doc.on("update", (update, origin) => {
      if (origin !== "remote" && origin !== "stored" && this.synced) this.#update(wire.UPDATE, update);
    });
  }

  join() {
    if (this.online) return;
    this.online = true;
    this.#open();
  }

  leave() {
    this.online = false;
    this.#away();
  }

  /** Whether everything typed here is saved. */
  get saved() {
    return this.synced && this.#saved >= this.#sent.length;
  }

  #open() {
    clearTimeout(this.#timer);
    const socket = new WebSocket(`${this.server.socketUrl}/api/v1/ws`, {
      headers: { authorization: `Bearer ${this.key}` },
      perMessageDeflate: false,
    });
    socket.binaryType = "nodebuffer";
    this.#socket = socket;
    socket.on("open", () => this.#attach());
    socket.on("message", (bytes, isBinary) => {
      if (isBinary && socket === this.#socket) this.#hear(bytes);
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      if (socket === this.#socket) this.#again();
    });
  }

  #attach() {
    this.send(wire.message(wire.ATTACH));
  }

  #again() {
    this.#away();
    if (this.online) this.#timer = setTimeout(() => this.#open(), AGAIN_MS);
  }

  #away() {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    this.synced = false;
    this.#sent = [];
    this.#saved = 0;
    if (socket === null) return;
    socket.removeAllListeners("message");
    socket.close();
  }

  send(bytes) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(wire.frame(this.note, bytes));
  }

  #update(step, update) {
    this.#sent.push(update);
    this.send(wire.message(wire.SYNC, step, update));
  }

  #hear(bytes) {
    for (const said of wire.read(bytes.subarray(16))) {
      if (said.type === wire.ATTACHED) {
        // Also when access changed meanwhile: whatever was sent before is asked for again.
        this.access = said.access;
        this.synced = false;
        this.#sent = [];
        this.#saved = 0;
        this.send(wire.message(wire.SYNC, wire.STEP_1, Y.encodeStateVector(this.doc)));
      } else if (said.type === wire.SYNC && said.step === wire.STEP_1) {
        // Synchronised first: whatever is typed from here on is an update of its own.
        this.synced = true;
        this.#update(wire.STEP_2, Y.encodeStateAsUpdate(this.doc, said.body));
      } else if (said.type === wire.SYNC) {
        Y.applyUpdate(this.doc, said.body, "remote");
      } else if (said.type === wire.AWARENESS) {
        awareness.applyAwarenessUpdate(this.awareness, said.body, "remote");
      } else if (said.type === wire.SAVED) {
        if (said.count > this.#sent.length) throw new Error(`${said.count} of ${this.#sent.length} updates are reported as saved`);
        this.promised.push(...this.#sent.slice(this.#saved, said.count));
        this.#saved = said.count;
      } else if (said.type === wire.CLOSED) {
        this.closed.push([said.code, said.reason]);
        this.#again();
      } else if (said.type === wire.STORING) {
        this.storing = said.code;
      }
    }
  }

  close() {
    super.close();
    this.awareness.destroy();
  }
}

/** Whether a document already holds all of an update. */
export function holds(doc, update) {
  let news = 0;
  const heard = () => (news += 1);
  doc.on("update", heard);
  Y.applyUpdate(doc, update);
  doc.off("update", heard);
  const waits = doc.store.pendingStructs !== null || doc.store.pendingDs !== null;
  return news === 0 && !waits;
}

/** The document as somebody gets it who comes now, without anything of their own. */
export async function fetched(server, note, patience = PATIENCE_MS) {
  const replica = new Standard({ server, note });
  try {
    replica.join();
    const end = Date.now() + patience;
    while (!replica.synced) {
      if (Date.now() > end) throw new Error(`the note ${note} did not open within ${patience} ms`);
      await pause(10);
    }
    const copy = new Y.Doc();
    copy.getText("content");
    Y.applyUpdate(copy, replica.stored());
    return copy;
  } finally {
    // One that is left open connects for ever, and the tests never end.
    replica.close();
  }
}
