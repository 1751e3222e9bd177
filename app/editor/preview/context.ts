// What every part of the preview asks: where the person is at work, so that the marks there are shown.

import { Facet } from "@codemirror/state";
import type { EditorView } from "@codemirror/view";
import type { Hooks } from "../types";

/** The page's hooks, for widgets. */
export const hooks = Facet.define<Hooks, Hooks | undefined>({ combine: (given) => given[0] });

/** Whether the person's cursor or selection touches this range. Who only reads touches nothing. */
export function isTouched(view: EditorView, from: number, to: number): boolean {
  if (!view.hasFocus || view.state.readOnly) return false;
  return view.state.selection.ranges.some((range) => range.from <= to && range.to >= from);
}

export function linesTouched(view: EditorView, from: number, to: number): boolean {
  const { doc } = view.state;
  return isTouched(view, doc.lineAt(from).from, doc.lineAt(to).to);
}
