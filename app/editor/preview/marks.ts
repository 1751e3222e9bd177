// The preview inside lines: what is in view is decorated after its syntax, and marks are hidden where
// the person is not at work. Only the viewport is looked at, whatever the note's length.

import { syntaxTree } from "@codemirror/language";
import type { EditorState, Range } from "@codemirror/state";
import { Decoration, EditorView, ViewPlugin, type DecorationSet, type ViewUpdate } from "@codemirror/view";
import type { SyntaxNode, SyntaxNodeRef } from "@lezer/common";
import { CalloutMark, calloutOf, isFolded, turned, type Callout } from "./callouts";
import { hooks, isTouched, linesTouched } from "./context";
import { EmbeddedFile, EmbeddedNote, embedded } from "./embeds";
import { FootnoteMark } from "./footnotes";
import { Arrow } from "./links";
import { Checkbox, Formula, Label, Picture } from "./widgets";

const hidden = Decoration.replace({});
const mark = (name: string) => Decoration.mark({ class: name });
const line = (name: string) => Decoration.line({ class: name });
const wikilink = mark("md-wikilink");
const mention = mark("md-mention");
const hashtag = mark("md-tag");
const bullet = mark("md-bullet");
const number = mark("md-number");
const headings = [1, 2, 3, 4, 5, 6].map((level) => line(`md-heading md-h${level}`));
const quote = line("md-quote");
const calloutTitle = line("md-callout-title");
const callouts: Record<Callout["look"], Decoration> = {
  note: line("md-callout is-note"),
  tip: line("md-callout is-tip"),
  warning: line("md-callout is-warning"),
  danger: line("md-callout is-danger"),
  quiet: line("md-callout is-quiet"),
};
const rule = line("md-rule");
const frontmatter = line("md-frontmatter");
const done = line("md-done");
const codeLine = line("md-code-line");
const codeFirst = line("md-code-line md-code-first");
const codeLast = line("md-code-line md-code-last");
const codeEnd = line("md-code-end");
const DEEPEST = 6;
const items = Array.from({ length: DEEPEST + 1 }, (_, depth) => line(`md-item md-depth-${depth}`));
const continued = Array.from({ length: DEEPEST + 1 }, (_, depth) => line(`md-continued md-depth-${depth}`));

/** Decorations of one pass: those that hide or replace are also what the cursor steps over. */
class Pass {
  readonly all: Range<Decoration>[] = [];
  readonly atomic: Range<Decoration>[] = [];
  #lined = new Set<string>();

  constructor(readonly view: EditorView) {}

  get state(): EditorState {
    return this.view.state;
  }

  add(decoration: Decoration, from: number, to = from): void {
    if (to > from || decoration.spec.widget) this.all.push(decoration.range(from, to));
  }

  hide(from: number, to: number): void {
    if (to > from) this.replace(hidden, from, to);
  }

  replace(decoration: Decoration, from: number, to: number): void {
    const range = decoration.range(from, to);
    this.all.push(range);
    this.atomic.push(range);
  }

  /** A class for the line at this place, once. */
  line(decoration: Decoration, at: number): void {
    const { from } = this.state.doc.lineAt(at);
    const key = `${from} ${decoration.spec.class}`;
    if (this.#lined.has(key)) return;
    this.#lined.add(key);
    this.all.push(decoration.range(from));
  }

  lines(decoration: Decoration, from: number, to: number): void {
    const { doc } = this.state;
    const start = Math.max(from, this.view.viewport.from);
    const end = Math.min(to, this.view.viewport.to);
    for (let at = start; at <= end; at = doc.lineAt(at).to + 1) this.line(decoration, at);
  }
}

type Show = (pass: Pass, node: SyntaxNodeRef) => boolean | void;

const heading: Show = (pass, node) => {
  const level = Number(node.name.at(-1));
  pass.line(headings[level - 1]!, node.from);
  if (node.name.startsWith("Setext")) return;
  if (linesTouched(pass.view, node.from, node.to)) return;
  const marks = node.node.getChildren("HeaderMark");
  const first = marks[0];
  if (first) pass.hide(first.from, Math.min(first.to + 1, node.to));
  const last = marks.length > 1 ? marks.at(-1) : undefined;
  if (last) pass.hide(last.from, last.to);
};

/** Emphasis and the like: the marks at both ends. */
const spanned = (markName: string): Show => (pass, node) => {
  if (isTouched(pass.view, node.from, node.to)) return;
  for (const each of node.node.getChildren(markName)) pass.hide(each.from, each.to);
};

const link: Show = (pass, node) => {
  const [first, ...marks] = node.node.getChildren("LinkMark");
  const end = marks[0];
  if (!first || !end || !node.node.getChild("URL")) return;
  const name = pass.state.sliceDoc(first.to, end.from);
  if (!isTouched(pass.view, node.from, node.to)) {
    pass.hide(first.from, first.to);
    pass.hide(end.from, node.to);
  }
  pass.add(Decoration.widget({ widget: new Arrow(name, node.to), side: 1 }), node.to);
};

const address: Show = (pass, node) => {
  if (/^(Link|Image|Autolink)$/.test(node.node.parent?.name ?? "")) return;
  pass.add(Decoration.widget({ widget: new Arrow(pass.state.sliceDoc(node.from, node.to), node.to), side: 1 }), node.to);
};

const noteLink: Show = (pass, node) => {
  const text = pass.state.sliceDoc(node.from + 2, node.to - 2);
  if (!isTouched(pass.view, node.from, node.to)) {
    const bar = text.indexOf("|");
    pass.hide(node.from, node.from + 2 + (bar >= 0 ? bar + 1 : 0));
    pass.hide(node.to - 2, node.to);
  }
  pass.add(wikilink, node.from, node.to);
  pass.add(Decoration.widget({ widget: new Arrow(text.split("|").at(-1)!, node.to), side: 1 }), node.to);
};

const image: Show = (pass, node) => {
  const url = node.node.getChild("URL");
  const [first, end] = node.node.getChildren("LinkMark");
  if (!url || !first || !end || isTouched(pass.view, node.from, node.to)) return;
  const widget = new Picture(pass.state.sliceDoc(url.from, url.to), pass.state.sliceDoc(first.to, end.from));
  pass.replace(Decoration.replace({ widget }), node.from, node.to);
  return false;
};

const inlineMath: Show = (pass, node) => {
  if (isTouched(pass.view, node.from, node.to) || !pass.state.facet(hooks)?.renderMath) return;
  const widget = new Formula(pass.state.sliceDoc(node.from + 1, node.to - 1), false);
  pass.replace(Decoration.replace({ widget }), node.from, node.to);
};

const blockquote: Show = (pass, node) => {
  const callout = calloutOf(pass.state, node.node);
  if (!callout) return pass.lines(quote, node.from, node.to);
  pass.lines(callouts[callout.look], node.from, node.to);
  pass.line(calloutTitle, node.from);
  if (linesTouched(pass.view, node.from, callout.to)) return;
  const fold = callout.sign ? (isFolded(pass.view, node.node, callout) ? "folded" : "open") : "never";
  pass.replace(Decoration.replace({ widget: new CalloutMark(callout.word, fold) }), callout.from, callout.to);
};

const embed: Show = (pass, node) => {
  const written = pass.state.sliceDoc(node.from, node.to);
  if (isTouched(pass.view, node.from, node.to)) return pass.add(wikilink, node.from, node.to);
  const { name, heading, kind } = embedded(written);
  const url = pass.state.facet(hooks)?.fileUrl?.(name) ?? null;
  const file = kind === "picture" && url ? new Picture(url, name) : new EmbeddedFile(name, url);
  pass.replace(Decoration.replace({ widget: kind === "note" ? new EmbeddedNote(name, heading) : file }), node.from, node.to);
};

const footnote = (place: "text" | "note"): Show => (pass, node) => {
  if (isTouched(pass.view, node.from, place === "text" ? node.to : node.to - 1)) return;
  const label = pass.state.sliceDoc(node.from + 2, node.to).replace(/\]:?\s*$/, "");
  pass.replace(Decoration.replace({ widget: new FootnoteMark(label, place) }), node.from, node.to);
};

const quoteMark: Show = (pass, node) => {
  if (linesTouched(pass.view, node.from, node.to)) return;
  const space = pass.state.sliceDoc(node.to, node.to + 1) === " " ? 1 : 0;
  pass.hide(node.from, node.to + space);
};

function depthOf(node: SyntaxNode): number {
  let depth = -1;
  for (let at: SyntaxNode | null = node; at; at = at.parent) if (at.name === "ListItem") depth++;
  return Math.min(depth, DEEPEST);
}

/** An item's first line hangs by its mark; the spaces that nest it are hidden, its depth is a class. */
const item: Show = (pass, node) => {
  const { doc } = pass.state;
  const depth = depthOf(node.node);
  const first = doc.lineAt(node.from);
  pass.line(items[depth]!, node.from);
  if (/^\s+$/.test(doc.sliceString(first.from, node.from))) pass.hide(first.from, node.from);
  for (const child of [node.node.getChild("Paragraph"), node.node.getChild("Task")]) {
    if (!child) continue;
    for (let at = doc.lineAt(child.from).to + 1; at <= child.to; at = doc.lineAt(at).to + 1) {
      const next = doc.lineAt(at);
      pass.line(continued[depth]!, at);
      const space = /^\s*/.exec(next.text)![0].length;
      pass.hide(next.from, next.from + space);
    }
  }
};

const listMark: Show = (pass, node) => {
  const isNumber = node.node.parent?.parent?.name === "OrderedList";
  const space = pass.state.sliceDoc(node.to, node.to + 1) === " " ? 1 : 0;
  const task = node.node.parent?.getChild("Task")?.getChild("TaskMarker");
  if (task && !isTouched(pass.view, task.from + 1, task.to - 1) && !isNumber) return pass.hide(node.from, task.from);
  pass.add(isNumber ? number : bullet, node.from, node.to + space);
};

const taskMarker: Show = (pass, node) => {
  const isChecked = /x/i.test(pass.state.sliceDoc(node.from, node.to));
  const text = pass.state.doc.lineAt(node.from);
  if (isChecked) pass.line(done, node.from);
  if (isTouched(pass.view, node.from + 1, node.to - 1)) return;
  const label = pass.state.sliceDoc(node.to, text.to).trim();
  // With the space behind it, which no line is to strike through.
  pass.replace(Decoration.replace({ widget: new Checkbox(isChecked, label) }), node.from, Math.min(node.to + 1, text.to));
};

const horizontalRule: Show = (pass, node) => {
  if (linesTouched(pass.view, node.from, node.to)) return;
  pass.line(rule, node.from);
  pass.hide(node.from, node.to);
};

const fencedCode: Show = (pass, node) => {
  const { doc } = pass.state;
  const [first, last] = [doc.lineAt(node.from), doc.lineAt(node.to)];
  pass.lines(codeLine, first.to + 1, last.from - 1);
  pass.line(codeFirst, first.from);
  pass.line(codeLast, last.from);
  if (linesTouched(pass.view, node.from, node.to)) return;
  const info = node.node.getChild("CodeInfo");
  const name = info ? pass.state.sliceDoc(info.from, info.to) : "";
  pass.replace(Decoration.replace({ widget: new Label(name || "code", "md-code-name") }), node.from, first.to);
  if (last.number > first.number && /^\s*(`{3,}|~{3,})\s*$/.test(last.text)) {
    pass.line(codeEnd, last.from);
    pass.hide(last.from, last.to);
  }
};

const escape: Show = (pass, node) => {
  if (!isTouched(pass.view, node.from, node.to)) pass.hide(node.from, node.from + 1);
};

const shown: Record<string, Show> = {
  ...Object.fromEntries([1, 2, 3, 4, 5, 6].map((level) => [`ATXHeading${level}`, heading])),
  SetextHeading1: heading,
  SetextHeading2: heading,
  Emphasis: spanned("EmphasisMark"),
  StrongEmphasis: spanned("EmphasisMark"),
  Strikethrough: spanned("StrikethroughMark"),
  InlineCode: spanned("CodeMark"),
  Autolink: spanned("LinkMark"),
  Link: link,
  URL: address,
  Wikilink: noteLink,
  Embed: embed,
  FootnoteReference: footnote("text"),
  FootnoteMark: footnote("note"),
  Mention: (pass, node) => pass.add(mention, node.from, node.to),
  Hashtag: (pass, node) => pass.add(hashtag, node.from, node.to),
  Image: image,
  InlineMath: inlineMath,
  Blockquote: blockquote,
  QuoteMark: quoteMark,
  ListItem: item,
  ListMark: listMark,
  TaskMarker: taskMarker,
  HorizontalRule: horizontalRule,
  Frontmatter: (pass, node) => pass.lines(frontmatter, node.from, node.to),
  FencedCode: fencedCode,
  Escape: escape,
};

function decorate(view: EditorView): { decorations: DecorationSet; atomic: DecorationSet } {
  const pass = new Pass(view);
  // What a picture or table splits into two ranges is met in both.
  const met = new Set<string>();
  const enter = (node: SyntaxNodeRef) => {
    const show = shown[node.name];
    const key = `${node.from} ${node.name}`;
    if (!show || met.has(key)) return undefined;
    met.add(key);
    return show(pass, node);
  };
  for (const { from, to } of view.visibleRanges) syntaxTree(view.state).iterate({ from, to, enter });
  return { decorations: Decoration.set(pass.all, true), atomic: Decoration.set(pass.atomic, true) };
}

export const marks = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet;
    atomic: DecorationSet;

    constructor(view: EditorView) {
      ({ decorations: this.decorations, atomic: this.atomic } = decorate(view));
    }

    update(update: ViewUpdate): void {
      const parsed = syntaxTree(update.state) !== syntaxTree(update.startState);
      const rights = update.state.readOnly !== update.startState.readOnly;
      const folds = update.state.field(turned) !== update.startState.field(turned);
      if (!(folds || update.docChanged || update.viewportChanged || update.selectionSet || update.focusChanged || parsed || rights)) return;
      ({ decorations: this.decorations, atomic: this.atomic } = decorate(update.view));
    }
  },
  {
    decorations: (plugin) => plugin.decorations,
    provide: (plugin) => EditorView.atomicRanges.of((view) => view.plugin(plugin)?.atomic ?? Decoration.none),
  },
);
