// Where others are in the note: their cursor with their name, what they have selected. What is said of
// oneself is in the shape that other Yjs editors for CodeMirror read and write.

import { StateEffect, StateField, type Extension, type Range } from "@codemirror/state";
import { Decoration, EditorView, ViewPlugin, WidgetType, type DecorationSet, type ViewUpdate } from "@codemirror/view";
import { Reader, Writer } from "./bytes";
import { fromDocument } from "./binding";
import { colourOf, colourValue, initialsOf } from "./people";
import type { Replica } from "./replica";
import type { Session } from "./session";
import type { Hooks, Presence } from "./types";

const TELL_EVERY_MS = 50;

interface Id { client: number; clock: number }
interface RelativePosition { type: Id | null; tname: string | null; item: Id | null; assoc: number }
interface Shown extends Presence { anchor: number | null }

export function toRelative(sticky: Uint8Array): RelativePosition {
  const reader = new Reader(sticky);
  const kind = reader.uint();
  const none = { type: null, tname: "content", item: null };
  if (kind === 1) return { ...none, tname: reader.text(), assoc: reader.int() };
  const id = { client: reader.uint(), clock: reader.uint() };
  return kind === 0 ? { ...none, item: id, assoc: reader.int() } : { type: id, tname: null, item: null, assoc: reader.int() };
}

function toSticky(value: unknown): Uint8Array | null {
  const { item, tname, type, assoc } = (value ?? {}) as Partial<RelativePosition>;
  const writer = new Writer();
  if (item) writer.uint(0).uint(item.client).uint(item.clock);
  else if (typeof tname === "string") writer.uint(1).text(tname);
  else if (type) writer.uint(2).uint(type.client).uint(type.clock);
  else return null;
  // A signed integer: minus one has the sign's bit.
  return writer.uint((assoc ?? 0) < 0 ? 65 : 0).done();
}

function resolve(replica: Replica, value: unknown): number | null {
  try {
    const sticky = toSticky(value);
    return sticky && replica.resolve(sticky);
  } catch {
    return null;
  }
}

/** What somebody's client says, as far as it can be understood. */
function shownOf(client: number, state: Record<string, unknown>, replica: Replica): Shown {
  const user = (state.user ?? {}) as Record<string, unknown>;
  const cursor = (state.cursor ?? {}) as Record<string, unknown>;
  const name = typeof user.name === "string" && user.name.trim() ? user.name.trim().slice(0, 80) : "Somebody";
  const id = typeof user.id === "string" ? user.id : null;
  return {
    client,
    id,
    name,
    initials: initialsOf(name),
    colour: colourOf(id ?? String(client)),
    anchor: resolve(replica, cursor.anchor),
    head: resolve(replica, cursor.head),
  };
}

const setShown = StateEffect.define<DecorationSet>();

const shown = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(set, transaction) {
    for (const effect of transaction.effects) if (effect.is(setShown)) return effect.value;
    return set.map(transaction.changes);
  },
  provide: (field) => EditorView.decorations.from(field),
});

class Caret extends WidgetType {
  constructor(readonly name: string, readonly colour: number, readonly client: number) {
    super();
  }

  override eq(other: Caret): boolean {
    return other.name === this.name && other.colour === this.colour && other.client === this.client;
  }

  toDOM(): HTMLElement {
    const caret = document.createElement("span");
    caret.className = `note-caret is-person-${this.colour}`;
    caret.setAttribute("aria-hidden", "true");
    // Shown by the stylesheet: a name is no part of the text.
    caret.dataset.name = this.name;
    return caret;
  }

  override ignoreEvent(): boolean {
    return true;
  }
}

function decorate(people: Shown[], length: number): DecorationSet {
  const ranges: Range<Decoration>[] = [];
  for (const { name, colour, client, anchor, head } of people) {
    if (head === null || head > length) continue;
    const caret = new Caret(name, colour, client);
    ranges.push(Decoration.widget({ widget: caret, side: 10 }).range(head));
    if (anchor === null || anchor === head || anchor > length) continue;
    ranges.push(Decoration.mark({ class: `note-selected is-person-${colour}` }).range(Math.min(anchor, head), Math.max(anchor, head)));
  }
  return Decoration.set(ranges, true);
}

export class Others {
  #following: number | null = null;
  #heads = new Map<number, number>();
  #ending: () => void;
  #isDue = false;
  #telling: number | undefined;
  /** Where one was oneself when one was last told of. */
  #told = "";

  constructor(
    private readonly view: EditorView,
    private readonly session: Session,
    private readonly account: { id: string; name: string },
    private readonly hooks: Hooks,
  ) {
    this.#ending = session.awareness.onChange(() => this.#soon());
    this.tell();
  }

  update(update: ViewUpdate): void {
    const mine = update.transactions.some((transaction) => transaction.isUserEvent("select") || (transaction.docChanged && !transaction.annotation(fromDocument)));
    if (mine) this.#following = null;
    if (update.selectionSet || update.docChanged || update.focusChanged) this.#telling ??= setTimeout(() => this.tell(), TELL_EVERY_MS);
  }

  /** Says where one is. Finding that out walks through the text: never while a key is handled. */
  tell(): void {
    this.#telling = undefined;
    const { replica } = this.session;
    const { anchor, head } = this.view.state.selection.main;
    const at = (position: number) => toRelative(replica.sticky(position));
    const cursor = this.view.hasFocus ? { anchor: at(anchor), head: at(head) } : null;
    const { id, name } = this.account;
    const color = colourValue(colourOf(id));
    const state = { user: { id, name, color, colorLight: `${color}33` }, cursor };
    const text = JSON.stringify(state);
    if (text === this.#told) return;
    this.#told = text;
    this.session.awareness.set(state);
  }

  follow(client: number | null): void {
    this.#following = client;
    const head = client === null ? undefined : this.#heads.get(client);
    if (head !== undefined) this.#scrollTo(head);
  }

  /** One scrolls oneself. */
  lead(): void {
    this.#following = null;
  }

  destroy(): void {
    clearTimeout(this.#telling);
    this.#ending();
  }

  #soon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => {
      this.#isDue = false;
      if (this.view.dom.isConnected) this.#show();
    });
  }

  #show(): void {
    const people: Shown[] = [];
    for (const [client, { state }] of this.session.awareness.others) {
      if (state) people.push(shownOf(client, state, this.session.replica));
    }
    this.view.dispatch({ effects: setShown.of(decorate(people, this.view.state.doc.length)) });
    this.hooks.onPresence(people.map(({ anchor: _, ...person }) => person));
    const before = this.#following === null ? undefined : this.#heads.get(this.#following);
    this.#heads = new Map(people.flatMap(({ client, head }) => (head === null ? [] : [[client, head]])));
    const head = this.#following === null ? undefined : this.#heads.get(this.#following);
    if (head !== undefined && head !== before) this.#scrollTo(head);
  }

  #scrollTo(head: number): void {
    this.view.dispatch({ effects: EditorView.scrollIntoView(Math.min(head, this.view.state.doc.length), { y: "center" }) });
  }
}

const others = new WeakMap<EditorView, Others>();

export function follow(view: EditorView, client: number | null): void {
  others.get(view)?.follow(client);
}

export function presence(session: Session, account: { id: string; name: string }, hooks: Hooks): Extension {
  const lead = (_event: Event, view: EditorView) => void others.get(view)?.lead();
  return [
    shown,
    ViewPlugin.define((view) => {
      const plugin = new Others(view, session, account, hooks);
      others.set(view, plugin);
      return plugin;
    }),
    EditorView.domEventHandlers({ wheel: lead, touchmove: lead, mousedown: lead }),
  ];
}
