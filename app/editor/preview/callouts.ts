// Callouts: quotations that begin with `[!kind]`. A sign behind the bracket makes one that folds: `-` is
// folded at first, `+` is not. How one turned it is one's own, and not in the text.

import { syntaxTree } from "@codemirror/language";
import { StateEffect, StateField, type EditorState } from "@codemirror/state";
import { EditorView, WidgetType } from "@codemirror/view";
import type { SyntaxNode } from "@lezer/common";
import { linesTouched } from "./context";

export interface Callout {
  /** The kind in words, as it is written. */
  word: string;
  look: keyof typeof LOOKS | "note";
  sign: "" | "-" | "+";
  /** Where `[!kind]-` stands, with the space behind it. */
  from: number;
  to: number;
}

/** The same kinds look alike as in what the server renders. */
const LOOKS = {
  tip: /^(tip|hint|important|success|check|done)$/i,
  warning: /^(warning|caution|attention|question|help|faq|todo)$/i,
  danger: /^(danger|error|failure|fail|missing|bug)$/i,
  quiet: /^(quote|cite|example|abstract|summary|tldr)$/i,
} as const;

export function calloutOf(state: EditorState, quotation: SyntaxNode): Callout | null {
  const first = state.sliceDoc(quotation.from, Math.min(quotation.to, state.doc.lineAt(quotation.from).to));
  const found = /^(>[ \t]*)\[!([A-Za-z0-9-]{1,30})\]([-+]?)[ \t]*/.exec(first);
  if (!found) return null;
  const kind = found[2]!.toLowerCase().replaceAll("-", " ");
  const known = Object.entries(LOOKS).find(([, kinds]) => kinds.test(kind))?.[0] as keyof typeof LOOKS | undefined;
  return {
    word: kind[0]!.toUpperCase() + kind.slice(1),
    look: known ?? "note",
    sign: found[3] as Callout["sign"],
    from: quotation.from + found[1]!.length,
    to: quotation.from + found[0].length,
  };
}

const turn = StateEffect.define<number>();

/** Where the callouts begin that were turned by hand. */
export const turned = StateField.define<readonly number[]>({
  create: () => [],
  update(places, transaction) {
    let now = transaction.docChanged ? places.map((at) => transaction.changes.mapPos(at, 1)) : places;
    for (const effect of transaction.effects) {
      if (effect.is(turn)) now = now.includes(effect.value) ? now.filter((at) => at !== effect.value) : [...now, effect.value];
    }
    return now;
  },
});

/** Where one is at work nothing is folded. */
export function isFolded(view: EditorView, quotation: SyntaxNode, { sign }: Callout): boolean {
  if (!sign || linesTouched(view, quotation.from, quotation.to)) return false;
  return (sign === "-") !== view.state.field(turned).includes(quotation.from);
}

/** In the place of `[!kind]`: the kind in words, and what folds. */
export class CalloutMark extends WidgetType {
  constructor(readonly word: string, readonly fold: "never" | "open" | "folded") {
    super();
  }

  override eq(other: CalloutMark): boolean {
    return other.word === this.word && other.fold === this.fold;
  }

  toDOM(view: EditorView): HTMLElement {
    const mark = document.createElement("span");
    mark.className = "md-callout-mark";
    if (this.fold !== "never") mark.append(this.#button(view, mark));
    const word = document.createElement("strong");
    word.textContent = this.word;
    mark.append(word, " ");
    return mark;
  }

  #button(view: EditorView, mark: HTMLElement): HTMLElement {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "md-fold";
    button.setAttribute("aria-expanded", String(this.fold === "open"));
    button.setAttribute("aria-label", `Fold or open ${this.word}`);
    button.addEventListener("mousedown", (event) => event.preventDefault());
    button.addEventListener("click", () => {
      let node: SyntaxNode | null = syntaxTree(view.state).resolveInner(view.posAtDOM(mark), 1);
      while (node && node.name !== "Blockquote") node = node.parent;
      if (node) view.dispatch({ effects: turn.of(node.from) });
    });
    return button;
  }

  override ignoreEvent(): boolean {
    return true;
  }
}
