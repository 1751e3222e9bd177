// Completion of notes in `[[`, of people after `@` and of tags after `#`. The names come from the page.

import type { Completion, CompletionContext, CompletionResult, CompletionSource } from "@codemirror/autocomplete";
import type { EditorView } from "@codemirror/view";
import { isInCode } from "../markdown/keys";
import type { Hooks } from "../types";

export function notesIn(hooks: Hooks): CompletionSource {
  return async (context: CompletionContext): Promise<CompletionResult | null> => {
    const found = context.matchBefore(/\[\[[^\[\]\n|]*$/);
    if (!found || isInCode(context.state, context.pos)) return null;
    const typed = found.text.slice(2);
    const notes = await hooks.completeNotes(typed);
    if (context.aborted) return null;
    const options: Completion[] = notes.map(({ title }, place) => ({ label: title, type: "note", boost: -place, apply: close }));
    const isNew = typed.trim() && !notes.some(({ title }) => title.toLowerCase() === typed.trim().toLowerCase());
    if (isNew) {
      options.push({
        label: typed.trim(),
        displayLabel: `New note “${typed.trim()}”`,
        type: "new",
        boost: -99,
        apply: (view, _completion, from, to) => {
          close(view, { label: typed.trim() }, from, to);
          void hooks.createNote(typed.trim());
        },
      });
    }
    return { from: found.from + 2, options, filter: false };
  };
}

/** The title, with the brackets behind it, once. */
function close(view: EditorView, { label }: Completion, from: number, to: number): void {
  const closed = view.state.sliceDoc(to, to + 2) === "]]";
  const insert = closed ? label : `${label}]]`;
  const anchor = from + label.length + 2;
  view.dispatch({ changes: { from, to, insert }, selection: { anchor }, userEvent: "input.complete" });
}

function afterSign(sign: string, type: string, ask: (prefix: string) => Promise<string[]>): CompletionSource {
  const pattern = new RegExp(`(?:^|[\\s(])${sign}[\\p{L}\\p{N}_/.-]*$`, "u");
  return async (context) => {
    const found = context.matchBefore(pattern);
    if (!found || isInCode(context.state, context.pos)) return null;
    const typed = found.text.slice(found.text.indexOf(sign) + 1);
    // A heading begins with the same sign.
    if (!typed && !context.explicit && sign === "#") return null;
    const names = await ask(typed);
    if (context.aborted || names.length === 0) return null;
    const options = names.map((label, place) => ({ label, type, boost: -place, apply: `${label} ` }));
    return { from: context.pos - typed.length, options, filter: false };
  };
}

export const peopleIn = (hooks: Hooks) =>
  afterSign("@", "person", async (prefix) => (await hooks.people(prefix)).map(({ name }) => name));

export const tagsIn = (hooks: Hooks) => afterSign("#", "tag", (prefix) => hooks.tags(prefix));
