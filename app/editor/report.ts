// What the page shows around the text: how many words, which headings, what is selected. Words are
// counted by what changed, headings found when there is time: neither costs a keystroke.

import { StateField, type Extension, type Text } from "@codemirror/state";
import { ViewPlugin, type EditorView, type ViewUpdate } from "@codemirror/view";
import type { Heading, Hooks } from "./types";

const OUTLINE_AFTER_MS = 400;
const SELECTION_AFTER_MS = 120;
/** Scripts without spaces count by character. */
const WORD = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}]|(?:(?![\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}])[\p{L}\p{N}\p{M}'’_-])*(?![\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}])[\p{L}\p{N}](?:(?![\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}])[\p{L}\p{N}\p{M}'’_-])*/gu;

export function wordsIn(text: string): number {
  // Plain letters are the rule, and many times quicker to count.
  // eslint-disable-next-line no-control-regex
  if (/^[\x00-\x7f]*$/.test(text)) return text.match(/[A-Za-z0-9][A-Za-z0-9'_-]*/g)?.length ?? 0;
  return text.match(WORD)?.length ?? 0;
}

function wordsBetween(doc: Text, from: number, to: number): number {
  return wordsIn(doc.sliceString(doc.lineAt(from).from, doc.lineAt(to).to));
}

const words = StateField.define<number>({
  create: (state) => wordsIn(state.doc.toString()),
  update(count, transaction) {
    if (!transaction.docChanged) return count;
    let sum = count;
    const { startState, newDoc } = transaction;
    // Ranges that share a line are one: no line is counted twice.
    let last: [fromA: number, toA: number, fromB: number, toB: number] | null = null;
    const add = ([fromA, toA, fromB, toB]: [number, number, number, number]) => {
      sum += wordsBetween(newDoc, fromB, toB) - wordsBetween(startState.doc, fromA, toA);
    };
    transaction.changes.iterChangedRanges((fromA, toA, fromB, toB) => {
      const touches = last && (startState.doc.lineAt(last[1]).to >= fromA || newDoc.lineAt(last[3]).to >= fromB);
      if (last && touches) last = [last[0], toA, last[2], toB];
      else {
        if (last) add(last);
        last = [fromA, toA, fromB, toB];
      }
    });
    if (last) add(last);
    return sum;
  },
});

/** Headings of the form `# …`, outside code. */
export function headingsIn(doc: Text): Heading[] {
  const headings: Heading[] = [];
  let fence: string | null = null;
  let from = 0;
  for (const text of doc.iterLines()) {
    const marks = /^ {0,3}(`{3,}|~{3,})/.exec(text)?.[1];
    if (marks && (!fence || (marks[0] === fence[0] && marks.length >= fence.length))) fence = fence ? null : marks;
    const heading = fence ? null : /^ {0,3}(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*$/.exec(text);
    if (heading?.[2]) headings.push({ level: heading[1]!.length, text: plain(heading[2]), from });
    from += text.length + 1;
  }
  return headings;
}

function plain(text: string): string {
  return text
    .replace(/\[\[(?:[^\]|]+\|)?([^\]]+)\]\]/g, "$1")
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/(\*\*|__|~~|`|\*)(?=\S)(.+?)\1/g, "$2");
}

class Reporter {
  #outline: number | undefined;
  #selection: number | undefined;
  #headings = "";

  constructor(private readonly view: EditorView, private readonly hooks: Hooks) {
    this.#later(0);
  }

  update(update: ViewUpdate): void {
    if (update.docChanged) this.#later(OUTLINE_AFTER_MS);
    if (update.selectionSet || update.docChanged) {
      clearTimeout(this.#selection);
      this.#selection = setTimeout(() => this.#tellSelection(), SELECTION_AFTER_MS);
    }
  }

  destroy(): void {
    clearTimeout(this.#outline);
    clearTimeout(this.#selection);
  }

  #later(wait: number): void {
    clearTimeout(this.#outline);
    this.#outline = setTimeout(() => {
      const { state } = this.view;
      this.hooks.onCount({ words: state.field(words), characters: state.doc.length });
      const headings = headingsIn(state.doc);
      const text = JSON.stringify(headings);
      if (text !== this.#headings) this.hooks.onOutline(headings);
      this.#headings = text;
    }, wait);
  }

  #tellSelection(): void {
    const { state } = this.view;
    const { from, to } = state.selection.main;
    this.hooks.onSelection(from === to ? null : { from, to, text: state.sliceDoc(from, to) });
  }
}

export function reporting(hooks: Hooks): Extension {
  return [words, ViewPlugin.define((view) => new Reporter(view, hooks))];
}
