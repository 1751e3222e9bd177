// The editor of notes: the module that the page imports when a note is opened.

import { EditorView } from "@codemirror/view";
import { binding, show } from "./binding";
import { Replica, load } from "./replica";
import { Session } from "./session";
import { Shelf } from "./shelf";
import * as store from "./store";
import { Surface, nonce } from "./surface";
import type { NoteEditor, Options } from "./types";

export type * from "./types";
export { connect } from "./socket";

const ACCOUNT = "sidebar.account";

/** Opens a note: from this device at once, then with the server. */
export async function open(options: Options): Promise<NoteEditor> {
  remember(options.account);
  keepForOffline();
  await load();
  const replica = new Replica();
  let session: Session | undefined;
  const shelf = new Shelf(options.account.id, options.note, (news) => session?.heard(news), () => session?.report());
  const stored = await shelf.open(options.title, options.access);
  if (stored) replica.apply(stored);

  const view = new EditorView({ parent: options.parent, extensions: EditorView.cspNonce.of(nonce()) });
  const opened = new Session(options.note, replica, shelf, options.transport, options.access, options.readOnlyReason, {
    onChanges: (changes) => show(view, changes),
    isComposing: () => view.composing,
    onDocument: () => surface.documentChanged(),
    onStatus: options.hooks.onStatus,
    onAccess: () => surface.accessChanged(),
  });
  session = opened;
  const surface = new Surface(view, opened, options, binding(opened));
  opened.start();
  return surface;
}

/** How many changes of this account wait on this device for the server. */
export async function unsavedIn(account: string): Promise<number> {
  return (await withStore(account, (opened) => opened.unsaved())) ?? 0;
}

/** The account's notes on this device, last opened first. */
export async function offlineNotes(account: string): Promise<{ id: string; title: string; opened: number }[]> {
  const rows = await withStore(account, (opened) => opened.notes());
  return (rows ?? []).map(({ id, title, opened }) => ({ id, title, opened }));
}

/** Removes everything of the account from this device: at sign-out. */
export async function clear(account: string): Promise<void> {
  if (accountHere()?.id === account) localStorage.removeItem(ACCOUNT);
  await store.remove(account);
}

/** Whose notes this device has; the offline page asks. */
export function accountHere(): { id: string; name: string } | null {
  try {
    const known: unknown = JSON.parse(localStorage.getItem(ACCOUNT) ?? "null");
    const { id, name } = (known ?? {}) as Record<string, unknown>;
    return typeof id === "string" && typeof name === "string" ? { id, name } : null;
  } catch {
    return null;
  }
}

function remember(account: { id: string; name: string }): void {
  try {
    localStorage.setItem(ACCOUNT, JSON.stringify({ id: account.id, name: account.name }));
  } catch {
    // Then the note is simply not found offline.
  }
}

/** The service worker keeps the editor's files, so that the note opens without network. */
function keepForOffline(): void {
  navigator.serviceWorker?.register("/worker.js").catch((cause: unknown) => {
    console.info("this note will not open without network", cause);
  });
}

async function withStore<T>(account: string, ask: (opened: store.Store) => Promise<T>): Promise<T | undefined> {
  if (!(await store.exists(account))) return undefined;
  const opened = await store.Store.open(account);
  try {
    return await ask(opened);
  } finally {
    opened.close();
  }
}
