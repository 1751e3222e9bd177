// A table, shown as one while the person is at work elsewhere. A click leads into the cell's source.

import type { EditorState } from "@codemirror/state";
import { EditorView, WidgetType } from "@codemirror/view";
import type { SyntaxNode } from "@lezer/common";

type Align = "left" | "center" | "right";
interface Cell { text: string; from: number }

export class Table extends WidgetType {
  constructor(readonly source: string, readonly rows: Cell[][], readonly aligns: Align[]) {
    super();
  }

  static of(state: EditorState, node: SyntaxNode): Table {
    const rows = [node.getChild("TableHeader"), ...node.getChildren("TableRow")].map((row) => (row ? cellsOf(state, row, node.from) : []));
    const delimiter = node.getChild("TableDelimiter");
    const marks = delimiter ? state.sliceDoc(delimiter.from, delimiter.to).replace(/^\s*\||\|\s*$/g, "").split("|") : [];
    return new Table(state.sliceDoc(node.from, node.to), rows, marks.map(alignOf));
  }

  override eq(other: Table): boolean {
    return other.source === this.source;
  }

  override get estimatedHeight(): number {
    return this.rows.length * 35 + 2;
  }

  toDOM(view: EditorView): HTMLElement {
    const place = document.createElement("div");
    place.className = "md-table";
    place.tabIndex = -1;
    const table = place.appendChild(document.createElement("table"));
    const [head, ...body] = this.rows;
    if (head) this.#row(table.createTHead().insertRow(), head, "th");
    const rest = table.createTBody();
    for (const row of body) this.#row(rest.insertRow(), row, "td");
    place.onmousedown = (event) => this.#enter(view, place, event);
    return place;
  }

  override ignoreEvent(): boolean {
    return true;
  }

  #row(row: HTMLTableRowElement, cells: Cell[], kind: "th" | "td"): void {
    const width = Math.max(this.aligns.length, this.rows[0]?.length ?? 0);
    for (let at = 0; at < width; at++) {
      const cell = document.createElement(kind);
      if (kind === "th") cell.scope = "col";
      const align = this.aligns[at];
      if (align && align !== "left") cell.className = align;
      const from = cells[at]?.from;
      if (from !== undefined) cell.dataset.from = String(from);
      inline(cell, cells[at]?.text ?? "");
      row.append(cell);
    }
  }

  #enter(view: EditorView, place: HTMLElement, event: MouseEvent): void {
    if (view.state.readOnly || event.button !== 0) return;
    event.preventDefault();
    const cell = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-from]") : null;
    const at = view.posAtDOM(place) + Number(cell?.dataset.from ?? 0);
    view.dispatch({ selection: { anchor: Math.min(at, view.state.doc.length) } });
    view.focus();
  }
}

function alignOf(mark: string): Align {
  const text = mark.trim();
  if (!text.endsWith(":")) return "left";
  return text.startsWith(":") ? "center" : "right";
}

/** The cells between the bars, empty ones too. */
function cellsOf(state: EditorState, row: SyntaxNode, start: number): Cell[] {
  const text = state.sliceDoc(row.from, row.to);
  const cells: Cell[] = [];
  let from = text.startsWith("|") ? 1 : 0;
  for (let at = from; at <= text.length; at++) {
    if (text[at] === "\\") at++;
    else if (at === text.length || text[at] === "|") {
      const raw = text.slice(from, at);
      if (at < text.length || raw.trim()) {
        const space = raw.length - raw.trimStart().length;
        cells.push({ text: raw.trim().replaceAll("\\|", "|"), from: row.from - start + from + space });
      }
      from = at + 1;
    }
  }
  return cells;
}

const INLINE = /(`+)(.+?)\1|\*\*(.+?)\*\*|__(.+?)__|\*([^*\s].*?)\*|~~(.+?)~~|!?\[([^\]]*)\]\([^)]*\)|\[\[([^\]|]+)(?:\|([^\]]+))?\]\]|<br\s*\/?>/gi;

/** The plain kinds of emphasis inside a cell. */
function inline(place: HTMLElement, text: string): void {
  let last = 0;
  for (const found of text.matchAll(INLINE)) {
    place.append(text.slice(last, found.index));
    last = found.index + found[0].length;
    const [, , code, strong, strong2, em, struck, link, note, shown] = found;
    if (code !== undefined) place.append(span("code", code));
    else if (strong !== undefined || strong2 !== undefined) place.append(span("strong", strong ?? strong2!));
    else if (em !== undefined) place.append(span("em", em));
    else if (struck !== undefined) place.append(span("del", struck));
    else if (link !== undefined) place.append(span("span", link, "md-link"));
    else if (note !== undefined) place.append(span("span", shown ?? note, "md-wikilink"));
    else place.append(document.createElement("br"));
  }
  place.append(text.slice(last));
}

function span(kind: string, text: string, name?: string): HTMLElement {
  const element = document.createElement(kind);
  element.textContent = text;
  if (name) element.className = name;
  return element;
}
