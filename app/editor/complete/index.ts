// Everything that completes while one types.

import { acceptCompletion, autocompletion, closeBrackets, closeBracketsKeymap } from "@codemirror/autocomplete";
import type { Extension } from "@codemirror/state";
import { keymap } from "@codemirror/view";
import { chooseFiles } from "../paste/files";
import type { Hooks } from "../types";
import { notesIn, peopleIn, tagsIn } from "./names";
import { slash } from "./slash";

export function completion(hooks: Hooks): Extension {
  return [
    autocompletion({
      override: [slash((view) => chooseFiles(view, hooks)), notesIn(hooks), peopleIn(hooks), tagsIn(hooks)],
      icons: false,
      maxRenderedOptions: 40,
      optionClass: ({ type }) => `is-${type}`,
    }),
    closeBrackets(),
    keymap.of([{ key: "Tab", run: acceptCompletion }, ...closeBracketsKeymap]),
  ];
}
