// The page that opens when there is no network: the notes that are on this device, and the editor for
// one of them. It offers to reload when the network is back; what is typed here is merged either way.

import { accountHere, connect, offlineNotes, open } from "./editor";
import { Store } from "./store";
import type { Access, Status } from "./types";

const root = document.querySelector<HTMLElement>("#offline")!;

function element<K extends keyof HTMLElementTagNameMap>(kind: K, name: string, text = ""): HTMLElementTagNameMap[K] {
  const made = document.createElement(kind);
  made.className = name;
  made.textContent = text;
  return made;
}

function words(status: Status): string {
  const changes = (n: number) => (n === 1 ? "1 change" : `${n} changes`);
  switch (status.kind) {
    case "saved":
      return "Saved";
    case "saving":
      return `Saving ${changes(status.n)}…`;
    case "offline":
      if (status.n === 0) return "Offline";
      return status.stored ? `Offline, ${changes(status.n)} kept on this device` : `Offline, ${changes(status.n)} not stored on this device`;
    case "unsaved":
      return status.n > 0 ? `${changes(status.n)} not saved. ${status.reason}` : status.reason;
    case "read_only":
      return `Read-only. ${status.reason}`;
  }
}

/** The page's own theme, which the server would have put there. */
function theme(): void {
  const chosen = /(?:^|;\s*)theme=(light|dark|system)/.exec(document.cookie)?.[1];
  if (chosen) document.documentElement.dataset.theme = chosen;
}

async function list(account: { id: string; name: string }, heading: string): Promise<void> {
  const notes = await offlineNotes(account.id);
  const main = element("main", "offline-list");
  main.append(element("h1", "", heading));
  if (notes.length === 0) {
    main.append(element("p", "empty-text", "Notes that you open are kept on this device, and then they are here without network too."));
  }
  const all = element("ul", "");
  for (const { id, title } of notes) {
    const link = element("a", "offline-note", title || "Untitled");
    link.href = `/n/${encodeURIComponent(id)}`;
    const item = element("li", "");
    item.append(link);
    all.append(item);
  }
  main.append(all);
  root.replaceChildren(main);
}

async function note(account: { id: string; name: string }, id: string): Promise<void> {
  const store = await Store.open(account.id);
  const row = await store.note(id);
  store.close();
  if (!row) return list(account, "This note is not on this device");
  document.title = `${row.title || "Untitled"} · sideBar`;

  const header = element("header", "offline-bar");
  const back = element("a", "offline-back", "Notes");
  back.href = "/n";
  const state = element("p", "offline-state");
  state.setAttribute("role", "status");
  header.append(back, element("h1", "", row.title || "Untitled"), state);
  const main = element("main", "offline-note-page");
  const place = element("div", "note-editor");
  main.append(place);
  root.replaceChildren(header, main);

  const transport = connect();
  transport.onState((line) => {
    if (line === "open") offerReload(header);
  });
  const editor = await open({
    parent: place,
    note: id,
    title: row.title,
    account,
    access: row.access as Access,
    transport,
    preferences: { vim: false, source: false, spellcheck: true },
    hooks: {
      completeNotes: async (prefix) => (await offlineNotes(account.id)).filter(({ title }) => title.toLowerCase().startsWith(prefix.toLowerCase())),
      createNote: () => Promise.reject(new Error("a note cannot be made without network")),
      people: async () => [],
      tags: async () => [],
      upload: () => Promise.reject(new Error("files cannot be uploaded without network")),
      insertAt: () => Promise.reject(new Error("this needs the network")),
      navigate: (url) => location.assign(url),
      decideProposal: () => Promise.reject(new Error("this needs the network")),
      onStatus: (status) => (state.textContent = words(status)),
      onPresence() {},
      onOutline() {},
      onCount() {},
      onComment() {},
      onSelection() {},
    },
  });
  editor.focus();
}

/** The whole page again, with everything around the note. */
function offerReload(place: HTMLElement): void {
  if (place.querySelector("button")) return;
  const button = element("button", "button is-main", "The network is back: reload");
  button.type = "button";
  button.addEventListener("click", () => location.reload());
  place.append(button);
}

async function start(): Promise<void> {
  theme();
  const account = accountHere();
  if (!account) {
    const main = element("main", "offline-list");
    main.append(element("h1", "", "No network"), element("p", "empty-text", "Nobody's notes are on this device. Try again when the network is back."));
    return root.replaceChildren(main);
  }
  const id = /^\/n\/([^/]+)$/.exec(location.pathname)?.[1];
  if (id) return note(account, decodeURIComponent(id));
  addEventListener("online", () => offerReload(root.querySelector("main") ?? root));
  return list(account, "Notes on this device");
}

void start();
