// What comes from elsewhere into the note's document, and what then changes in the text. Yrs can keep an
// update waiting though nothing is missing; that is noticed here, and mended.

import type { Change, Replica } from "./replica";

const HOLD_MS = 100;
/** Some keyboards compose all the time: then others' changes come in all the same. */
const MOST_HELD = 8;
/** A document found wrong is made anew at most this often. */
const REBUILD_EVERY_MS = 2000;

export interface Reader {
  /** The text changed elsewhere. */
  onChanges(changes: Change[]): void;
  /** The document was made anew: the editor compares. */
  onRebuilt(): void;
  /** Something beside the text may have changed: proposals. */
  onDocument(): void;
  /** Whether a character is being composed right now. */
  isComposing(): boolean;
}

export class Intake {
  #held: Uint8Array[] = [];
  #holding: number | undefined;
  #rebuiltAt = -REBUILD_EVERY_MS;
  #mending: number | undefined;

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
    if (this.replica.hasMissing()) this.#mend();
    this.reader.onDocument();
  }

  end(): void {
    clearTimeout(this.#holding);
    clearTimeout(this.#mending);
  }

  #letIn(): void {
    clearTimeout(this.#holding);
    if (this.reader.isComposing() && this.#held.length < MOST_HELD) {
      this.#holding = setTimeout(() => this.#letIn(), HOLD_MS);
      return;
    }
    for (const update of this.#held.splice(0)) this.apply(update);
  }

  #mend(): void {
    if (this.#mending !== undefined) return;
    const wait = Math.max(0, this.#rebuiltAt + REBUILD_EVERY_MS - performance.now());
    this.#mending = setTimeout(() => {
      this.#mending = undefined;
      if (!this.replica.hasMissing()) return;
      this.#rebuiltAt = performance.now();
      this.replica.rebuild();
      this.reader.onRebuilt();
      // Then something is missing in truth.
      if (this.replica.hasMissing()) this.ask();
    }, wait);
  }
}
