// Passages that are commented on: underlined, and a click leads to the comment. Where they are follows
// the text; the page knows the comments.

import { StateEffect, StateField, type Extension, type Range } from "@codemirror/state";
import { Decoration, EditorView, type DecorationSet } from "@codemirror/view";
import { fromBase64 } from "./bytes";
import type { Replica } from "./replica";
import type { CommentRange } from "./types";

const set = StateEffect.define<DecorationSet>();

const field = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(ranges, transaction) {
    for (const effect of transaction.effects) if (effect.is(set)) return effect.value;
    return ranges.map(transaction.changes);
  },
  provide: (own) => EditorView.decorations.from(own),
});

function place(replica: Replica, sticky: string): number | null {
  try {
    return replica.resolve(fromBase64(sticky));
  } catch {
    return null;
  }
}

export function showComments(view: EditorView, replica: Replica, comments: CommentRange[]): void {
  const ranges: Range<Decoration>[] = [];
  const { length } = view.state.doc;
  for (const { id, from, to, resolved } of comments) {
    const [start, end] = [place(replica, from), place(replica, to)];
    if (resolved || start === null || end === null || end <= start || end > length) continue;
    ranges.push(Decoration.mark({ class: "note-comment", attributes: { "data-comment": id } }).range(start, end));
  }
  view.dispatch({ effects: set.of(Decoration.set(ranges, true)) });
}

export function commenting(onComment: (id: string) => void): Extension {
  return [
    field,
    EditorView.domEventHandlers({
      click(event) {
        const passage = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-comment]") : null;
        if (passage?.dataset.comment) onComment(passage.dataset.comment);
        return false;
      },
    }),
  ];
}
