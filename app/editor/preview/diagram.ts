// Diagrams. The library draws them in a frame of their own without any right: its document may load
// nothing and has no origin. It is handed the library as text, gives back a picture, and the picture is
// shown as one, so that nothing in a diagram can run or ask.

import { EditorView, WidgetType } from "@codemirror/view";
import { enter } from "./widgets";

const FRAME = "/frame/diagram";
const PATIENCE_MS = 15_000;
const KEPT = 60;

interface Drawn { svg?: string; error?: string }

let frame: Promise<Window> | undefined;
let next = 0;
const waiting = new Map<number, (drawn: Drawn) => void>();
const known = new Map<string, Promise<Drawn>>();

addEventListener("message", ({ data, origin }) => {
  // A document without an origin says "null"; what it says is a picture or a sentence.
  if (origin !== "null" || typeof data !== "object" || data === null || typeof data.job !== "number") return;
  waiting.get(data.job)?.({ svg: text(data.svg), error: text(data.error) });
  waiting.delete(data.job);
});

const text = (value: unknown) => (typeof value === "string" ? value : undefined);

function open(): Promise<Window> {
  frame ??= (async () => {
    const element = document.createElement("iframe");
    element.setAttribute("sandbox", "allow-scripts");
    element.src = FRAME;
    element.className = "md-diagram-frame";
    element.tabIndex = -1;
    element.setAttribute("aria-hidden", "true");
    const loaded = new Promise((resolve) => (element.onload = resolve));
    document.body.append(element);
    const [library] = await Promise.all([fetch(DIAGRAMS).then((response) => response.text()), loaded]);
    element.contentWindow!.postMessage({ library }, "*");
    return element.contentWindow!;
  })();
  frame.catch(() => (frame = undefined));
  return frame;
}

function draw(source: string, isDark: boolean): Promise<Drawn> {
  const key = `${isDark} ${source}`;
  const before = known.get(key);
  if (before) return before;
  const drawn = new Promise<Drawn>((resolve) => {
    const job = next++;
    waiting.set(job, resolve);
    setTimeout(() => resolve({ error: "The diagram took too long." }), PATIENCE_MS);
    open().then(
      (window) => window.postMessage({ job, source, isDark }, "*"),
      () => resolve({ error: "Diagrams cannot be drawn right now." }),
    );
  });
  known.set(key, drawn);
  if (known.size > KEPT) known.delete(known.keys().next().value!);
  return drawn;
}

function isDark(): boolean {
  return getComputedStyle(document.documentElement).colorScheme.split(" ")[0] === "dark" || matchMedia("(prefers-color-scheme: dark)").matches && document.documentElement.dataset.theme === "system";
}

export class Diagram extends WidgetType {
  constructor(readonly source: string) {
    super();
  }

  override eq(other: Diagram): boolean {
    return other.source === this.source;
  }

  override get estimatedHeight(): number {
    return 240;
  }

  toDOM(view: EditorView): HTMLElement {
    const place = document.createElement("div");
    place.className = "md-diagram";
    place.textContent = "Drawing…";
    place.onmousedown = (event) => enter(view, place, event, "```mermaid\n".length);
    void draw(this.source, isDark()).then(({ svg, error }) => {
      if (svg) {
        const picture = document.createElement("img");
        picture.alt = `Diagram: ${this.source.trim().split("\n")[0]}`;
        picture.onload = () => view.requestMeasure();
        picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
        place.replaceChildren(picture);
      } else {
        place.classList.add("is-wrong");
        place.textContent = `This diagram cannot be drawn: ${error ?? "it is empty"}`;
      }
      view.requestMeasure();
    });
    return place;
  }

  override ignoreEvent(): boolean {
    return true;
  }
}
