// The other tabs of this browser with the same note: they see each other's edits also without network,
// and whichever has a line to the server sends for those that have none.

import type { Key } from "./store";

export type News =
  /** Somebody typed in that tab. `live`: it sends the update itself. */
  | { kind: "edit"; key: Key; update: Uint8Array; changes: number; live: boolean }
  /** The server has reported these stored. */
  | { kind: "settled"; keys: Key[] };

export class Tabs {
  /** Names this tab in the keys of its rows. */
  readonly tab = crypto.randomUUID();
  #channel: BroadcastChannel;
  #release: (() => void) | undefined;

  constructor(private readonly name: string, listener: (news: News) => void) {
    this.#channel = new BroadcastChannel(name);
    this.#channel.onmessage = (event) => listener(event.data as News);
  }

  tell(news: News): void {
    this.#channel.postMessage(news);
  }

  /** Does something only when no other tab has the note open; then says that this one has. */
  async whenAlone(act: () => Promise<void>): Promise<void> {
    if (navigator.locks) {
      await navigator.locks.request(this.name, { ifAvailable: true }, async (lock) => {
        if (lock) await act();
      });
      void navigator.locks.request(this.name, { mode: "shared" }, () => new Promise<void>((done) => (this.#release = done)));
    }
  }

  close(): void {
    this.#channel.close();
    this.#release?.();
  }
}
