// The live preview: notes look as they will be read, and where one writes they are Markdown.

import type { Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { blocks } from "./blocks";
import { act, openLinks } from "./links";
import { marks } from "./marks";

export const preview: Extension = [marks, blocks, EditorView.editorAttributes.of({ class: "is-preview" })];

/** Links open in the plain source too. */
export { act, openLinks };
