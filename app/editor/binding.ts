// CodeMirror on one side, the note's document on the other, both counting UTF-16 units. What is typed
// goes into the document; what changes in the document elsewhere goes into the view, marked, so that it
// does not come back. Undo is the document's, which knows whose change is whose.

import { Annotation, EditorSelection, Transaction, type ChangeSet, type Extension } from "@codemirror/state";
import { EditorView, ViewPlugin, keymap, type ViewUpdate } from "@codemirror/view";
import type { Change, Recorded } from "./replica";
import type { Session } from "./session";

/** Not typed here: the document has it already. */
export const fromDocument = Annotation.define<boolean>();

export function binding(session: Session): Extension {
  return [
    ViewPlugin.define(() => ({ update: (update) => write(session, update) })),
    keymap.of([
      { key: "Mod-z", run: (view) => takeBack(view, session, session.undo()), preventDefault: true },
      { key: "Mod-y", mac: "Mod-Shift-z", run: (view) => takeBack(view, session, session.redo()), preventDefault: true },
      { key: "Mod-Shift-z", run: (view) => takeBack(view, session, session.redo()), preventDefault: true },
    ]),
    EditorView.domEventHandlers({
      beforeinput(event, view) {
        // The browser's own undo would know nothing of the document's.
        const step = event.inputType === "historyUndo" ? session.undo() : event.inputType === "historyRedo" ? session.redo() : undefined;
        if (step === undefined) return false;
        event.preventDefault();
        takeBack(view, session, step);
        return true;
      },
    }),
  ];
}

function write(session: Session, update: ViewUpdate): void {
  for (const transaction of update.transactions) {
    if (!transaction.docChanged || transaction.annotation(fromDocument)) continue;
    try {
      if (startsAStep(transaction)) session.replica.seal();
      session.edited(session.replica.edit(changesOf(transaction.changes)));
    } catch (cause) {
      // CodeMirror would go on without us, and what is typed from here on would be nowhere.
      session.broke(cause);
    }
  }
}

/** What is not typing is undone by itself. */
function startsAStep(transaction: Transaction): boolean {
  return !transaction.isUserEvent("input.type") && !transaction.isUserEvent("delete");
}

export function changesOf(set: ChangeSet): Change[] {
  const changes: Change[] = [];
  set.iterChanges((from, to, _fromB, _toB, text) => changes.push({ from, to, insert: text.toString() }));
  return changes;
}

/** Shows what changed in the document elsewhere. */
export function show(view: EditorView, changes: Change[]): void {
  view.dispatch({ changes, annotations: [fromDocument.of(true), Transaction.addToHistory.of(false)] });
}

function takeBack(view: EditorView, session: Session, step: Recorded | null): boolean {
  if (!step || view.state.readOnly) return true;
  const set = view.state.changes(step.changes);
  const last = step.changes.at(-1);
  const at = last ? set.mapPos(last.to, 1) : view.state.selection.main.head;
  view.dispatch({
    changes: set,
    selection: EditorSelection.cursor(at),
    annotations: [fromDocument.of(true), Transaction.userEvent.of("undo")],
    scrollIntoView: true,
  });
  session.edited(step.update);
  return true;
}

/** Takes back, or does again, as the keys do: for Vim and for buttons. */
export const undo = (view: EditorView, session: Session) => void takeBack(view, session, session.undo());
export const redo = (view: EditorView, session: Session) => void takeBack(view, session, session.redo());
