// What comes from elsewhere into the note's document, and what then changes in the text. What refers to
// something that is not here is held by the replica, and the server is asked for what is missing.

import type { Change, Replica } from "./replica";

const HOLD_MS = 100;
/** Some keyboards compose all the time: then others' changes come in all the same. */
const MOST_HELD = 8;
/** What is missing is asked for at most this often. */
const ASK_EVERY_MS = 2000;

export interface Reader {
  /** The text changed elsewhere. */
  onChanges(changes: Change[]): void;
  /** Something beside the text may have changed: proposals. */
  onDocument(): void;
  /** Whether a character is being composed right now. */
  isComposing(): boolean;
}

export class Intake {
  #held: Uint8Array[] = [];
  #holding: number | undefined;
  #askedAt = -ASK_EVERY_MS;
  #asking: number | undefined;

  /** `ask` asks the server for what is missing. */
  constructor(private readonly replica: Replica, private readonly reader: Reader, private readonly ask: () => void) {}

  /** Others' changes wait, for a moment, while a character is being composed. */
  take(update: Uint8Array): void {
    this.#held.push(update);
    this.#letIn();
  }

  apply(update: Uint8Array): void {
    let changes: Change[];
    try {
      changes = this.replica.apply(update);
    } catch (cause) {
      console.warn("an update of the note could not be applied", cause);
      return;
    }
    if (changes.length > 0) this.reader.onChanges(changes);
    if (this.replica.hasMissing()) this.#askSoon();
    this.reader.onDocument();
  }

  end(): void {
    clearTimeout(this.#holding);
    clearTimeout(this.#asking);
  }

  #letIn(): void {
    clearTimeout(this.#holding);
    if (this.reader.isComposing() && this.#held.length < MOST_HELD) {
      this.#holding = setTimeout(() => this.#letIn(), HOLD_MS);
      return;
    }
    for (const update of this.#held.splice(0)) this.apply(update);
  }

  #askSoon(): void {
    if (this.#asking !== undefined) return;
    const wait = Math.max(0, this.#askedAt + ASK_EVERY_MS - performance.now());
    this.#asking = setTimeout(() => {
      this.#asking = undefined;
      if (!this.replica.hasMissing()) return;
      this.#askedAt = performance.now();
      this.ask();
    }, wait);
  }
}
