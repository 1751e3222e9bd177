// One line to a note, message by message: for what no well-behaved client would send, or leave unread.

import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import WebSocket from "ws";
import { PATIENCE_MS } from "../process.mjs";
import * as wire from "./frames.mjs";

export class Line {
  #heard = [];
  ended = null;

  /** By y-websocket's door. */
  static standard(server, note, { key = server.owner.key, headers = {} } = {}) {
    const token = key === null ? "" : `?token=${encodeURIComponent(key)}`;
    return new Line(`${server.socketUrl}/api/v1/sync/${note}${token}`, null, headers);
  }

  /** By our frames; joins the note. */
  static own(server, note, { key = server.owner.key } = {}) {
    return new Line(`${server.socketUrl}/api/v1/ws`, note, { authorization: `Bearer ${key}` });
  }

  constructor(url, note, headers) {
    this.note = note;
    this.socket = new WebSocket(url, { headers, perMessageDeflate: false });
    this.socket.binaryType = "nodebuffer";
    this.socket.on("message", (bytes, isBinary) => {
      if (isBinary) this.#heard.push(...wire.read(note === null ? bytes : bytes.subarray(16)));
    });
    this.socket.on("error", () => {});
    this.socket.on("unexpected-response", (_request, response) => {
      this.ended ??= { status: response.statusCode };
      response.resume();
      this.socket.terminate();
    });
    this.socket.on("close", (code, reason) => (this.ended ??= { code, reason: reason.toString() }));
  }

  async open() {
    if (this.socket.readyState === WebSocket.CONNECTING) await once(this.socket, "open");
    if (this.note !== null) this.say(wire.ATTACH);
    return this;
  }

  say(...parts) {
    this.raw(wire.message(...parts));
  }

  raw(bytes) {
    this.socket.send(this.note === null ? bytes : wire.frame(this.note, bytes));
  }

  /** The next message that fits, and everything before it is forgotten. */
  async hears(what, fits, patience = PATIENCE_MS) {
    const end = Date.now() + patience;
    for (;;) {
      const at = this.#heard.findIndex(fits);
      if (at >= 0) return this.#heard.splice(0, at + 1).at(-1);
      if (this.ended) throw new Error(`waited for ${what}, but the line ended: ${JSON.stringify(this.ended)}`);
      if (Date.now() > end) throw new Error(`waited ${patience} ms for ${what}`);
      await pause(5);
    }
  }

  /** Everything the server has. */
  async everything(known = Uint8Array.of(0)) {
    this.say(wire.SYNC, wire.STEP_1, known);
    const { body } = await this.hears("step 2", ({ type, step }) => type === wire.SYNC && step === wire.STEP_2);
    return body;
  }

  /** Everything said so far was looked at. */
  async answers() {
    this.say(wire.QUERY_AWARENESS);
    await this.hears("awareness", ({ type }) => type === wire.AWARENESS);
  }

  /** How the server ended it: `{ status }` before it opened, `{ code, reason }` after. */
  async end(patience = PATIENCE_MS) {
    const limit = Date.now() + patience;
    while (!this.ended) {
      if (Date.now() > limit) throw new Error(`the line was still open after ${patience} ms`);
      await pause(10);
    }
    return this.ended;
  }

  close() {
    this.socket.terminate();
  }
}
