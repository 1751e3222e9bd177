// Footnotes: the mark in the text leads to the note, the one before the note leads back.

import { EditorView, WidgetType } from "@codemirror/view";

/** `[^label]`, and `[^label]:` where the note stands. */
export class FootnoteMark extends WidgetType {
  constructor(readonly label: string, readonly place: "text" | "note") {
    super();
  }

  override eq(other: FootnoteMark): boolean {
    return other.label === this.label && other.place === this.place;
  }

  toDOM(view: EditorView): HTMLElement {
    const mark = document.createElement("sup");
    mark.className = "md-footnote";
    const button = mark.appendChild(document.createElement("button"));
    button.type = "button";
    button.tabIndex = -1;
    button.textContent = this.place === "text" ? this.label : `${this.label} ↩`;
    button.setAttribute("aria-label", this.place === "text" ? `Footnote ${this.label}` : `Back to where footnote ${this.label} stands`);
    button.addEventListener("mousedown", (event) => event.preventDefault());
    button.addEventListener("click", () => this.#go(view));
    return mark;
  }

  #go(view: EditorView): void {
    const text = view.state.doc.toString();
    const label = this.label.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    const wanted = this.place === "text" ? new RegExp(`^\\[\\^${label}\\]:[ \\t]*`, "im") : new RegExp(`\\[\\^${label}\\](?!:)`, "i");
    const found = wanted.exec(text);
    if (!found) return;
    // Behind the mark: of a note its source would be shown before it.
    const at = found.index + found[0].length;
    view.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "nearest", yMargin: 48 }) });
    view.focus();
  }

  override ignoreEvent(): boolean {
    return true;
  }
}
