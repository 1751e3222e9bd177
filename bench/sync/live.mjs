// A client as people have it: a Y.Doc that integrates everything at once, and says when.

import * as Y from "yjs";
import WebSocket from "ws";
import * as awareness from "y-protocols/awareness";
import * as sync from "y-protocols/sync";
import { AWARENESS, SYNC } from "./dialect.mjs";

export class Live {
  frames = 0;
  closed = null;
  #place;

  /** `sent` collects when this note's insertions were made; see `Sent`. */
  constructor(dialect, note, { sent } = {}) {
    this.note = note;
    this.dialect = dialect;
    this.doc = new Y.Doc();
    this.text = this.doc.getText("content");
    this.awareness = new awareness.Awareness(this.doc);
    // It would renew what a measurement wants still.
    clearInterval(this.awareness._checkInterval);
    this.doc.on("update", (update, origin) => {
      if (origin !== this) this.#send(dialect.update(note, update));
    });
    if (sent) this.doc.on("afterTransaction", (transaction) => sent.note(transaction));
    this.synced = this.#open();
  }

  #open() {
    return new Promise((resolve, reject) => {
      this.socket = new WebSocket(this.dialect.address(this.note), { perMessageDeflate: false });
      this.socket.binaryType = "nodebuffer";
      this.socket.on("open", () => {
        for (const greeting of this.dialect.greeting(this.note)) this.#send(greeting);
        this.#send(this.dialect.step1(this.note, this.doc));
      });
      this.socket.on("message", (bytes) => this.#hear(bytes, resolve));
      this.socket.on("error", reject);
      this.socket.on("close", (code, reason) => {
        this.closed = `${code} ${reason}`;
        reject(new Error(`closed: ${this.closed}`));
      });
    });
  }

  #send(bytes) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(bytes);
  }

  #hear(bytes, resolve) {
    this.frames += 1;
    for (const { type, step, body } of this.dialect.read(bytes)) {
      if (type === AWARENESS) awareness.applyAwarenessUpdate(this.awareness, body, this);
      if (type !== SYNC) continue;
      if (step === sync.messageYjsSyncStep1) {
        this.#send(this.dialect.step2(this.note, Y.encodeStateAsUpdate(this.doc, body)));
        continue;
      }
      Y.applyUpdate(this.doc, body, this);
      if (step === sync.messageYjsSyncStep2) {
        this.arrived ??= performance.now();
        resolve();
      }
    }
  }

  /** One keystroke: mostly at one's own place, as people type; one in ten takes something away. */
  type(random) {
    const length = this.text.length;
    if (length > 20 && random() < 0.1) {
      this.text.delete(Math.floor(random() * (length - 1)), 1);
      return;
    }
    if (this.#place === undefined || this.#place > length || random() < 0.05) {
      this.#place = Math.floor(random() * (length + 1));
    }
    this.text.insert(this.#place, "abcdefghijklmnopqrstuvwxyz "[Math.floor(random() * 27)]);
    this.#place += 1;
  }

  point(at) {
    this.awareness.setLocalState({ user: { name: `u${this.doc.clientID}` }, cursor: { anchor: at, head: at }, at: performance.now() });
    this.#send(this.dialect.awareness(this.note, awareness.encodeAwarenessUpdate(this.awareness, [this.doc.clientID])));
  }

  /** How much waits to be sent. */
  get waiting() {
    return this.socket.bufferedAmount;
  }

  close() {
    this.awareness.destroy();
    this.socket.removeAllListeners("close");
    this.socket.close();
    this.doc.destroy();
  }
}

/** When each insertion into one note was made, and how much later others had it. */
export class Sent {
  #byClient = new Map();
  recording = false;
  /** Milliseconds from an insertion here to its integration in another client. */
  latencies = [];

  note(transaction) {
    const now = performance.now();
    for (const [client, after] of transaction.afterState) {
      const before = transaction.beforeState.get(client) ?? 0;
      if (after <= before) continue;
      if (transaction.local && client === transaction.doc.clientID) {
        const made = this.#byClient.get(client);
        if (made) made.push([after, now, this.recording]);
        else this.#byClient.set(client, [[after, now, this.recording]]);
      } else if (!transaction.local) {
        this.seen(client, before, after, now, this.latencies);
      }
    }
  }

  /** Clocks `from` (exclusive) to `to` (inclusive) of a client arrived at `now`. */
  seen(client, from, to, now, latencies) {
    const made = this.#byClient.get(client);
    if (!made) return;
    let low = 0;
    for (let high = made.length; low < high; ) {
      const middle = (low + high) >> 1;
      if (made[middle][0] <= from) low = middle + 1;
      else high = middle;
    }
    for (; low < made.length && made[low][0] <= to; low++) {
      const [, at, counts] = made[low];
      if (counts) latencies.push(now - at);
    }
  }
}
