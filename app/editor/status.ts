// What is said about how safe the text is: one sentence's worth, out of everything that is known.

import type { Access, LineState, Status } from "./types";
import { Closed, Storing } from "./wire";

/** Why the server will not have us. */
export interface Refusal { reason: string; readOnly: boolean }

export interface Facts {
  /** Changes made here that the server has not reported stored. */
  n: number;
  /** Why they are not stored here either. */
  storeFailure: string | null;
  isLive: boolean;
  line: LineState;
  access: Access;
  readOnlyReason: string | undefined;
  refused: Refusal | null;
  storing: { kind: number; reason: string };
}

const MAY = {
  view: "You may read this note, not change it.",
  comment: "You may comment on this note, not change it.",
  edit: "",
};
const NO_LONGER = "You may no longer change this note. What you wrote is kept on this device.";

/** Nothing, when it is worth trying again. */
export function refusalOf(code: number, reason: string): Refusal | null {
  switch (code) {
    case Closed.signedOut:
      return { reason: "You are signed out. Sign in again to go on saving.", readOnly: false };
    case Closed.noAccess:
      return { reason: "You no longer have access to this note.", readOnly: true };
    case Closed.noSuchNote:
      return { reason: "This note is no longer there.", readOnly: true };
    case Closed.tooLarge:
      return { reason: reason || "This note is too large to be saved.", readOnly: false };
    default:
      return null;
  }
}

export function statusOf(facts: Facts): Status {
  const { n, refused, storing, access, storeFailure } = facts;
  if (refused) return refused.readOnly && n === 0 ? readOnly(refused.reason) : { kind: "unsaved", n, reason: refused.reason };
  if (storing.kind === Storing.readOnly) return readOnly(storing.reason);
  if (access !== "edit") return n > 0 ? { kind: "unsaved", n, reason: NO_LONGER } : readOnly(facts.readOnlyReason ?? MAY[access]);
  if (facts.readOnlyReason) return readOnly(facts.readOnlyReason);
  if (facts.line !== "open") return { kind: "offline", n, stored: storeFailure === null };
  if (n === 0) return { kind: "saved" };
  if (storing.kind === Storing.notNow) return { kind: "unsaved", n, reason: storing.reason };
  if (storeFailure && !facts.isLive) return { kind: "unsaved", n, reason: `Not stored on this device: ${storeFailure}.` };
  return { kind: "saving", n };
}

function readOnly(reason: string): Status {
  return { kind: "read_only", reason };
}
