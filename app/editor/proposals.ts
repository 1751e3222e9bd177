// What a model proposes, in the text where it would be: the words that would go are struck through, the
// new ones stand beside them, and each change can be taken or refused. The server applies what is taken.

import { StateEffect, StateField, type Extension, type Range, type Text } from "@codemirror/state";
import { Decoration, EditorView, WidgetType, showPanel, type DecorationSet, type Panel } from "@codemirror/view";
import type { Hooks } from "./types";

interface Hunk { id: string; from: number | null; to: number | null; before: string; after: string }
interface Proposal { id: string; model: string; name: string; reason: string; hunks: Hunk[] }
interface Placed { proposals: Proposal[]; decorations: DecorationSet }
type Decide = Hooks["decideProposal"];

const setProposals = StateEffect.define<Proposal[]>();

const text = (value: unknown) => (typeof value === "string" ? value : "");

/** Reads what the document holds; what is no proposal is left out. */
function read(json: string): Proposal[] {
  const all = Object.entries(JSON.parse(json) as Record<string, Record<string, unknown>>);
  return all
    .map(([id, given]) => {
      const author = (given.author ?? {}) as Record<string, unknown>;
      const hunks = Array.isArray(given.hunks) ? (given.hunks as Record<string, unknown>[]) : [];
      return {
        id,
        model: text(author.model) || "A model",
        name: text(author.name),
        reason: text(given.reason),
        at: text(given.created_at),
        hunks: hunks.map((hunk) => ({
          id: text(hunk.id),
          from: typeof hunk.from === "number" ? hunk.from : null,
          to: typeof hunk.to === "number" ? hunk.to : null,
          before: text(hunk.before),
          after: text(hunk.after),
        })),
      };
    })
    .sort((a, b) => a.at.localeCompare(b.at));
}

/** What it would replace is gone, or where it stood is not known. */
function isLost(hunk: Hunk, doc: Text): boolean {
  const { from, to, before } = hunk;
  return from === null || to === null || to < from || to > doc.length || (before !== "" && from === to);
}

function button(label: string, name: string, act: () => void): HTMLButtonElement {
  const element = document.createElement("button");
  element.type = "button";
  element.className = name;
  element.textContent = label;
  element.addEventListener("mousedown", (event) => event.preventDefault());
  element.addEventListener("click", act);
  return element;
}

class After extends WidgetType {
  constructor(readonly proposal: string, readonly hunk: Hunk, readonly hasChanged: boolean, readonly decide: Decide) {
    super();
  }

  override eq(other: After): boolean {
    return other.proposal === this.proposal && other.hunk.id === this.hunk.id && other.hunk.after === this.hunk.after && other.hasChanged === this.hasChanged;
  }

  toDOM(view: EditorView): HTMLElement {
    const place = document.createElement("span");
    place.className = "note-proposed";
    if (this.hunk.after) {
      const words = document.createElement("ins");
      words.textContent = this.hunk.after;
      place.append(words);
    }
    if (this.hasChanged) {
      const note = document.createElement("small");
      note.textContent = "the text has changed since";
      place.append(note);
    }
    if (!view.state.readOnly) {
      const what = (this.hunk.after || this.hunk.before).trim().slice(0, 60);
      const accept = button("✓", "note-accept", () => void this.decide(this.proposal, [this.hunk.id], true));
      accept.setAttribute("aria-label", `Accept: ${what}`);
      const reject = button("✕", "note-reject", () => void this.decide(this.proposal, [this.hunk.id], false));
      reject.setAttribute("aria-label", `Reject: ${what}`);
      place.append(accept, reject);
    }
    return place;
  }

  override ignoreEvent(): boolean {
    return true;
  }
}

const removed = Decoration.mark({ class: "note-removed", tagName: "del" });

function decorate(proposals: Proposal[], doc: Text, decide: Decide): DecorationSet {
  const ranges: Range<Decoration>[] = [];
  for (const proposal of proposals) {
    for (const hunk of proposal.hunks) {
      if (isLost(hunk, doc)) continue;
      const [from, to] = [hunk.from!, hunk.to!];
      const hasChanged = doc.sliceString(from, to) !== hunk.before;
      if (to > from) ranges.push(removed.range(from, to));
      ranges.push(Decoration.widget({ widget: new After(proposal.id, hunk, hasChanged, decide), side: 5 }).range(to));
    }
  }
  return Decoration.set(ranges, true);
}

function bar(view: EditorView, proposals: Proposal[], decide: Decide): Panel {
  const dom = document.createElement("div");
  dom.className = "note-proposals";
  dom.setAttribute("role", "region");
  dom.setAttribute("aria-label", "Proposed changes");
  for (const proposal of proposals) {
    const lost = proposal.hunks.filter((hunk) => isLost(hunk, view.state.doc)).length;
    const open = proposal.hunks.length - lost;
    const row = document.createElement("div");
    row.className = "note-proposal";
    const words = document.createElement("p");
    const who = document.createElement("strong");
    who.textContent = proposal.model;
    const changes = open === 1 ? "1 change" : `${open} changes`;
    words.append(who, ` proposes ${changes}${proposal.name ? `, asked by ${proposal.name}` : ""}`);
    if (proposal.reason) words.append(`: ${proposal.reason}`);
    if (lost > 0) {
      const note = document.createElement("span");
      note.className = "note-lost";
      note.textContent = lost === 1 ? "1 change has no place in the text any more." : `${lost} changes have no place in the text any more.`;
      words.append(" ", note);
    }
    row.append(words);
    if (!view.state.readOnly) {
      if (open > 0) row.append(button("Accept all", "button is-main", () => void decide(proposal.id, null, true)));
      row.append(button(open > 0 ? "Reject all" : "Dismiss", "button", () => void decide(proposal.id, null, false)));
    }
    dom.append(row);
  }
  return { dom, top: true };
}

export class Proposals {
  #last = "{}";
  #isDue = false;

  constructor(private readonly view: EditorView, private readonly json: () => string) {}

  /** The document has changed. */
  changed(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    queueMicrotask(() => {
      this.#isDue = false;
      const now = this.json();
      if (now === this.#last || !this.view.dom.isConnected) return;
      this.#last = now;
      this.view.dispatch({ effects: setProposals.of(read(now)) });
    });
  }

  /** Whether there are any: then typing moves them too. */
  get any(): boolean {
    return this.#last !== "{}";
  }
}

export function proposing(given: Decide): Extension {
  const decide: Decide = (id, hunks, accept) => given(id, hunks, accept).catch((cause: unknown) => console.warn("the proposal could not be decided", cause));
  const field = StateField.define<Placed>({
    create: () => ({ proposals: [], decorations: Decoration.none }),
    update(placed, transaction) {
      for (const effect of transaction.effects) {
        if (effect.is(setProposals)) return { proposals: effect.value, decorations: decorate(effect.value, transaction.newDoc, decide) };
      }
      return transaction.docChanged ? { ...placed, decorations: placed.decorations.map(transaction.changes) } : placed;
    },
    provide: (own) => [
      EditorView.decorations.from(own, (placed) => placed.decorations),
      showPanel.from(own, ({ proposals }) => (proposals.length > 0 ? (view) => bar(view, proposals, decide) : null)),
    ],
  });
  return field;
}
