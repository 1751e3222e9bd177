// Enter, Backspace, Tab and the keys for emphasis, as one expects them in Markdown.

import { indentLess, indentMore, insertNewlineAndIndent } from "@codemirror/commands";
import { syntaxTree } from "@codemirror/language";
import { EditorSelection, type ChangeSpec, type EditorState, type StateCommand } from "@codemirror/state";
import type { KeyBinding } from "@codemirror/view";

const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])(\s+)(\[[ xX]\]\s+)?/;
const QUOTE = /^\s*(?:>\s?)+/;

/** What stands before the text of a line: quotes, then an item's mark. */
function markup(line: string): { quote: string; item: RegExpExecArray | null; length: number } {
  const quote = QUOTE.exec(line)?.[0] ?? "";
  const item = ITEM.exec(line.slice(quote.length));
  return { quote, item, length: quote.length + (item?.[0].length ?? 0) };
}

export function isInCode(state: EditorState, at: number): boolean {
  for (let node = syntaxTree(state).resolveInner(at, -1); node.parent; node = node.parent) {
    if (/^(FencedCode|CodeBlock|BlockMath|CodeText)$/.test(node.name)) return true;
  }
  return false;
}

/** The next line goes on with the list or quote; on an empty one it ends. */
const newline: StateCommand = ({ state, dispatch }) => {
  const { main } = state.selection;
  const line = state.doc.lineAt(main.head);
  const { quote, item, length } = markup(line.text);
  if (state.selection.ranges.length > 1 || !main.empty || length === 0 || main.head < line.from + length) return false;
  if (isInCode(state, main.head)) return false;
  if (line.text.slice(length).trim() === "") {
    // Out by one level, or out of the list.
    const indent = item?.[1] ?? "";
    const kept = indent.length >= 2 ? line.text.replace(/^(\s*?)(?: {2,4}|\t)(?=\S)/, "$1") : quote && item ? quote : "";
    dispatch(state.update({ changes: { from: line.from, to: line.to, insert: kept }, selection: { anchor: line.from + kept.length }, userEvent: "input" }));
    return true;
  }
  const mark = item ? item[2]! : "";
  const next = /\d/.test(mark) ? `${Number.parseInt(mark, 10) + 1}${mark.at(-1)}` : mark;
  const prefix = quote + (item ? `${item[1]}${next}${item[3]}${item[4] ? "[ ] " : ""}` : "");
  const changes: ChangeSpec[] = [{ from: main.head, insert: `\n${prefix}` }];
  if (/\d/.test(mark)) changes.push(...renumber(state, line.number + 1, item![1]!, Number.parseInt(next, 10) + 1));
  const anchor = main.head + 1 + prefix.length;
  dispatch(state.update({ changes, selection: { anchor }, scrollIntoView: true, userEvent: "input" }));
  return true;
};

/** The items that follow in the same list count on. */
function renumber(state: EditorState, from: number, indent: string, first: number): ChangeSpec[] {
  const changes: ChangeSpec[] = [];
  let number = first;
  for (let n = from; n <= state.doc.lines && n < from + 200; n++) {
    const line = state.doc.line(n);
    const item = ITEM.exec(line.text);
    if (!item || item[1]!.length < indent.length || (item[1]!.length === indent.length && !/\d/.test(item[2]!))) break;
    if (item[1]!.length > indent.length) continue;
    const at = line.from + indent.length;
    const old = item[2]!.slice(0, -1);
    if (old !== String(number)) changes.push({ from: at, to: at + old.length, insert: String(number) });
    number++;
  }
  return changes;
}

/** At the start of an item's text: the mark goes, the text stays. */
const backspace: StateCommand = ({ state, dispatch }) => {
  const { main } = state.selection;
  if (!main.empty || state.selection.ranges.length > 1) return false;
  const line = state.doc.lineAt(main.head);
  const heading = /^#{1,6}\s/.exec(line.text)?.[0].length ?? 0;
  const { item, quote, length } = markup(line.text);
  const end = length || heading;
  if (end === 0 || main.head !== line.from + end || isInCode(state, main.head)) return false;
  const from = item?.[1] ? line.from + quote.length : item ? line.from + quote.length : line.from + (heading ? 0 : Math.max(0, quote.length - 2));
  dispatch(state.update({ changes: { from, to: main.head }, userEvent: "delete" }));
  return true;
};

const onItem = (state: EditorState) => state.selection.ranges.every(({ head }) => ITEM.test(state.doc.lineAt(head).text));

const indent: StateCommand = (target) => {
  if (onItem(target.state) || target.state.selection.ranges.some((range) => !range.empty)) return indentMore(target);
  target.dispatch(target.state.update(target.state.replaceSelection("\t"), { userEvent: "input" }));
  return true;
};

/** Puts marks around the selection, or takes them away. */
export function surround(mark: string): StateCommand {
  return ({ state, dispatch }) => {
    const transaction = state.changeByRange((range) => {
      const { from, to } = range.empty ? (state.wordAt(range.head) ?? range) : range;
      const before = state.sliceDoc(from - mark.length, from);
      const after = state.sliceDoc(to, to + mark.length);
      if (before === mark && after === mark) {
        return {
          changes: [{ from: from - mark.length, to: from }, { from: to, to: to + mark.length }],
          range: EditorSelection.range(range.anchor - mark.length, range.head - mark.length),
        };
      }
      return {
        changes: [{ from, insert: mark }, { from: to, insert: mark }],
        range: EditorSelection.range(range.anchor + mark.length, range.head + mark.length),
      };
    });
    dispatch(state.update(transaction, { userEvent: "input", scrollIntoView: true }));
    return true;
  };
}

/** The selection becomes the text of a link, the cursor goes where its address belongs. */
const link: StateCommand = ({ state, dispatch }) => {
  const { from, to } = state.selection.main;
  const text = state.sliceDoc(from, to);
  const changes = { from, to, insert: `[${text}]()` };
  const anchor = text ? from + text.length + 3 : from + 1;
  dispatch(state.update({ changes, selection: { anchor }, userEvent: "input" }));
  return true;
};

export const keys: KeyBinding[] = [
  { key: "Enter", run: (view) => newline(view) || insertNewlineAndIndent(view) },
  { key: "Backspace", run: backspace },
  { key: "Tab", run: indent, shift: indentLess },
  { key: "Mod-b", run: surround("**"), preventDefault: true },
  { key: "Mod-i", run: surround("*"), preventDefault: true },
  { key: "Mod-e", run: surround("`"), preventDefault: true },
  { key: "Mod-Shift-x", run: surround("~~"), preventDefault: true },
  { key: "Mod-Shift-k", run: link, preventDefault: true },
];
