// Files that are pasted, dropped or chosen: uploaded, and their link put where they were dropped, which
// may have moved meanwhile. Who leaves the note before a file is there finds its link all the same: the
// editor is gone by then, and the server writes it.

import { StateEffect, StateField } from "@codemirror/state";
import { Decoration, EditorView, WidgetType, type DecorationSet } from "@codemirror/view";
import { toBase64 } from "../bytes";
import { inBrackets } from "../preview/links";
import type { Replica } from "../replica";
import type { Hooks, Uploaded } from "../types";

const begun = StateEffect.define<{ at: number; id: number; name: string }>({
  map: (value, changes) => ({ ...value, at: changes.mapPos(value.at) }),
});
const ended = StateEffect.define<number>();
let next = 0;
/** Of those that outlast their editor: where their links belong, as positions that stay at their text. */
const left = new Map<number, string>();

class Waiting extends WidgetType {
  constructor(readonly name: string) {
    super();
  }

  override eq(other: Waiting): boolean {
    return other.name === this.name;
  }

  toDOM(): HTMLElement {
    const place = document.createElement("span");
    place.className = "md-uploading";
    place.textContent = `Uploading ${this.name}…`;
    return place;
  }
}

/** Where the links of what is on its way will be. */
export const uploads = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(set, transaction) {
    let waiting = set.map(transaction.changes);
    for (const effect of transaction.effects) {
      if (effect.is(begun)) {
        const { at, id, name } = effect.value;
        const place = Decoration.widget({ widget: new Waiting(name), side: 1, id }).range(at);
        waiting = waiting.update({ add: [place] });
      } else if (effect.is(ended)) {
        waiting = waiting.update({ filter: (_from, _to, value) => value.spec.id !== effect.value });
      }
    }
    return waiting;
  },
  provide: (field) => EditorView.decorations.from(field),
});

function placeOf(view: EditorView, id: number): number | null {
  let place: number | null = null;
  view.state.field(uploads).between(0, view.state.doc.length, (from, _to, value) => {
    if (value.spec.id === id) place = from;
  });
  return place;
}

/** The note is about to be closed: what is on its way keeps its place without the editor. */
export function leaveUploads(view: EditorView, replica: Replica): void {
  view.state.field(uploads).between(0, view.state.doc.length, (from, _to, value) => {
    left.set(value.spec.id as number, stay(replica, from));
  });
}

function stay(replica: Replica, at: number): string {
  try {
    return toBase64(replica.sticky(at));
  } catch {
    // A document that has failed tells no places: the server puts the link at the end.
    return "";
  }
}

export async function upload(view: EditorView, hooks: Hooks, files: File[], at: number): Promise<void> {
  /** Where all that is still to come belongs, once the note was left. */
  let away: string | undefined;
  for (const file of files) {
    const id = next++;
    if (away === undefined) view.dispatch({ effects: begun.of({ at, id, name: file.name || "picture" }) });
    const link = await hooks.upload(file).then(linkTo, (cause: unknown) => {
      console.warn("a file could not be uploaded", cause);
      return null;
    });
    away ??= left.get(id);
    left.delete(id);
    if (away !== undefined) {
      if (link) await hooks.insertAt(away, link).catch((cause: unknown) => console.warn("a link could not be written", cause));
      continue;
    }
    const place = placeOf(view, id);
    if (place === null) return;
    view.dispatch({ effects: ended.of(id), ...(link ? { changes: { from: place, insert: link }, userEvent: "input.paste" } : {}) });
    at = place + (link?.length ?? 0);
  }
}

export function linkTo({ url, name, mime }: Uploaded): string {
  const text = name.replace(/[\[\]\n]/g, " ");
  return `${mime.startsWith("image/") ? "!" : ""}[${text}](${inBrackets(url)})`;
}

export function chooseFiles(view: EditorView, hooks: Hooks): void {
  const input = document.createElement("input");
  input.type = "file";
  input.multiple = true;
  input.addEventListener("change", () => void upload(view, hooks, [...(input.files ?? [])], view.state.selection.main.head));
  input.click();
}
