// The local store: one IndexedDB database an account, so that signing out can remove it whole. It holds
// every update of the notes opened here, and which of them the server has not reported stored.

const NOTES = "notes";
const UPDATES = "updates";
/** On rows that wait for the server only: what `unsaved` counts. */
const WAITING = "waiting";

export interface NoteRow {
  id: string;
  title: string;
  opened: number;
  seq: number;
  access: string;
}

/** Unique and in order: note, time, tab, number within the tab. */
export type Key = [note: string, at: number, tab: string, n: number];

export interface UpdateRow {
  key: Key;
  update: Uint8Array;
  /** How many changes of the person are in it; zero for those of others. */
  changes: number;
  /** The note, while the server has not reported it stored. */
  waiting?: string;
}

const name = (account: string) => `sidebar-notes-${account}`;
const wholeNote = (note: string) => IDBKeyRange.bound([note], [note, []]);

function answer<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function finished(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new DOMException("given up", "AbortError"));
  });
}

export class Store {
  private constructor(private readonly db: IDBDatabase) {
    // Another page wants the database gone or newer.
    db.onversionchange = () => db.close();
  }

  static async open(account: string): Promise<Store> {
    const request = indexedDB.open(name(account), 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(NOTES, { keyPath: "id" });
      request.result.createObjectStore(UPDATES, { keyPath: "key" }).createIndex(WAITING, WAITING);
    };
    return new Store(await answer(request));
  }

  close(): void {
    this.db.close();
  }

  async note(id: string): Promise<NoteRow | undefined> {
    return answer(this.db.transaction(NOTES).objectStore(NOTES).get(id));
  }

  async notes(): Promise<NoteRow[]> {
    const rows: NoteRow[] = await answer(this.db.transaction(NOTES).objectStore(NOTES).getAll());
    return rows.sort((a, b) => b.opened - a.opened);
  }

  async putNote(row: NoteRow): Promise<void> {
    const transaction = this.db.transaction(NOTES, "readwrite");
    transaction.objectStore(NOTES).put(row);
    await finished(transaction);
  }

  async updates(note: string): Promise<UpdateRow[]> {
    return answer(this.db.transaction(UPDATES).objectStore(UPDATES).getAll(wholeNote(note)));
  }

  async append(rows: UpdateRow[]): Promise<void> {
    const transaction = this.db.transaction(UPDATES, "readwrite");
    for (const row of rows) transaction.objectStore(UPDATES).put(row);
    await finished(transaction);
  }

  /** The server has reported these stored. One that another tab has merged meanwhile is left to it. */
  async settle(keys: Key[]): Promise<void> {
    const transaction = this.db.transaction(UPDATES, "readwrite");
    const updates = transaction.objectStore(UPDATES);
    for (const key of keys) {
      const request: IDBRequest<UpdateRow | undefined> = updates.get(key);
      request.onsuccess = () => {
        if (!request.result) return;
        const { waiting: _, ...row } = request.result;
        updates.put({ ...row, changes: 0 });
      };
    }
    await finished(transaction);
  }

  /** Puts one row in the place of others, in one step. */
  async replace(keys: Key[], row: UpdateRow): Promise<void> {
    const transaction = this.db.transaction(UPDATES, "readwrite");
    const updates = transaction.objectStore(UPDATES);
    for (const key of keys) updates.delete(key);
    updates.put(row);
    await finished(transaction);
  }

  /** Forgets a note that has nothing waiting. */
  async forget(note: string): Promise<void> {
    const transaction = this.db.transaction([NOTES, UPDATES], "readwrite");
    transaction.objectStore(NOTES).delete(note);
    transaction.objectStore(UPDATES).delete(wholeNote(note));
    await finished(transaction);
  }

  /** How many changes wait for the server, in all notes or in one. */
  async unsaved(note?: string): Promise<number> {
    const index = this.db.transaction(UPDATES).objectStore(UPDATES).index(WAITING);
    const rows: UpdateRow[] = await answer(index.getAll(note));
    return rows.reduce((sum, row) => sum + row.changes, 0);
  }
}

/** Whether there is such a database at all: opening would make it. */
export async function exists(account: string): Promise<boolean> {
  // A browser that cannot tell gets an empty one made.
  if (!indexedDB.databases) return true;
  const all = await indexedDB.databases();
  return all.some((database) => database.name === name(account));
}

/** Removes everything of an account from this device. */
export async function remove(account: string): Promise<void> {
  const request = indexedDB.deleteDatabase(name(account));
  await answer(request);
}
