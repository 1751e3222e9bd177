// The messages about one note on the app's socket: 16 bytes of the note's id, then one message. Types
// 0, 1 and 3 are exactly those of the y-protocols; the others are ours.

import { Reader, Writer, join } from "./bytes";

const SYNC = 0;
const AWARENESS = 1;
const QUERY_AWARENESS = 3;
const SAVED = 100;
const ATTACH = 101;
const ATTACHED = 102;
const DETACH = 103;
const CLOSED = 104;
const STATE = 105;

const STEP_1 = 0;
const STEP_2 = 1;
const UPDATE = 2;

/** Why the server ended an attachment. */
export const Closed = {
  malformed: 4400,
  signedOut: 4401,
  noAccess: 4403,
  noSuchNote: 4404,
  resync: 4508,
  tooLarge: 4413,
  unavailable: 4503,
} as const;

export const Storing = { normally: 0, notNow: 1, readOnly: 2 } as const;

export type Message =
  | { kind: "step_1"; stateVector: Uint8Array }
  | { kind: "update"; answersStep1: boolean; update: Uint8Array }
  | { kind: "awareness"; update: Uint8Array }
  | { kind: "query_awareness" }
  | { kind: "attached"; access: number; seq: number }
  | { kind: "saved"; messages: number; seq: number }
  | { kind: "closed"; code: number; reason: string }
  | { kind: "state"; storing: number; reason: string };

export const attach = () => new Writer().uint(ATTACH).done();
export const detach = () => new Writer().uint(DETACH).done();
export const queryAwareness = () => new Writer().uint(QUERY_AWARENESS).done();
export const step1 = (stateVector: Uint8Array) => new Writer().uint(SYNC).uint(STEP_1).array(stateVector).done();
export const step2 = (update: Uint8Array) => new Writer().uint(SYNC).uint(STEP_2).array(update).done();
export const update = (bytes: Uint8Array) => new Writer().uint(SYNC).uint(UPDATE).array(bytes).done();
export const awareness = (bytes: Uint8Array) => new Writer().uint(AWARENESS).array(bytes).done();

/** What the message says; nothing for a type that a newer server may have. */
export function read(bytes: Uint8Array): Message | null {
  const reader = new Reader(bytes);
  const type = reader.uint();
  switch (type) {
    case SYNC:
      return readSync(reader);
    case AWARENESS:
      return { kind: "awareness", update: reader.array() };
    case QUERY_AWARENESS:
      return { kind: "query_awareness" };
    case ATTACHED:
      return { kind: "attached", access: reader.uint(), seq: reader.uint() };
    case SAVED:
      return { kind: "saved", messages: reader.uint(), seq: reader.uint() };
    case CLOSED:
      return { kind: "closed", code: reader.uint(), reason: reader.text() };
    case STATE:
      return { kind: "state", storing: reader.uint(), reason: reader.text() };
    default:
      return null;
  }
}

function readSync(reader: Reader): Message | null {
  const step = reader.uint();
  if (step === STEP_1) return { kind: "step_1", stateVector: reader.array() };
  if (step === STEP_2 || step === UPDATE) return { kind: "update", answersStep1: step === STEP_2, update: reader.array() };
  return null;
}

/** The 16 bytes of a note's id. */
export function idBytes(id: string): Uint8Array {
  const hex = id.replaceAll("-", "");
  if (!/^[0-9a-f]{32}$/i.test(hex)) throw new RangeError(`not a note's id: ${id}`);
  return Uint8Array.from({ length: 16 }, (_, n) => Number.parseInt(hex.slice(n * 2, n * 2 + 2), 16));
}

export function frame(id: Uint8Array, message: Uint8Array): Uint8Array {
  return join([id, message]);
}

/** The message in a frame about this note; nothing when it is about another. */
export function messageFor(id: Uint8Array, whole: Uint8Array): Uint8Array | null {
  if (whole.length <= 16 || id.some((byte, at) => whole[at] !== byte)) return null;
  return whole.subarray(16);
}
