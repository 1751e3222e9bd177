// Vim's keys, for those who ask for them. Its own undo is replaced by the document's, which takes back
// only what was typed here.

import { CodeMirror, vim } from "@replit/codemirror-vim";
import type { Extension } from "@codemirror/state";
import type { EditorView } from "@codemirror/view";

interface Steps { undo(): void; redo(): void }
const steps = new WeakMap<EditorView, Steps>();

const commands = CodeMirror.commands as unknown as Record<string, (cm: { cm6: EditorView }) => void>;
commands.undo = ({ cm6 }) => steps.get(cm6)?.undo();
commands.redo = ({ cm6 }) => steps.get(cm6)?.redo();

export function vimKeys(view: EditorView, own: Steps): Extension {
  steps.set(view, own);
  return vim({ status: true });
}
