// The visible editor of one note: CodeMirror with everything around it, and the handle the page holds.

import { defaultKeymap } from "@codemirror/commands";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, type Extension } from "@codemirror/state";
import { EditorView, drawSelection, dropCursor, keymap, placeholder } from "@codemirror/view";
import { arranging } from "./arrange/handle";
import { redo, undo } from "./binding";
import { toBase64 } from "./bytes";
import { commenting, showComments } from "./comments";
import { completion } from "./complete";
import { highlighting } from "./markdown/highlight";
import { keys } from "./markdown/keys";
import { markdown } from "./markdown/language";
import { pasting } from "./paste";
import { leaveUploads } from "./paste/files";
import { follow, presence } from "./presence";
import { act, openLinks, preview } from "./preview";
import { hooks } from "./preview/context";
import { Proposals, proposing } from "./proposals";
import { reporting } from "./report";
import type { Session } from "./session";
import type { Anchor, CommentRange, NoteEditor, Options, Preferences, Selected } from "./types";

/** The find panel's words, as the rest of the page writes them. */
const PHRASES = {
  next: "Next",
  previous: "Previous",
  all: "All",
  "match case": "Match case",
  regexp: "Pattern",
  "by word": "Whole words",
  replace: "Replace",
  "replace all": "Replace all",
  close: "Close",
};

export class Surface implements NoteEditor {
  #editable = new Compartment();
  #preferred = new Compartment();
  #vim = new Compartment();
  #preferences: Preferences;
  #leaving = (event: BeforeUnloadEvent) => {
    this.session.flush();
    if (this.session.wouldLose()) event.preventDefault();
  };
  #hiding = () => this.session.flush();
  #proposals: Proposals;

  constructor(
    readonly view: EditorView,
    readonly session: Session,
    private readonly options: Options,
    bound: Extension,
  ) {
    this.#preferences = options.preferences;
    this.#proposals = new Proposals(view, () => session.replica.proposals());
    view.setState(EditorState.create({ doc: session.replica.text(), extensions: this.#extensions(bound) }));
    this.#proposals.changed();
    void this.#loadVim();
    addEventListener("beforeunload", this.#leaving);
    addEventListener("pagehide", this.#hiding);
    document.addEventListener("visibilitychange", this.#hiding);
  }

  #extensions(bound: Extension): Extension {
    const { title, account, hooks: given } = this.options;
    return [
      // A carriage return is a character like any other: both sides count it.
      EditorState.lineSeparator.of("\n"),
      EditorView.cspNonce.of(nonce()),
      hooks.of(given),
      this.#vim.of([]),
      bound,
      this.#editable.of(this.#access()),
      this.#preferred.of(this.#preference()),
      markdown(),
      highlighting,
      completion(given),
      arranging,
      keymap.of([{ key: "Mod-Enter", run: act }, { key: "Mod-s", run: () => this.#save() }, ...keys, ...searchKeymap, ...defaultKeymap]),
      search({ top: true }),
      EditorState.phrases.of(PHRASES),
      highlightSelectionMatches({ minSelectionLength: 3 }),
      drawSelection(),
      dropCursor(),
      EditorView.lineWrapping,
      EditorView.contentAttributes.of({ "aria-label": `Note: ${title}` }),
      placeholder("Write, or type / for a menu"),
      openLinks,
      pasting(given),
      presence(this.session, account, given),
      commenting((id) => given.onComment(id)),
      proposing((id, hunks, accept) => given.decideProposal(id, hunks, accept)),
      reporting(given),
      EditorView.updateListener.of((update) => {
        if (update.docChanged && this.#proposals.any) this.#proposals.changed();
      }),
    ];
  }

  /** For hands that are used to it: everything is kept by itself. */
  #save(): boolean {
    this.session.flush();
    return true;
  }

  /** The document changed elsewhere, in its text or beside it. */
  documentChanged(): void {
    this.#proposals.changed();
  }

  accessChanged(): void {
    const hadFocus = this.view.contentDOM.contains(document.activeElement);
    this.view.dispatch({ effects: this.#editable.reconfigure(this.#access()) });
    if (hadFocus) this.view.contentDOM.focus();
  }

  destroy(): void {
    removeEventListener("beforeunload", this.#leaving);
    removeEventListener("pagehide", this.#hiding);
    document.removeEventListener("visibilitychange", this.#hiding);
    leaveUploads(this.view, this.session.replica);
    this.view.destroy();
    void this.session.end().then(() => this.session.replica.free());
  }

  focus(): void {
    this.view.focus();
  }

  setPreferences(preferences: Preferences): void {
    this.#preferences = preferences;
    this.view.dispatch({ effects: this.#preferred.reconfigure(this.#preference()) });
    void this.#loadVim();
  }

  goTo(from: number): void {
    const at = Math.min(from, this.view.state.doc.length);
    this.view.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "start", yMargin: 24 }) });
    this.view.focus();
  }

  follow(client: number | null): void {
    follow(this.view, client);
  }

  showComments(comments: CommentRange[]): void {
    showComments(this.view, this.session.replica, comments);
  }

  anchorSelection(): Anchor | null {
    const selected = this.selection();
    if (!selected) return null;
    const { from, to, text } = selected;
    const { replica } = this.session;
    return { from: toBase64(replica.sticky(from)), to: toBase64(replica.sticky(to, true)), quote: text };
  }

  insert(text: string): void {
    this.view.dispatch(this.view.state.replaceSelection(text), { scrollIntoView: true, userEvent: "input" });
  }

  getText(): string {
    return this.view.state.doc.toString();
  }

  unsaved(): number {
    return this.session.unsaved();
  }

  selection(): Selected | null {
    const { from, to } = this.view.state.selection.main;
    return from === to ? null : { from, to, text: this.view.state.sliceDoc(from, to) };
  }

  #access(): Extension {
    const may = this.session.mayEdit && !this.options.readOnlyReason;
    return [EditorState.readOnly.of(!may), EditorView.editable.of(may), may ? [] : EditorView.contentAttributes.of({ tabindex: "0" })];
  }

  #preference(): Extension {
    const { source, spellcheck } = this.#preferences;
    const attributes = EditorView.contentAttributes.of({ spellcheck: String(spellcheck), autocapitalize: "sentences" });
    return [attributes, source ? EditorView.editorAttributes.of({ class: "is-source" }) : preview];
  }

  /** Vim's keys come when they are wanted, in a chunk of their own. */
  async #loadVim(): Promise<void> {
    const wanted = () => this.#preferences.vim;
    const vim = wanted() ? await import("./vim") : null;
    if (vim && !wanted()) return;
    const steps = { undo: () => undo(this.view, this.session), redo: () => redo(this.view, this.session) };
    this.view.dispatch({ effects: this.#vim.reconfigure(vim ? vim.vimKeys(this.view, steps) : []) });
  }
}

/** What the page's Content-Security-Policy lets styles in by. */
export function nonce(): string {
  return document.querySelector<HTMLElement>("script[nonce], style[nonce]")?.nonce ?? "";
}
