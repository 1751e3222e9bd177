// The two ways in which the servers speak y-protocols: as y-websocket does, or with the document's name
// before every message and a greeting, as Hocuspocus does.

import * as decoding from "lib0/decoding";
import * as encoding from "lib0/encoding";
import * as sync from "y-protocols/sync";

export const SYNC = 0;
export const AWARENESS = 1;
const AUTH = 2;
const SYNC_REPLY = 4;

/** A message of `type`; `write` adds what it says. */
function message(name, type, write) {
  const encoder = encoding.createEncoder();
  if (name !== null) encoding.writeVarString(encoder, name);
  encoding.writeVarUint(encoder, type);
  write(encoder);
  return encoding.toUint8Array(encoder);
}

export class Dialect {
  /** `url` has `{note}` where the note's name goes. */
  constructor(kind, url) {
    this.named = kind === "hocuspocus";
    this.url = url;
  }

  address(note) {
    return this.url.replaceAll("{note}", encodeURIComponent(note));
  }

  #name(note) {
    return this.named ? note : null;
  }

  /** What a client says before it synchronises. */
  greeting(note) {
    if (!this.named) return [];
    const auth = message(note, AUTH, (encoder) => {
      encoding.writeVarUint(encoder, 0);
      encoding.writeVarString(encoder, "a token that is not looked at");
      encoding.writeVarString(encoder, "4.7.0");
    });
    return [auth];
  }

  step1(note, doc) {
    return message(this.#name(note), SYNC, (encoder) => sync.writeSyncStep1(encoder, doc));
  }

  update(note, update) {
    return message(this.#name(note), SYNC, (encoder) => sync.writeUpdate(encoder, update));
  }

  awareness(note, update) {
    return message(this.#name(note), AWARENESS, (encoder) => encoding.writeVarUint8Array(encoder, update));
  }

  /** The answer to step 1; without an update, that of somebody who has nothing. */
  step2(note, update = Uint8Array.of(0, 0)) {
    return message(this.#name(note), SYNC, (encoder) => {
      encoding.writeVarUint(encoder, sync.messageYjsSyncStep2);
      encoding.writeVarUint8Array(encoder, update);
    });
  }

  /** What the server says, one message after the other; of sync messages `step` and `body`, else `body`. */
  *read(bytes) {
    const decoder = decoding.createDecoder(bytes);
    if (this.named) decoding.readVarString(decoder);
    while (decoding.hasContent(decoder)) {
      const type = decoding.readVarUint(decoder);
      if (type === SYNC || (this.named && type === SYNC_REPLY)) {
        const step = decoding.readVarUint(decoder);
        yield { type: SYNC, step, body: decoding.readVarUint8Array(decoder) };
      } else if (type === AWARENESS) {
        yield { type, body: decoding.readVarUint8Array(decoder) };
      } else {
        return;
      }
    }
  }
}
