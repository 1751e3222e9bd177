// Pasting and dropping: files are uploaded, HTML becomes Markdown, an address over a selection a link.

import type { Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { isInCode } from "../markdown/keys";
import type { Hooks } from "../types";
import { upload, uploads } from "./files";
import { htmlToMarkdown, saysMore } from "./html";

export function pasting(hooks: Hooks): Extension {
  let plain = false;
  return [
    uploads,
    EditorView.clipboardInputFilter.of((text) => text.replace(/\r\n?/g, "\n")),
    EditorView.domEventHandlers({
      keydown(event) {
        // Ctrl-Shift-V pastes the words only.
        plain = event.shiftKey && (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "v";
        return false;
      },
      paste(event, view) {
        const data = event.clipboardData;
        if (!data || view.state.readOnly) return false;
        const files = [...data.files];
        const html = data.getData("text/html");
        const text = data.getData("text/plain");
        if (files.length > 0 && !(html && text)) {
          event.preventDefault();
          void upload(view, hooks, files, view.state.selection.main.head);
          return true;
        }
        const insert = plain || isInCode(view.state, view.state.selection.main.head) ? null : pasted(view, html, text);
        if (insert === null) return false;
        event.preventDefault();
        view.dispatch(view.state.replaceSelection(insert), { userEvent: "input.paste", scrollIntoView: true });
        return true;
      },
      drop(event, view) {
        const files = [...(event.dataTransfer?.files ?? [])];
        if (files.length === 0 || view.state.readOnly) return false;
        event.preventDefault();
        const at = view.posAtCoords({ x: event.clientX, y: event.clientY }) ?? view.state.doc.length;
        void upload(view, hooks, files, at);
        return true;
      },
    }),
  ];
}

/** What is inserted instead of the plain text. */
function pasted(view: EditorView, html: string, text: string): string | null {
  const { from, to } = view.state.selection.main;
  if (from !== to && /^https?:\/\/\S+$/.test(text.trim())) {
    const selected = view.state.sliceDoc(from, to);
    if (!selected.includes("\n")) return `[${selected}](${text.trim()})`;
  }
  // Editors of code put HTML on the clipboard that says no more than the text.
  if (!html || !saysMore(html) || /data-vscode|vscode-editor/.test(html)) return null;
  return htmlToMarkdown(html) || null;
}
