// Between the page, which is WebAssembly, and the editor: opens a note in it and answers what the
// editor asks, by requests to our own API. The page gives and gets JSON.

import { open, type LineState, type NoteEditor, type Options, type Transport } from "../editor/editor";

type Tell = (json: string) => void;
interface Opening extends Pick<Options, "note" | "title" | "account" | "access" | "readOnlyReason" | "preferences"> {
  token: string | null;
}
interface Titled { id: string; title: string }

/** What the page holds. */
interface Handle {
  frame(frame: Uint8Array): void;
  line(state: LineState): void;
  /** Calls a function of the editor; arguments and answer are JSON. */
  call(what: string, json: string): string;
  close(): void;
}

export async function openNote(
  parent: HTMLElement,
  json: string,
  send: (frame: Uint8Array) => boolean,
  tellJson: Tell,
  formula: (tex: string, display: boolean) => string | undefined,
  set: (text: string, files: string) => string | undefined,
): Promise<Handle> {
  const { token, ...opening } = JSON.parse(json) as Opening;
  const tell = (what: string, value: unknown) => tellJson(JSON.stringify({ tell: what, with: value ?? null }));
  const line = new Line(send);
  const here = `/notes/${opening.note}`;

  async function ask<T>(method: string, path: string, body?: BodyInit, type = "application/json"): Promise<T> {
    const headers: Record<string, string> = { accept: "application/json" };
    if (body !== undefined) headers["content-type"] = type;
    if (token && method !== "GET") headers["x-csrf-token"] = token;
    const answer = await fetch(`/api/v1${path}`, { method, headers, body });
    const said = (await answer.json().catch(() => ({}))) as { data?: T; error?: string };
    if (answer.ok) return said.data as T;
    throw new Error(said.error ?? "The server cannot be reached. Try again when you are online.");
  }
  /** What could not be fetched is offered as nothing; the status line says why. */
  const offered = <T>(answer: Promise<T[]>) => answer.catch(() => [] as T[]);
  /** What the person asked for and did not get is said; with `what` it was, where they may be elsewhere by then. */
  const wanted = async <T>(answer: Promise<T>, what = "") => {
    try {
      return await answer;
    } catch (cause) {
      tell("trouble", `${what} ${cause instanceof Error ? cause.message : String(cause)}`.trim());
      throw cause;
    }
  };
  const filesOf = (note: string) => `/api/v1/notes/${note}/attachments/named/`;
  const query = (prefix: string) => `prefix=${encodeURIComponent(prefix)}`;

  const editor: NoteEditor = await open({
    ...opening,
    parent,
    transport: line,
    hooks: {
      completeNotes: (prefix) => offered(ask<Titled[]>("GET", `/notes/titles?${query(prefix)}`)),
      createNote: (title) => wanted(ask<Titled>("POST", "/notes", JSON.stringify({ title }))),
      people: (prefix) => offered(ask("GET", `/people?${query(prefix)}`)),
      async tags(prefix) {
        const all = await offered(ask<{ tag: string }[]>("GET", "/notes/tags"));
        return all.map(({ tag }) => tag).filter((tag) => tag.startsWith(prefix.toLowerCase()));
      },
      async upload(file) {
        const path = `${here}/attachments?name=${encodeURIComponent(file.name)}`;
        const type = file.type || "application/octet-stream";
        const sent = ask<{ url: string; name: string; media_type: string }>("POST", path, file, type);
        const made = await wanted(sent, `${file.name || "The picture"} was not uploaded.`);
        return { url: made.url, name: made.name, mime: made.media_type };
      },
      async insertAt(at, text) {
        const written = ask("PATCH", here, JSON.stringify({ insert: { at, text } }));
        await wanted(written, "The link to what was uploaded was not written into the note.");
      },
      navigate: (url) => tell("navigate", url),
      renderMath: (tex, display) => formula(tex, display) ?? "",
      async readNote(title) {
        const known = await offered(ask<Titled[]>("GET", `/notes/titles?${query(title)}`));
        const found = known.find((note) => note.title.toLowerCase() === title.toLowerCase());
        if (!found) return null;
        const { content } = await ask<{ content: string }>("GET", `/notes/${found.id}`);
        return { id: found.id, text: content };
      },
      renderNote: (text, note) => set(text, filesOf(note)) ?? "",
      fileUrl: (name) => filesOf(opening.note) + encodeURIComponent(name),
      async decideProposal(id, hunks, accept) {
        const path = `${here}/proposals/${id}/${accept ? "accept" : "reject"}`;
        await wanted(ask("POST", path, JSON.stringify(hunks ? { hunks } : {})));
      },
      onStatus: (status) => tell("status", status),
      onPresence: (people) => tell("presence", people),
      onOutline: (headings) => tell("outline", headings),
      onCount: (count) => tell("count", count),
      onComment: (id) => tell("comment", id),
      onSelection: (selection) => tell("selection", selection),
    },
  });

  let shown = false;
  /** The editor takes the place of the text in the page once it has it. */
  const show = (arrived: boolean) => {
    if (shown || !(arrived || editor.getText() !== "")) return;
    shown = true;
    tell("ready", null);
  };
  show(false);

  return {
    frame(frame) {
      line.receive(frame);
      if (!shown) show(hasDocument(frame));
    },
    line: (state) => line.stand(state),
    call(what, args) {
      const value: unknown = JSON.parse(args);
      const act = editor[what as keyof NoteEditor] as (value: unknown) => unknown;
      return JSON.stringify(act.call(editor, value) ?? null);
    },
    close: () => editor.destroy(),
  };
}

/** Whether the frame brought the document: y-protocols' sync, step 2 or an update. */
function hasDocument(frame: Uint8Array): boolean {
  return frame[16] === 0 && (frame[17] === 1 || frame[17] === 2);
}

/** The page's socket, as the editor sees it. */
class Line implements Transport {
  #frames = new Set<(frame: Uint8Array) => void>();
  #states = new Set<(state: LineState) => void>();
  #state: LineState = "lost";

  constructor(readonly send: (frame: Uint8Array) => boolean) {}

  onFrame(listener: (frame: Uint8Array) => void): () => void {
    this.#frames.add(listener);
    return () => this.#frames.delete(listener);
  }

  onState(listener: (state: LineState) => void): () => void {
    this.#states.add(listener);
    listener(this.#state);
    return () => this.#states.delete(listener);
  }

  receive(frame: Uint8Array): void {
    for (const listener of [...this.#frames]) listener(frame);
  }

  stand(state: LineState): void {
    if (state === this.#state) return;
    this.#state = state;
    for (const listener of [...this.#states]) listener(state);
  }
}
