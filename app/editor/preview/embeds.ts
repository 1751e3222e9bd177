// What `![[…]]` shows in its place: a picture or file of the note, the text of another note or of one of
// its parts. What is shown of another note is a picture of it: it is written where it is.

import { Text } from "@codemirror/state";
import { EditorView, WidgetType } from "@codemirror/view";
import { headingsIn } from "../report";
import { hooks } from "./context";
import { enter } from "./widgets";

const PICTURE = /\.(png|jpe?g|gif|webp|avif|bmp)$/i;
/** As the server tells files from notes. */
const FILE = /[^/]\.(?!md$)[a-z0-9]{1,5}$/i;

export interface Embedded {
  /** The title of a note, the name of a file. */
  name: string;
  heading: string | null;
  kind: "picture" | "file" | "note";
}

/** What `![[name#heading|words]]` names. */
export function embedded(written: string): Embedded {
  const what = written.slice(3, -2).split("|")[0]!.trim();
  const [name = "", ...headings] = what.split("#");
  if (FILE.test(name)) {
    const file = name.split("/").at(-1)!.trim();
    return { name: file, heading: null, kind: PICTURE.test(file) ? "picture" : "file" };
  }
  return { name: name.trim(), heading: headings.at(-1)?.trim() || null, kind: "note" };
}

/** The part of a text below a heading; nothing where there is none. */
export function section(text: string, heading: string): string | null {
  const headings = headingsIn(Text.of(text.split("\n")));
  const at = headings.findIndex((each) => each.text.toLowerCase() === heading.toLowerCase());
  const found = headings[at];
  if (!found) return null;
  const next = headings.slice(at + 1).find(({ level }) => level <= found.level);
  return text.slice(found.from, next?.from);
}

export class EmbeddedNote extends WidgetType {
  constructor(readonly title: string, readonly heading: string | null) {
    super();
  }

  override eq(other: EmbeddedNote): boolean {
    return other.title === this.title && other.heading === this.heading;
  }

  toDOM(view: EditorView): HTMLElement {
    const given = view.state.facet(hooks);
    const card = document.createElement("span");
    card.className = "md-embed";
    const link = document.createElement("a");
    link.className = "md-embed-title";
    link.href = `/n?title=${encodeURIComponent(this.title)}`;
    link.textContent = this.heading ? `${this.title} › ${this.heading}` : this.title;
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      given?.navigate(link.getAttribute("href")!);
    });
    card.append(link);
    card.addEventListener("mousedown", (event) => {
      if (!(event.target instanceof Element && event.target.closest("a, button, summary"))) enter(view, card, event, 3);
    });
    // What cannot be read now is led to.
    void given?.readNote?.(this.title).then((note) => {
      if (!note) return;
      link.href = `/n/${note.id}`;
      const text = this.heading ? section(note.text, this.heading) : note.text;
      const html = text === null ? "" : given.renderNote?.(text, note.id);
      if (html) card.append(bodyOf(html));
      view.requestMeasure();
    }, () => undefined);
    return card;
  }

  override ignoreEvent(): boolean {
    return true;
  }
}

/** The server's and the page's HTML of notes can run nothing; its places are those of its own page. */
function bodyOf(html: string): HTMLElement {
  const body = document.createElement("span");
  body.className = "md-embed-body markdown";
  for (const child of new DOMParser().parseFromString(html, "text/html").body.childNodes) body.append(document.importNode(child, true));
  for (const place of body.querySelectorAll("[id]")) place.removeAttribute("id");
  for (const link of body.querySelectorAll('a[href^="#"]')) link.replaceWith(link.textContent ?? "");
  return body;
}

/** A file that is no picture: its name, which leads to it. */
export class EmbeddedFile extends WidgetType {
  constructor(readonly name: string, readonly url: string | null) {
    super();
  }

  override eq(other: EmbeddedFile): boolean {
    return other.name === this.name && other.url === this.url;
  }

  toDOM(): HTMLElement {
    const name = document.createElement(this.url ? "a" : "span");
    name.className = "md-picture-name";
    name.textContent = this.name;
    if (this.url && name instanceof HTMLAnchorElement) {
      name.href = this.url;
      name.target = "_blank";
      name.rel = "noopener";
    }
    return name;
  }

  override ignoreEvent(event: Event): boolean {
    return event.type !== "mousedown";
  }
}
