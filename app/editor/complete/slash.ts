// The slash menu: `/` at the start of a line offers what a line can become.

import type { Completion, CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import { EditorView } from "@codemirror/view";
import { isInCode } from "../markdown/keys";

interface Offer { label: string; detail: string; words?: string; insert: string | (() => string) }

/** `|` is where the cursor goes. */
const OFFERS: Offer[] = [
  { label: "Heading 1", detail: "#", words: "title h1", insert: "# |" },
  { label: "Heading 2", detail: "##", words: "section h2", insert: "## |" },
  { label: "Heading 3", detail: "###", words: "h3", insert: "### |" },
  { label: "List", detail: "-", words: "bullet", insert: "- |" },
  { label: "Numbered list", detail: "1.", words: "ordered", insert: "1. |" },
  { label: "Task", detail: "[ ]", words: "todo checkbox", insert: "- [ ] |" },
  { label: "Table", detail: "3 × 2", insert: "| | | |\n| --- | --- | --- |\n| | | |\n" },
  { label: "Code", detail: "```", words: "block", insert: "```|\n\n```\n" },
  { label: "Formula", detail: "$$", words: "math tex", insert: "$$\n|\n$$\n" },
  { label: "Diagram", detail: "mermaid", words: "chart flow", insert: "```mermaid\nflowchart LR\n  |A[Start] --> B[End]\n```\n" },
  { label: "Quote", detail: ">", insert: "> |" },
  { label: "Callout", detail: "[!note]", words: "admonition warning tip aside", insert: "> [!note] |\n> " },
  { label: "Divider", detail: "---", words: "rule line", insert: "---\n|" },
  { label: "Picture or file", detail: "upload", words: "image attachment", insert: "" },
  { label: "Link to a note", detail: "[[", words: "wikilink", insert: "[[|]]" },
  { label: "Date", detail: "today", insert: () => `${new Date().toLocaleDateString("sv-SE")}|` },
];

const UPLOAD = "Picture or file";

export function slash(upload: (view: EditorView, at: number) => void) {
  const options: Completion[] = OFFERS.map((offer, place) => ({
    label: `/${offer.label} ${offer.words ?? ""}`,
    displayLabel: offer.label,
    detail: offer.detail,
    type: "slash",
    boost: -place,
    apply: (view, _completion, from, to) => {
      if (offer.label === UPLOAD) {
        view.dispatch({ changes: { from, to } });
        return upload(view, from);
      }
      put(view, from, to, typeof offer.insert === "string" ? offer.insert : offer.insert());
    },
  }));
  return (context: CompletionContext): CompletionResult | null => {
    const found = context.matchBefore(/^[ \t]*\/[\p{L}\p{N} ]*$/u);
    if (!found || isInCode(context.state, context.pos)) return null;
    const from = found.from + found.text.indexOf("/");
    return { from, options, validFor: /^\/[\p{L}\p{N} ]*$/u };
  };
}

function put(view: EditorView, from: number, to: number, template: string): void {
  const at = template.indexOf("|");
  const isTable = template.startsWith("| |");
  const insert = at < 0 || isTable ? template : template.slice(0, at) + template.slice(at + 1);
  const anchor = from + (isTable ? 2 : at < 0 ? insert.length : at);
  view.dispatch({ changes: { from, to, insert }, selection: { anchor }, scrollIntoView: true, userEvent: "input.complete" });
}
