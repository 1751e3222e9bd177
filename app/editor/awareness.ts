// Who else is here and where their cursors are: the awareness of the y-protocols. A state is what its
// client says last; it falls silent after 30 seconds, and so each renews its own.

import { Reader, Writer } from "./bytes";

const RENEW_MS = 15_000;
const SILENT_MS = 30_000;
const SEND_EVERY_MS = 50;

export type State = Record<string, unknown>;
interface Known { clock: number; state: State | null; heard: number }

export class Awareness {
  readonly others = new Map<number, Known>();
  #clock = 0;
  #own: State | null = null;
  #sending: number | undefined;
  #sentAt = 0;
  #timer: number;
  #listeners = new Set<() => void>();

  constructor(private readonly client: number, private readonly send: (update: Uint8Array) => void) {
    this.#timer = setInterval(() => this.#tick(), 3000);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Says something else of oneself, at most every 50 ms. */
  set(state: State): void {
    this.#own = state;
    this.#clock += 1;
    const wait = SEND_EVERY_MS - (performance.now() - this.#sentAt);
    if (wait <= 0) this.announce();
    else this.#sending ??= setTimeout(() => this.announce(), wait);
  }

  /** Says what one said last, now. */
  announce(): void {
    clearTimeout(this.#sending);
    this.#sending = undefined;
    this.#sentAt = performance.now();
    if (this.#own) this.send(encode([[this.client, this.#clock, this.#own]]));
  }

  /** Says it anew: those who were told that one left take only what is newer. */
  renew(): void {
    this.#clock += 1;
    this.announce();
  }

  apply(update: Uint8Array): void {
    const reader = new Reader(update);
    const heard = performance.now();
    let changed = false;
    for (let left = reader.uint(); left > 0; left--) {
      const [client, clock] = [reader.uint(), reader.uint()];
      const state = parse(reader.text());
      if (client === this.client) {
        this.#answerFor(clock, state);
        continue;
      }
      const known = this.others.get(client);
      const isNews = !known || clock > known.clock || (clock === known.clock && state === null && known.state !== null);
      if (!isNews) continue;
      changed ||= JSON.stringify(known?.state ?? null) !== JSON.stringify(state);
      this.others.set(client, { clock, state, heard });
    }
    if (changed) this.#changed();
  }

  /** Without a line nobody is known to be here. */
  forgetOthers(): void {
    if (this.others.size === 0) return;
    this.others.clear();
    this.#changed();
  }

  end(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#sending);
    if (this.#own) this.send(encode([[this.client, this.#clock + 1, null]]));
    this.#own = null;
    this.#listeners.clear();
  }

  /** Somebody says that we left; we did not. */
  #answerFor(clock: number, state: State | null): void {
    if (state !== null || !this.#own || clock < this.#clock) return;
    this.#clock = clock + 1;
    this.announce();
  }

  #tick(): void {
    const now = performance.now();
    if (this.#own && now - this.#sentAt > RENEW_MS) this.renew();
    let changed = false;
    for (const [client, known] of this.others) {
      if (now - known.heard < SILENT_MS) continue;
      this.others.delete(client);
      changed ||= known.state !== null;
    }
    if (changed) this.#changed();
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

function encode(states: [client: number, clock: number, state: State | null][]): Uint8Array {
  const writer = new Writer().uint(states.length);
  for (const [client, clock, state] of states) writer.uint(client).uint(clock).text(JSON.stringify(state));
  return writer.done();
}

function parse(json: string): State | null {
  const value: unknown = JSON.parse(json);
  return typeof value === "object" && !Array.isArray(value) ? (value as State | null) : null;
}
