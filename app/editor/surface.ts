// The visible editor of one note: CodeMirror with everything around it, and the handle the page holds.

import { Compartment, EditorState, type Extension } from "@codemirror/state";
import { defaultKeymap, indentWithTab } from "@codemirror/commands";
import { EditorView, drawSelection, dropCursor, keymap } from "@codemirror/view";
import { toBase64 } from "./bytes";
import type { Session } from "./session";
import type { Anchor, CommentRange, NoteEditor, Options, Preferences, Selected } from "./types";

export class Surface implements NoteEditor {
  #editable = new Compartment();
  #preferred = new Compartment();
  #preferences: Preferences;
  #leaving = (event: BeforeUnloadEvent) => {
    this.session.flush();
    if (this.session.wouldLose()) event.preventDefault();
  };
  #hiding = () => this.session.flush();

  constructor(
    readonly view: EditorView,
    readonly session: Session,
    private readonly options: Options,
    bound: Extension,
  ) {
    this.#preferences = options.preferences;
    view.setState(
      EditorState.create({
        doc: session.replica.text(),
        extensions: [
          EditorState.lineSeparator.of("\n"),
          EditorView.cspNonce.of(nonce()),
          bound,
          this.#editable.of(this.#access()),
          this.#preferred.of(this.#preference()),
          drawSelection(),
          dropCursor(),
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ "aria-label": `Note: ${options.title}` }),
          keymap.of([...defaultKeymap, indentWithTab]),
        ],
      }),
    );
    addEventListener("beforeunload", this.#leaving);
    addEventListener("pagehide", this.#hiding);
  }

  documentChanged(): void {}

  accessChanged(): void {
    this.view.dispatch({ effects: this.#editable.reconfigure(this.#access()) });
  }

  destroy(): void {
    removeEventListener("beforeunload", this.#leaving);
    removeEventListener("pagehide", this.#hiding);
    this.view.destroy();
    void this.session.end().then(() => this.session.replica.free());
  }

  focus(): void {
    this.view.focus();
  }

  setPreferences(preferences: Preferences): void {
    this.#preferences = preferences;
    this.view.dispatch({ effects: this.#preferred.reconfigure(this.#preference()) });
  }

  goTo(from: number): void {
    const at = Math.min(from, this.view.state.doc.length);
    this.view.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "start", yMargin: 24 }) });
    this.view.focus();
  }

  follow(_client: number | null): void {}

  showComments(_comments: CommentRange[]): void {}

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
    return EditorView.contentAttributes.of({ spellcheck: String(this.#preferences.spellcheck), autocorrect: "on" });
  }
}

/** What the page's Content-Security-Policy lets styles in by. */
export function nonce(): string {
  return document.querySelector<HTMLElement>("script[nonce], style[nonce]")?.nonce ?? "";
}
