// Blocks shown as something else than text: tables, formulas on lines of their own, diagrams; and what is
// folded away. CodeMirror
// wants such decorations in the state, which knows no viewport; so what is in view is looked at here and
// put there, within the same frame. Blocks out of view stay as they were seen last.

import { syntaxTree } from "@codemirror/language";
import { Annotation, EditorSelection, StateEffect, StateField, type Range } from "@codemirror/state";
import { Decoration, EditorView, ViewPlugin, keymap, type DecorationSet, type ViewUpdate } from "@codemirror/view";
import type { SyntaxNodeRef } from "@lezer/common";
import { calloutOf, isFolded, turned } from "./callouts";
import { hooks, linesTouched } from "./context";
import { Diagram } from "./diagram";
import { Table } from "./table";
import { Formula, Label } from "./widgets";

interface Seen { from: number; to: number; blocks: Range<Decoration>[] }

const see = StateEffect.define<Seen>();
/** So that others know that nothing of theirs happened. */
export const onlyBlocks = Annotation.define<boolean>();

const field = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(set, transaction) {
    let blocks = set.map(transaction.changes);
    for (const effect of transaction.effects) {
      if (!effect.is(see)) continue;
      const { from, to, blocks: add } = effect.value;
      blocks = blocks.update({ filter: () => false, filterFrom: from, filterTo: to, add });
    }
    return blocks;
  },
  provide: (own) => EditorView.decorations.from(own),
});

function blockOf(view: EditorView, node: SyntaxNodeRef): Range<Decoration> | null {
  const { state } = view;
  const from = state.doc.lineAt(node.from).from;
  const to = state.doc.lineAt(node.to).to;
  const put = (widget: Table | Formula | Diagram) => Decoration.replace({ widget, block: true }).range(from, to);
  const isFree = (isTop = node.node.parent?.name === "Document") => isTop && !linesTouched(view, node.from, node.to);
  if (node.name === "Table") return isFree() ? put(Table.of(state, node.node)) : null;
  if (node.name === "BlockMath") {
    const tex = state.sliceDoc(node.from, node.to).replace(/^\$\$|\$\$\s*$/g, "").trim();
    return isFree() && state.facet(hooks)?.renderMath && tex ? put(new Formula(tex, true)) : null;
  }
  const info = node.node.getChild("CodeInfo");
  const source = node.node.getChild("CodeText");
  if (!info || !source || state.sliceDoc(info.from, info.to).trim() !== "mermaid") return null;
  return isFree() ? put(new Diagram(state.sliceDoc(source.from, source.to))) : null;
}

/** What is below the title of a callout that is folded. */
function foldOf(view: EditorView, { node }: SyntaxNodeRef): Range<Decoration> | null {
  const callout = calloutOf(view.state, node);
  const title = view.state.doc.lineAt(node.from);
  if (!callout || title.to >= node.to || !isFolded(view, node, callout)) return null;
  return Decoration.replace({ widget: new Label("…", "md-folded") }).range(title.to, node.to);
}

/** The blocks of the viewport, and how far was looked. */
function look(view: EditorView): Seen {
  const { from: top, to: bottom } = view.viewport;
  let [from, to] = [top, bottom];
  const blocks: Range<Decoration>[] = [];
  syntaxTree(view.state).iterate({
    from: top,
    to: bottom,
    enter(node) {
      if (node.name === "Blockquote") {
        const fold = foldOf(view, node);
        if (!fold) return true;
        from = Math.min(from, node.from);
        to = Math.max(to, node.to);
        blocks.push(fold);
        return false;
      }
      if (!/^(Table|BlockMath|FencedCode)$/.test(node.name)) return !/^(Paragraph|ATXHeading|HTMLBlock)/.test(node.name);
      from = Math.min(from, node.from);
      to = Math.max(to, node.to);
      const block = blockOf(view, node);
      if (block) blocks.push(block);
      return false;
    },
  });
  return { from, to, blocks };
}

function isAsSeen(view: EditorView, { from, to, blocks }: Seen): boolean {
  let at = 0;
  let same = true;
  view.state.field(field).between(from, to, (start, end, value) => {
    const block = blocks[at++];
    same = block !== undefined && block.from === start && block.to === end && block.value.spec.widget.eq(value.spec.widget) && block.value.spec.widget.constructor === value.spec.widget.constructor;
    return same ? undefined : false;
  });
  return same && at === blocks.length;
}

const watcher = ViewPlugin.fromClass(
  class {
    #isDue = false;
    #isGone = false;

    constructor(private readonly view: EditorView) {
      this.#soon();
    }

    update(update: ViewUpdate): void {
      const parsed = syntaxTree(update.state) !== syntaxTree(update.startState);
      const folds = update.state.field(turned) !== update.startState.field(turned);
      if (folds || update.docChanged || update.viewportChanged || update.selectionSet || update.focusChanged || parsed) this.#soon();
    }

    destroy(): void {
      this.#isGone = true;
    }

    /** After this update, before the next picture. */
    #soon(): void {
      if (this.#isDue) return;
      this.#isDue = true;
      queueMicrotask(() => {
        this.#isDue = false;
        if (this.#isGone) return;
        const seen = look(this.view);
        if (!isAsSeen(this.view, seen)) this.view.dispatch({ effects: see.of(seen), annotations: onlyBlocks.of(true) });
      });
    }
  },
);

/** Up and down lead into a block, not over it: its source is shown once one is there. */
const into = (forward: boolean) => (view: EditorView): boolean => {
  const { main } = view.state.selection;
  if (!main.empty || view.state.readOnly) return false;
  const { head } = view.moveVertically(main, forward);
  let at: number | null = null;
  view.state.field(field).between(Math.min(main.head, head), Math.max(main.head, head), (from, to) => {
    if (forward ? from > main.head && to < head : to < main.head && from > head) at = forward ? from : view.state.doc.lineAt(to).from;
    return forward && at !== null ? false : undefined;
  });
  if (at === null) return false;
  view.dispatch({ selection: EditorSelection.cursor(at), scrollIntoView: true, userEvent: "select" });
  return true;
};

const steps = keymap.of([
  { key: "ArrowDown", run: into(true) },
  { key: "ArrowUp", run: into(false) },
]);

export const blocks = [turned, field, watcher, steps];
