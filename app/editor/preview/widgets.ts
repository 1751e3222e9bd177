// What is shown in the place of Markdown inside a line: boxes to tick, pictures, formulas.

import { EditorView, WidgetType } from "@codemirror/view";
import { hooks } from "./context";
import { safe } from "./links";

export class Checkbox extends WidgetType {
  constructor(readonly isChecked: boolean, readonly label: string) {
    super();
  }

  override eq(other: Checkbox): boolean {
    return other.isChecked === this.isChecked && other.label === this.label;
  }

  toDOM(view: EditorView): HTMLElement {
    const box = document.createElement("input");
    box.type = "checkbox";
    box.className = "md-checkbox";
    box.checked = this.isChecked;
    box.disabled = view.state.readOnly;
    box.setAttribute("aria-label", this.label || "Task");
    box.addEventListener("mousedown", (event) => event.stopPropagation());
    box.addEventListener("change", () => {
      const at = view.posAtDOM(box);
      if (!/^\[[ xX]\]$/.test(view.state.sliceDoc(at, at + 3))) return;
      view.dispatch({ changes: { from: at + 1, to: at + 2, insert: box.checked ? "x" : " " }, userEvent: "input" });
    });
    return box;
  }

  override ignoreEvent(): boolean {
    return true;
  }
}

export class Picture extends WidgetType {
  constructor(readonly url: string, readonly text: string) {
    super();
  }

  override eq(other: Picture): boolean {
    return other.url === this.url && other.text === this.text;
  }

  toDOM(view: EditorView): HTMLElement {
    const address = safe(this.url);
    // A page of ours shows only pictures of ours: others would tell a stranger who reads what.
    if (!address?.startsWith("/") && !/^data:image\/(png|jpeg|gif|webp)[;,]/.test(this.url)) return this.#named(address);
    // Around both: what takes a widget's place in the line is taken for something typed.
    const place = document.createElement("span");
    const picture = place.appendChild(document.createElement("img"));
    picture.className = "md-image";
    picture.alt = this.text;
    picture.loading = "lazy";
    picture.src = address?.startsWith("/") ? address : this.url;
    picture.addEventListener("load", () => view.requestMeasure());
    picture.addEventListener("error", () => place.replaceChildren(this.#named(address)));
    return place;
  }

  #named(address: string | null): HTMLElement {
    const name = document.createElement(address ? "a" : "span");
    name.className = "md-picture-name";
    name.textContent = `Picture: ${this.text || this.url}`;
    if (address && name instanceof HTMLAnchorElement) {
      name.href = address;
      name.target = "_blank";
      name.rel = "noopener noreferrer";
    }
    return name;
  }

  override ignoreEvent(event: Event): boolean {
    return event.type !== "mousedown";
  }
}

export class Formula extends WidgetType {
  constructor(readonly tex: string, readonly isDisplay: boolean) {
    super();
  }

  override eq(other: Formula): boolean {
    return other.tex === this.tex && other.isDisplay === this.isDisplay;
  }

  toDOM(view: EditorView): HTMLElement {
    const place = document.createElement(this.isDisplay ? "div" : "span");
    place.className = this.isDisplay ? "md-math md-math-block" : "md-math";
    const formula = mathOf(view, this.tex, this.isDisplay);
    if (formula) place.append(formula);
    else place.textContent = this.tex;
    if (this.isDisplay) place.onmousedown = (event) => enter(view, place, event);
    return place;
  }

  override ignoreEvent(): boolean {
    return this.isDisplay;
  }
}

/** The one element of MathML that came back, nothing else of it. */
function mathOf(view: EditorView, tex: string, isDisplay: boolean): Element | null {
  try {
    const markup = view.state.facet(hooks)?.renderMath?.(tex, isDisplay);
    const parsed = markup ? new DOMParser().parseFromString(markup, "text/html").querySelector("math") : null;
    return parsed ? document.importNode(parsed, true) : null;
  } catch {
    return null;
  }
}

/** A click on something shown leads into its source. */
export function enter(view: EditorView, place: HTMLElement, event: MouseEvent, offset = 0): void {
  if (view.state.readOnly) return;
  event.preventDefault();
  view.dispatch({ selection: { anchor: Math.min(view.posAtDOM(place) + offset, view.state.doc.length) } });
  view.focus();
}

export class Label extends WidgetType {
  constructor(readonly text: string, readonly kind: string) {
    super();
  }

  override eq(other: Label): boolean {
    return other.text === this.text && other.kind === this.kind;
  }

  toDOM(): HTMLElement {
    const label = document.createElement("span");
    label.className = this.kind;
    label.textContent = this.text;
    return label;
  }
}
