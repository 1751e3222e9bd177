// Files that are pasted, dropped or chosen: uploaded, and their link put where they were dropped, which
// may have moved meanwhile.

import { StateEffect, StateField } from "@codemirror/state";
import { Decoration, EditorView, WidgetType, type DecorationSet } from "@codemirror/view";
import { inBrackets } from "../preview/links";
import type { Hooks, Uploaded } from "../types";

const begun = StateEffect.define<{ at: number; id: number; name: string }>({
  map: (value, changes) => ({ ...value, at: changes.mapPos(value.at) }),
});
const ended = StateEffect.define<number>();
let next = 0;

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

export async function upload(view: EditorView, hooks: Hooks, files: File[], at: number): Promise<void> {
  for (const file of files) {
    const id = next++;
    view.dispatch({ effects: begun.of({ at, id, name: file.name || "picture" }) });
    const link = await hooks.upload(file).then(linkTo, (cause: unknown) => {
      console.warn("a file could not be uploaded", cause);
      return null;
    });
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
