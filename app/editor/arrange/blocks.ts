// What moves as a whole: a list item with what hangs under it, else a block of the note.

import { syntaxTree } from "@codemirror/language";
import { EditorSelection, type ChangeSpec, type EditorState, type StateCommand } from "@codemirror/state";
import type { SyntaxNode } from "@lezer/common";

/** Whole lines, without the line break at the end. */
export interface Piece { from: number; to: number; isItem: boolean }

export function pieceAt(state: EditorState, at: number): Piece | null {
  const line = state.doc.lineAt(at);
  const start = line.from + /^\s*/.exec(line.text)![0].length;
  let top: SyntaxNode | null = null;
  for (let node: SyntaxNode | null = syntaxTree(state).resolveInner(Math.min(start, line.to), 1); node; node = node.parent) {
    if (node.name === "ListItem") return wholeLines(state, node, true);
    if (node.parent?.name === "Document") top = node;
  }
  if (!top || line.text.trim() === "") return null;
  return wholeLines(state, top, false);
}

function wholeLines(state: EditorState, node: SyntaxNode, isItem: boolean): Piece {
  const text = state.sliceDoc(node.from, node.to);
  const to = node.from + text.trimEnd().length;
  return { from: state.doc.lineAt(node.from).from, to: state.doc.lineAt(to).to, isItem };
}

/** The pieces beside it on its own level. */
export function neighbour(state: EditorState, piece: Piece, side: -1 | 1): Piece | null {
  const { doc } = state;
  const indent = /^\s*/.exec(doc.lineAt(piece.from).text)![0].length;
  let at = side < 0 ? piece.from - 1 : piece.to + 1;
  while (at >= 0 && at <= doc.length) {
    const line = doc.lineAt(at);
    if (line.text.trim() !== "") {
      const next = pieceAt(state, line.from);
      if (!next) return null;
      if (!piece.isItem) return outermost(state, line.from);
      const own = /^\s*/.exec(doc.lineAt(next.from).text)![0].length;
      if (!next.isItem || own < indent) return null;
      if (own === indent) return next;
      at = side < 0 ? next.from - 1 : next.to + 1;
      continue;
    }
    at = side < 0 ? line.from - 1 : line.to + 1;
  }
  return null;
}

/** The block of the note that this is in. */
export function outermost(state: EditorState, at: number): Piece | null {
  const line = state.doc.lineAt(at);
  for (let node: SyntaxNode | null = syntaxTree(state).resolveInner(line.to, -1); node; node = node.parent) {
    if (node.parent?.name === "Document") return wholeLines(state, node, false);
  }
  return null;
}

/** Moves a piece to stand before the line that begins at `at`, or at the end. */
export function moved(state: EditorState, piece: Piece, at: number): ChangeSpec[] | null {
  if (at >= piece.from && at <= piece.to + 1) return null;
  const { doc } = state;
  const text = doc.sliceString(piece.from, piece.to);
  const between = piece.isItem ? "\n" : "\n\n";
  let [from, to] = [piece.from, piece.to];
  // The gap goes with it, that before or that behind.
  if (at < from) from = gapBefore(state, from);
  else to = gapBehind(state, to);
  const insert = at >= doc.length && doc.sliceString(doc.length - 1) !== "\n" ? between + text : text + between;
  return [{ from, to }, { from: Math.min(at, doc.length), insert: at >= doc.length ? insert.trimEnd() : insert }];
}

function gapBefore(state: EditorState, at: number): number {
  let from = at;
  while (from > 0 && /\s/.test(state.sliceDoc(from - 1, from))) from--;
  return from;
}

function gapBehind(state: EditorState, at: number): number {
  let to = at;
  while (to < state.doc.length && state.sliceDoc(to, to + 1) === "\n") to++;
  return to;
}

/** Changes places with the neighbour. */
const swap = (side: -1 | 1): StateCommand => ({ state, dispatch }) => {
  const { head, anchor } = state.selection.main;
  const piece = pieceAt(state, head);
  const other = piece && neighbour(state, piece, side);
  if (!piece || !other) return false;
  const [first, second] = side < 0 ? [other, piece] : [piece, other];
  const gap = state.sliceDoc(first.to, second.from);
  const insert = state.sliceDoc(second.from, second.to) + gap + state.sliceDoc(first.from, first.to);
  const start = side < 0 ? first.from : first.from + (second.to - second.from) + gap.length;
  const by = start - piece.from;
  dispatch(
    state.update({
      changes: { from: first.from, to: second.to, insert },
      selection: EditorSelection.single(Math.max(start, anchor + by), Math.max(start, head + by)),
      scrollIntoView: true,
      userEvent: "move.line",
    }),
  );
  return true;
};

export const moveUp = swap(-1);
export const moveDown = swap(1);
