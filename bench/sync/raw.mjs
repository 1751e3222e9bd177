// A client that only listens: it writes down which bytes came when, and they are read after the
// measurement. So two hundred of them cost the machine little, and the server is what is measured.

import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import * as Y from "yjs";
import * as sync from "y-protocols/sync";
import { SYNC } from "./dialect.mjs";

const BINARY = 2;
const CLOSE = 8;

export class Raw {
  #rest = Buffer.alloc(0);
  #kept = null;
  #open = false;
  closed = null;
  bytes = 0;

  constructor(dialect, note) {
    this.dialect = dialect;
    this.note = note;
    this.first = [];
    const url = new URL(dialect.address(note));
    this.socket = connect(Number(url.port), url.hostname);
    this.socket.setNoDelay(true);
    this.synced = new Promise((resolve, reject) => {
      this.socket.on("connect", () => this.socket.write(this.#upgrade(url)));
      this.socket.on("data", (chunk) => this.#take(chunk, resolve, reject));
      this.socket.on("error", reject);
      this.socket.on("close", () => {
        this.closed ??= "the connection ended";
        reject(new Error(this.closed));
      });
    });
  }

  #upgrade({ host, pathname, search }) {
    const key = randomBytes(16).toString("base64");
    const lines = [
      `GET ${pathname}${search} HTTP/1.1`,
      `Host: ${host}`,
      "Upgrade: websocket",
      "Connection: Upgrade",
      `Sec-WebSocket-Key: ${key}`,
      "Sec-WebSocket-Version: 13",
    ];
    return `${lines.join("\r\n")}\r\n\r\n`;
  }

  #take(chunk, resolve, reject) {
    this.bytes += chunk.length;
    if (this.#kept) {
      this.#kept.push([performance.now(), chunk]);
      return;
    }
    this.#rest = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    if (!this.#open && !this.#greet(reject)) return;
    this.#rest = frames(this.#rest, (opcode, payload) => {
      if (opcode === CLOSE) this.closed = `${payload.length > 1 ? payload.readUInt16BE(0) : "no code"}`;
      if (opcode === BINARY) this.#hear(payload, resolve);
    });
  }

  /** Whether the server has agreed to speak WebSocket. */
  #greet(reject) {
    const end = this.#rest.indexOf("\r\n\r\n");
    if (end < 0) return false;
    const answer = this.#rest.subarray(0, end).toString();
    if (!answer.startsWith("HTTP/1.1 101")) {
      reject(new Error(answer.split("\r\n")[0]));
      return false;
    }
    this.#rest = this.#rest.subarray(end + 4);
    this.#open = true;
    const nothing = new Y.Doc();
    for (const greeting of this.dialect.greeting(this.note)) this.send(greeting);
    this.send(this.dialect.step1(this.note, nothing));
    nothing.destroy();
    return true;
  }

  #hear(payload, resolve) {
    for (const { type, step, body } of this.dialect.read(payload)) {
      if (type !== SYNC) continue;
      if (step === sync.messageYjsSyncStep1) {
        this.send(this.dialect.step2(this.note));
        continue;
      }
      this.first.push(Uint8Array.from(body));
      if (step === sync.messageYjsSyncStep2) {
        this.arrived ??= performance.now();
        resolve();
      }
    }
  }

  /** From here on nothing is read, only kept. */
  keep() {
    this.#kept = this.#rest.length > 0 ? [[performance.now(), this.#rest]] : [];
    this.#rest = Buffer.alloc(0);
  }

  /** Everything kept: `each` is told of every message and when its last byte came. Gives the frames. */
  read(each) {
    let rest = Buffer.alloc(0);
    let count = 0;
    for (const [at, chunk] of this.#kept) {
      rest = frames(rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk, (opcode, payload) => {
        if (opcode !== BINARY) return;
        count += 1;
        if (each) for (const message of this.dialect.read(payload)) each(message, at);
      });
    }
    return count;
  }

  send(payload) {
    if (!this.socket.writable) return;
    const head = payload.length < 126 ? Buffer.from([0x82, 0x80 | payload.length]) : long(payload.length);
    // Masked with zeros: the bytes stay as they are.
    this.socket.write(Buffer.concat([head, Buffer.alloc(4), payload]));
  }

  close() {
    this.socket.removeAllListeners("close");
    this.socket.destroy();
  }
}

function long(length) {
  const head = Buffer.alloc(length < 65_536 ? 4 : 10);
  head[0] = 0x82;
  if (length < 65_536) {
    head[1] = 0x80 | 126;
    head.writeUInt16BE(length, 2);
  } else {
    head[1] = 0x80 | 127;
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  return head;
}

/** Reads whole frames from the start; gives what is left. */
function frames(bytes, each) {
  let at = 0;
  while (bytes.length - at >= 2) {
    let length = bytes[at + 1] & 0x7f;
    let start = at + 2;
    if (length === 126) {
      if (bytes.length < start + 2) break;
      length = bytes.readUInt16BE(start);
      start += 2;
    } else if (length === 127) {
      if (bytes.length < start + 8) break;
      length = Number(bytes.readBigUInt64BE(start));
      start += 8;
    }
    if (bytes.length < start + length) break;
    each(bytes[at] & 0x0f, bytes.subarray(start, start + length));
    at = start + length;
  }
  return bytes.subarray(at);
}
