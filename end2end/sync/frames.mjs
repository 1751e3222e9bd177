// The binary frames of `/api/v1/ws`: 16 bytes of the note's id, then messages of y-protocols and ours.

import * as decoding from "lib0/decoding";
import * as encoding from "lib0/encoding";

export const SYNC = 0;
export const AWARENESS = 1;
export const AUTH = 2;
export const QUERY_AWARENESS = 3;
export const SAVED = 100;
export const ATTACH = 101;
export const ATTACHED = 102;
export const DETACH = 103;
export const CLOSED = 104;
export const STORING = 105;

export const STEP_1 = 0;
export const STEP_2 = 1;
export const UPDATE = 2;

export function message(...parts) {
  const encoder = encoding.createEncoder();
  for (const part of parts) {
    if (typeof part === "number") encoding.writeVarUint(encoder, part);
    else encoding.writeVarUint8Array(encoder, part);
  }
  return encoding.toUint8Array(encoder);
}

export function frame(note, bytes) {
  return Buffer.concat([Buffer.from(note.replaceAll("-", ""), "hex"), bytes]);
}

/** The messages in a frame about a note, without its id. */
export function* read(bytes) {
  const decoder = decoding.createDecoder(bytes);
  const [number, array] = [() => decoding.readVarUint(decoder), () => decoding.readVarUint8Array(decoder)];
  while (decoding.hasContent(decoder)) {
    const type = number();
    if (type === SYNC) yield { type, step: number(), body: array() };
    else if (type === AWARENESS) yield { type, body: array() };
    else if (type === QUERY_AWARENESS) yield { type };
    else if (type === AUTH) yield { type, kind: number(), reason: decoding.readVarString(decoder) };
    else if (type === SAVED) yield { type, count: number(), seq: number() };
    else if (type === ATTACHED) yield { type, access: number(), seq: number() };
    else if (type === CLOSED || type === STORING) yield { type, code: number(), reason: decoding.readVarString(decoder) };
    else throw new Error(`the server sent a message of type ${type}`);
  }
}
