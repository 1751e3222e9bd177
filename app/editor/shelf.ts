// One note in the local store: what is read when it opens, what is written while it changes, and the
// count of changes that the server has not reported stored. A store that fails is said, and tried again
// with the next write; the editor goes on without it.

import { merge } from "./replica";
import { Store, type Key, type UpdateRow } from "./store";
import { Tabs, type News } from "./tabs";

/** Rows are merged past this many. */
const MANY_ROWS = 200;
/** Others' updates are written together after this long. */
const GATHER_MS = 1000;

export class Shelf {
  /** What the server has not reported stored: key to number of changes. */
  readonly waiting = new Map<string, { key: Key; changes: number }>();
  /** Why writing failed, while it does. */
  failure: string | null = null;
  #store: Store | null = null;
  #tabs: Tabs;
  #n = 0;
  /** Rows of this tab that may be merged: no other tab writes them. */
  #own: UpdateRow[] = [];
  #received: Uint8Array[] = [];
  #gathering: number | undefined;
  #settled: Key[] = [];
  #settling: Promise<void> | undefined;
  #writing: Promise<void> = Promise.resolve();
  /** What could not be written, to be written with the next. */
  #unwritten: UpdateRow[] = [];

  constructor(
    private readonly account: string,
    private readonly note: string,
    private readonly onNews: (news: News) => void,
    private readonly onChange: () => void,
  ) {
    this.#tabs = new Tabs(`sidebar-note-${account}-${note}`, (news) => this.#hear(news));
  }

  /** Everything that is here of the note, merged; nothing when there is nothing. */
  async open(title: string, access: string): Promise<Uint8Array | null> {
    try {
      this.#store = await Store.open(this.account);
      await this.#tabs.whenAlone(() => this.#compact());
      const rows = await this.#store.updates(this.note);
      for (const row of rows) this.#expect(row);
      const known = await this.#store.note(this.note);
      await this.#store.putNote({ id: this.note, title, access, opened: Date.now(), seq: known?.seq ?? 0 });
      return rows.length > 0 ? merge(rows.map((row) => row.update)) : null;
    } catch (cause) {
      this.#failed(cause);
      return null;
    }
  }

  get changes(): number {
    let sum = 0;
    for (const { changes } of this.waiting.values()) sum += changes;
    return sum;
  }

  /** Writes down what was typed here, and before it what it may refer to. */
  wrote(update: Uint8Array, changes: number, live: boolean): Key {
    if (!live) askToStay();
    const key = this.#key();
    const row: UpdateRow = { key, update, changes, waiting: this.note };
    this.#expect(row);
    this.#write([...this.#takeReceived(), row]);
    this.#tabs.tell({ kind: "edit", key, update, changes, live });
    return key;
  }

  /** Writes down what came from the server: the whole of what was missing at once, the rest gathered. */
  received(update: Uint8Array, isWhole: boolean): void {
    this.#received.push(update);
    if (isWhole) this.#write(this.#takeReceived());
    else this.#gathering ??= setTimeout(() => this.#write(this.#takeReceived()), GATHER_MS);
  }

  /** What another tab typed and this one is to send. */
  adopt(key: Key, changes: number): void {
    this.waiting.set(key.join(), { key, changes });
  }

  /** The server has reported these stored. */
  settled(keys: Key[], seq: number): void {
    for (const key of keys) this.waiting.delete(key.join());
    this.#tabs.tell({ kind: "settled", keys });
    this.#settled.push(...keys);
    this.#settling ??= this.#settle(seq).finally(() => (this.#settling = undefined));
  }

  /** When all that is to be written is. */
  async idle(): Promise<void> {
    this.#write(this.#takeReceived());
    await this.#writing;
  }

  async close(): Promise<void> {
    await this.idle();
    await this.#settling;
    this.#tabs.close();
    this.#store?.close();
  }

  #key(): Key {
    return [this.note, Date.now(), this.#tabs.tab, this.#n++];
  }

  #expect(row: UpdateRow): void {
    if (row.waiting) this.waiting.set(row.key.join(), { key: row.key, changes: row.changes });
  }

  #hear(news: News): void {
    if (news.kind === "settled") {
      for (const key of news.keys) this.waiting.delete(key.join());
      this.onChange();
    }
    this.onNews(news);
  }

  #takeReceived(): UpdateRow[] {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    const updates = this.#received.splice(0);
    return updates.length > 0 ? [{ key: this.#key(), update: merge(updates), changes: 0 }] : [];
  }

  #write(rows: UpdateRow[]): void {
    const all = [...this.#unwritten.splice(0), ...rows];
    if (all.length === 0) return;
    // Not awaited between one another: IndexedDB keeps the order of its transactions.
    const done = (this.#store?.append(all) ?? Promise.reject(new Error("the local store is not open"))).then(
      () => {
        this.#own.push(...all);
        if (this.failure) {
          this.failure = null;
          this.onChange();
        }
        if (this.#own.length - this.waiting.size > MANY_ROWS) return this.#mergeOwn();
      },
      (cause) => {
        this.#unwritten.unshift(...all);
        this.#failed(cause);
      },
    );
    this.#writing = Promise.all([this.#writing, done]).then(() => {});
  }

  #failed(cause: unknown): void {
    const full = cause instanceof DOMException && cause.name === "QuotaExceededError";
    this.failure = full ? "the browser's storage is full" : "the browser's storage does not work";
    this.onChange();
  }

  async #settle(seq: number): Promise<void> {
    // Those that are reported meanwhile go with the next round.
    while (this.#store && this.#settled.length > 0) {
      await this.#writing;
      try {
        await this.#store.settle(this.#settled.splice(0));
        const known = await this.#store.note(this.note);
        if (known && seq > known.seq) await this.#store.putNote({ ...known, seq });
      } catch {
        // They stay as waiting; the next opening sends them once more, which changes nothing.
      }
    }
  }

  /** The rows of this tab that wait for nothing become one. */
  async #mergeOwn(): Promise<void> {
    const rows = this.#own.splice(0);
    const waits = rows.filter((row) => this.waiting.has(row.key.join()));
    const rest = rows.filter((row) => !this.waiting.has(row.key.join()));
    if (rest.length > 1) {
      const row: UpdateRow = { key: rest[0]!.key, update: merge(rest.map(({ update }) => update)), changes: 0 };
      await this.#store!.replace(rest.map(({ key }) => key), row);
      rest.splice(0, rest.length, row);
    }
    this.#own.unshift(...rest, ...waits);
  }

  /** While no other tab has the note open: what waits becomes one row, what does not another. */
  async #compact(): Promise<void> {
    const rows = await this.#store!.updates(this.note);
    for (const waiting of [undefined, this.note]) {
      const part = rows.filter((row) => row.waiting === waiting);
      if (part.length < 2) continue;
      const changes = part.reduce((sum, row) => sum + row.changes, 0);
      const row: UpdateRow = { key: part[0]!.key, update: merge(part.map(({ update }) => update)), changes };
      await this.#store!.replace(part.map(({ key }) => key), waiting ? { ...row, waiting } : row);
    }
  }
}

let asked = false;

/** What exists only here must outlast a browser that tidies up. */
function askToStay(): void {
  if (asked) return;
  asked = true;
  navigator.storage?.persist?.().catch(() => {});
}
