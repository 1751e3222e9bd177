// Where links lead, and how they are opened: Ctrl or Cmd with a click, or the small arrow beside one.

import { syntaxTree } from "@codemirror/language";
import type { EditorState } from "@codemirror/state";
import { EditorView, WidgetType } from "@codemirror/view";
import type { SyntaxNode } from "@lezer/common";
import { hooks } from "./context";

/** Where one may be led: nothing that runs. */
export function safe(url: string): string | null {
  const address = url.trim();
  if (/^(https?:|mailto:|tel:)/i.test(address) || /^[/#]/.test(address)) return address;
  return /^[a-z][a-z0-9+.-]*:/i.test(address) ? null : `/${address}`.replace(/^\/(www\.)/, "https://$1");
}

/** As it stands between the brackets of a link. */
export function inBrackets(url: string): string {
  return url.replace(/[()\s]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`);
}

/** The note that a link names: `[[Title]]`, `[[Title|shown]]`, `[[Title#Heading]]`, `![[Title]]`. */
export function titleOf(link: string): string {
  return link.replace(/^!/, "").slice(2, -2).split("|")[0]!.split("#")[0]!.trim();
}

/** The place in it, as an address ends with it. */
function placeOf(link: string): string {
  const heading = link.replace(/\]\]$/, "").split("|")[0]!.split("#")[1]?.trim();
  return heading ? `#${encodeURIComponent(heading)}` : "";
}

/** Where the link at this place leads. */
export function target(state: EditorState, node: SyntaxNode): { url: string } | { title: string; place: string } | null {
  if (node.name === "Wikilink" || node.name === "Embed") {
    const link = state.sliceDoc(node.from, node.to);
    const [title, place] = [titleOf(link), placeOf(link)];
    return title === "" && place !== "" ? { url: place } : { title, place };
  }
  const url = node.name === "URL" ? node : node.getChild("URL");
  if (!url) return null;
  const address = safe(state.sliceDoc(url.from, url.to).replace(/^<|>$/g, ""));
  return address ? { url: address } : null;
}

export function linkAt(state: EditorState, at: number): SyntaxNode | null {
  for (let node: SyntaxNode | null = syntaxTree(state).resolveInner(at, 1); node; node = node.parent) {
    if (/^(Wikilink|Embed|Link|Autolink|URL)$/.test(node.name)) return node;
  }
  return null;
}

export async function follow(view: EditorView, node: SyntaxNode): Promise<void> {
  const given = view.state.facet(hooks);
  const to = target(view.state, node);
  if (!given || !to) return;
  if ("url" in to) {
    if (to.url.startsWith("/") || to.url.startsWith("#")) given.navigate(to.url);
    else window.open(to.url, "_blank", "noopener,noreferrer");
    return;
  }
  const known = await given.completeNotes(to.title);
  const note = known.find(({ title }) => title.toLowerCase() === to.title.toLowerCase()) ?? (await given.createNote(to.title));
  given.navigate(`/n/${note.id}${to.place}`);
}

export class Arrow extends WidgetType {
  constructor(readonly name: string, readonly at: number) {
    super();
  }

  override eq(other: Arrow): boolean {
    return other.name === this.name && other.at === this.at;
  }

  toDOM(view: EditorView): HTMLElement {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "md-open";
    button.tabIndex = -1;
    button.setAttribute("aria-label", `Open ${this.name}`);
    button.textContent = "↗";
    button.addEventListener("mousedown", (event) => event.preventDefault());
    button.addEventListener("click", () => {
      const node = linkAt(view.state, view.posAtDOM(button) - 1);
      if (node) void follow(view, node);
    });
    return button;
  }

  override ignoreEvent(): boolean {
    return true;
  }
}

/** Ctrl or Cmd with Enter: follows the link at the cursor, else ticks the task of the line. */
export function act(view: EditorView): boolean {
  const { head } = view.state.selection.main;
  const node = linkAt(view.state, head) ?? linkAt(view.state, Math.max(0, head - 1));
  if (node && target(view.state, node)) {
    void follow(view, node);
    return true;
  }
  const line = view.state.doc.lineAt(head);
  const box = /^(\s*(?:>\s?)*(?:[-*+]|\d{1,9}[.)])\s+\[)([ xX])\]/.exec(line.text);
  if (!box || view.state.readOnly) return false;
  const at = line.from + box[1]!.length;
  view.dispatch({ changes: { from: at, to: at + 1, insert: box[2] === " " ? "x" : " " }, userEvent: "input" });
  return true;
}

export const openLinks = EditorView.domEventHandlers({
  mousedown(event, view) {
    if (event.button !== 0 || !(event.ctrlKey || event.metaKey || view.state.readOnly)) return false;
    const at = view.posAtCoords({ x: event.clientX, y: event.clientY });
    const isText = event.target instanceof HTMLElement && event.target.closest(".md-link, .md-wikilink") !== null;
    const node = at === null || !isText ? null : linkAt(view.state, at);
    if (!node) return false;
    event.preventDefault();
    void follow(view, node);
    return true;
  },
});
