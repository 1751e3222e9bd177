// The note's document: the WebAssembly replica, loaded once.

import init, { Replica as Wasm, merge as mergeUpdates } from "replica";
import address from "replica-module";

/** Replaces UTF-16 units `from` to `to` of the text before the change. */
export interface Change { from: number; to: number; insert: string }
export interface Recorded { changes: Change[]; update: Uint8Array }

let loading: Promise<unknown> | undefined;

export function load(): Promise<unknown> {
  loading ??= init({ module_or_path: address }).catch((cause) => {
    loading = undefined;
    throw cause;
  });
  return loading;
}

export function merge(updates: Uint8Array[]): Uint8Array {
  return updates.length === 1 ? updates[0]! : mergeUpdates(updates);
}

export class Replica {
  readonly client: number;
  readonly #inner: Wasm;

  /** Call after `load`. */
  constructor() {
    this.client = crypto.getRandomValues(new Uint32Array(1))[0]!;
    this.#inner = new Wasm(this.client);
  }

  apply(update: Uint8Array): Change[] {
    return list(this.#inner.apply(update));
  }

  edit(changes: Change[]): Uint8Array {
    return this.#inner.edit(changes.flatMap(({ from, to, insert }) => [from, to, insert]));
  }

  undo(): Recorded | null {
    return recorded(this.#inner.undo());
  }

  redo(): Recorded | null {
    return recorded(this.#inner.redo());
  }

  seal(): void {
    this.#inner.seal();
  }

  text(): string {
    return this.#inner.text();
  }

  stateVector(): Uint8Array {
    return this.#inner.stateVector();
  }

  diff(stateVector: Uint8Array): Uint8Array {
    return this.#inner.diff(stateVector);
  }

  exceeds(stateVector: Uint8Array): boolean {
    return this.#inner.exceeds(stateVector);
  }

  hasMissing(): boolean {
    return this.#inner.hasMissing();
  }

  sticky(position: number, before = false): Uint8Array {
    return this.#inner.sticky(position, before);
  }

  resolve(sticky: Uint8Array): number | null {
    return this.#inner.resolve(sticky) ?? null;
  }

  proposals(): string {
    return this.#inner.proposals();
  }

  free(): void {
    this.#inner.free();
  }
}

function recorded(pair: [unknown[], Uint8Array] | undefined): Recorded | null {
  return pair ? { changes: list(pair[0]), update: pair[1] } : null;
}

function list(flat: unknown[]): Change[] {
  const changes: Change[] = [];
  for (let at = 0; at < flat.length; at += 3) {
    changes.push({ from: flat[at] as number, to: flat[at + 1] as number, insert: flat[at + 2] as string });
  }
  return changes;
}
