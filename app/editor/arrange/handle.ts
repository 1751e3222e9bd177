// The handle beside the block or item under the hand: drag it to put that elsewhere. From the keyboard
// the same is done with Alt and the arrows.

import type { Extension } from "@codemirror/state";
import { EditorView, ViewPlugin, keymap, type PluginValue } from "@codemirror/view";
import { moveDown, moveUp, moved, pieceAt, type Piece } from "./blocks";

class Handle implements PluginValue {
  #button = document.createElement("button");
  #mark = document.createElement("div");
  #piece: Piece | null = null;
  #target: number | null = null;
  #over = (event: PointerEvent) => this.#find(event);
  #out = () => this.#hide();

  constructor(private readonly view: EditorView) {
    this.#button.type = "button";
    this.#button.className = "note-handle";
    this.#button.tabIndex = -1;
    this.#button.hidden = true;
    this.#button.title = "Drag to move (or Alt with ↑ ↓)";
    this.#button.setAttribute("aria-label", "Move this block");
    this.#button.innerHTML = '<svg viewBox="0 0 10 16" aria-hidden="true"><path d="M2 3h.01M8 3h.01M2 8h.01M8 8h.01M2 13h.01M8 13h.01"/></svg>';
    this.#mark.className = "note-drop";
    this.#mark.hidden = true;
    view.dom.append(this.#button, this.#mark);
    view.dom.addEventListener("pointermove", this.#over);
    view.dom.addEventListener("pointerleave", this.#out);
    this.#button.addEventListener("pointerdown", (event) => this.#grab(event));
  }

  update(): void {
    if (this.#target === null) this.#hide();
  }

  destroy(): void {
    this.view.dom.removeEventListener("pointermove", this.#over);
    this.view.dom.removeEventListener("pointerleave", this.#out);
    this.#button.remove();
    this.#mark.remove();
  }

  #hide(): void {
    if (this.#target === null) this.#button.hidden = true;
  }

  #find(event: PointerEvent): void {
    if (event.pointerType === "touch" || event.buttons !== 0 || this.view.state.readOnly || event.target === this.#button) return;
    const { left, right } = this.view.contentDOM.getBoundingClientRect();
    const at = this.view.posAtCoords({ x: (left + right) / 2, y: event.clientY }, false);
    const piece = pieceAt(this.view.state, at);
    if (!piece) return this.#hide();
    const place = this.view.coordsAtPos(piece.from, 1);
    if (!place || event.clientY < place.top - 8) return this.#hide();
    this.#piece = piece;
    const box = this.view.dom.getBoundingClientRect();
    this.#button.hidden = false;
    this.#button.style.transform = `translate(${left - box.left - 22}px, ${place.top - box.top + (place.bottom - place.top) / 2 - 11}px)`;
  }

  #grab(event: PointerEvent): void {
    const piece = this.#piece;
    if (!piece || event.button !== 0) return;
    event.preventDefault();
    this.#button.setPointerCapture(event.pointerId);
    this.#target = piece.from;
    const move = (next: PointerEvent) => this.#aim(next);
    const drop = (last: PointerEvent) => {
      this.#button.removeEventListener("pointermove", move);
      this.#button.removeEventListener("pointerup", drop);
      this.#button.removeEventListener("pointercancel", drop);
      this.#mark.hidden = true;
      const target = this.#target;
      this.#target = null;
      this.#hide();
      const changes = last.type === "pointerup" && target !== null ? moved(this.view.state, piece, target) : null;
      if (changes) this.view.dispatch({ changes, userEvent: "move.drop" });
    };
    this.#button.addEventListener("pointermove", move);
    this.#button.addEventListener("pointerup", drop);
    this.#button.addEventListener("pointercancel", drop);
  }

  /** Shows between which lines it would land. */
  #aim(event: PointerEvent): void {
    const { left, width } = this.view.contentDOM.getBoundingClientRect();
    const at = this.view.posAtCoords({ x: left + width / 2, y: event.clientY }, false);
    const over = pieceAt(this.view.state, at);
    if (!over) return;
    const [top, bottom] = [this.view.coordsAtPos(over.from, 1), this.view.coordsAtPos(over.to, -1)];
    if (!top || !bottom) return;
    const isAfter = event.clientY > (top.top + bottom.bottom) / 2;
    const { doc } = this.view.state;
    const next = isAfter ? Math.min(over.to + 1, doc.length) : over.from;
    this.#target = isAfter && !over.isItem ? afterGap(this.view, next) : next;
    const box = this.view.dom.getBoundingClientRect();
    this.#mark.hidden = false;
    this.#mark.style.width = `${width}px`;
    this.#mark.style.transform = `translate(${left - box.left}px, ${(isAfter ? bottom.bottom : top.top) - box.top}px)`;
  }
}

function afterGap(view: EditorView, at: number): number {
  let next = at;
  while (next < view.state.doc.length && view.state.sliceDoc(next, next + 1) === "\n") next++;
  return next;
}

export const arranging: Extension = [
  ViewPlugin.fromClass(Handle),
  keymap.of([
    { key: "Alt-ArrowUp", run: moveUp },
    { key: "Alt-ArrowDown", run: moveDown },
  ]),
];
