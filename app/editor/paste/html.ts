// HTML as it comes from other programs, turned into Markdown. It is read in a document that runs
// nothing and loads nothing; only text and what Markdown can say of it comes out.

import { inBrackets, safe } from "../preview/links";

const SKIPPED = new Set(["SCRIPT", "STYLE", "NOSCRIPT", "TEMPLATE", "HEAD", "META", "LINK", "IFRAME", "OBJECT", "SVG", "BUTTON", "SELECT", "TEXTAREA"]);
const BLOCKS = new Set(["ADDRESS", "ARTICLE", "ASIDE", "BLOCKQUOTE", "DD", "DIV", "DL", "DT", "FIGURE", "FIGCAPTION", "FOOTER", "FORM", "H1", "H2", "H3", "H4", "H5", "H6", "HEADER", "HR", "LI", "MAIN", "NAV", "OL", "P", "PRE", "SECTION", "TABLE", "UL", "DETAILS", "SUMMARY"]);

export function htmlToMarkdown(html: string): string {
  const { body } = new DOMParser().parseFromString(quiet(html), "text/html");
  return blocksOf(body).replace(/\n{3,}/g, "\n\n").trim();
}

/** Styles and handlers under other names: the page's policy forbids them, and would complain of each. */
function quiet(html: string): string {
  const tags = html.replace(/<style[\s\S]*?<\/style>/gi, "");
  return tags.replace(/<[a-z][^>]*>/gi, (tag) => tag.replace(/\s(style|on[a-z]+)(?=\s*=)/gi, " data-$1"));
}

/** Whether there is more in it than the plain text says. */
export function saysMore(html: string): boolean {
  return /<(h[1-6]|ul|ol|table|pre|blockquote|a\s|strong|em|b>|b\s|i>|i\s|img|code)/i.test(html);
}

/** Its blocks, apart by empty lines; runs of inline content between them are paragraphs. */
function blocksOf(parent: Element): string {
  const parts: string[] = [];
  let run = "";
  const end = () => {
    const text = run.replace(/[ \t]*\n[ \t]*/g, "\n").trim();
    if (text) parts.push(text);
    run = "";
  };
  for (const node of parent.childNodes) {
    if (node instanceof Element && (BLOCKS.has(node.tagName) || holdsBlocks(node)) && !SKIPPED.has(node.tagName)) {
      end();
      const text = blockOf(node);
      if (text) parts.push(text);
    } else {
      run += inlineOf(node);
    }
  }
  end();
  return parts.join("\n\n");
}

/** Google Docs wraps everything into one `<b>`. */
function holdsBlocks(element: Element): boolean {
  return [...element.children].some((child) => BLOCKS.has(child.tagName));
}

function blockOf(element: Element): string {
  const { tagName } = element;
  if (/^H[1-6]$/.test(tagName)) {
    const text = inlineChildren(element).replace(/\s+/g, " ").trim();
    return text && `${"#".repeat(Number(tagName[1]))} ${text}`;
  }
  switch (tagName) {
    case "HR":
      return "---";
    case "PRE":
      return codeOf(element);
    case "BLOCKQUOTE":
      return prefixed(blocksOf(element), "> ", "> ");
    case "UL":
    case "OL":
      return listOf(element);
    case "TABLE":
      return tableOf(element);
    default:
      return blocksOf(element);
  }
}

function prefixed(text: string, first: string, rest: string): string {
  return text.split("\n").map((line, at) => ((at === 0 ? first : rest) + line).trimEnd()).join("\n");
}

function codeOf(element: Element): string {
  const inner = element.querySelector("code");
  const language = /(?:language|lang)-([\w+#-]+)/.exec(`${inner?.className} ${element.className}`)?.[1] ?? "";
  const text = (element.textContent ?? "").replace(/\n$/, "");
  const fence = "`".repeat(Math.max(3, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length + 1)));
  return `${fence}${language}\n${text}\n${fence}`;
}

function listOf(list: Element): string {
  const isOrdered = list.tagName === "OL";
  let number = Number.parseInt(list.getAttribute("start") ?? "1", 10) || 1;
  const lines: string[] = [];
  for (const child of list.children) {
    // Some programs put a nested list beside its item.
    if (child.tagName === "UL" || child.tagName === "OL") {
      lines.push(prefixed(listOf(child), "  ", "  "));
      continue;
    }
    const box = child.querySelector<HTMLInputElement>(":scope > input[type=checkbox], :scope > label > input[type=checkbox], :scope > p > input[type=checkbox]");
    const mark = isOrdered ? `${number++}. ` : "- ";
    const task = box ? (box.hasAttribute("checked") ? "[x] " : "[ ] ") : "";
    const text = blocksOf(child).replace(/\n\n(?=\s*([-*+]|\d+\.) )/g, "\n");
    lines.push(prefixed(task + text, mark, " ".repeat(mark.length)));
  }
  return lines.join("\n");
}

function tableOf(table: Element): string {
  const rows = [...table.querySelectorAll("tr")].map((row) =>
    [...row.querySelectorAll(":scope > th, :scope > td")].map((cell) =>
      inlineChildren(cell).replace(/\s+/g, " ").trim().replaceAll("|", "\\|"),
    ),
  );
  const width = Math.max(0, ...rows.map((row) => row.length));
  if (width === 0) return "";
  // A table of one cell only lays something out.
  if (width === 1 && rows.length === 1) return blocksOf(table.querySelector("th, td")!);
  const line = (cells: string[]) => `| ${Array.from({ length: width }, (_, at) => cells[at] ?? "").join(" | ")} |`;
  const [head = [], ...body] = rows;
  return [line(head), line(Array.from({ length: width }, () => "---")), ...body.map(line)].join("\n");
}

function inlineChildren(element: Element): string {
  return [...element.childNodes].map(inlineOf).join("");
}

/** Marks go next to the letters, spaces outside. */
function marked(text: string, mark: string): string {
  const [, before = "", inner = "", after = ""] = /^(\s*)([\s\S]*?)(\s*)$/.exec(text) ?? [];
  return inner ? before + mark + inner + mark + after : text;
}

function inlineOf(node: Node): string {
  if (node instanceof Text) return escaped((node.textContent ?? "").replace(/[ \t\r\n\u00a0]+/g, " "));
  if (!(node instanceof HTMLElement) || SKIPPED.has(node.tagName.toUpperCase())) return "";
  const inner = () => inlineChildren(node);
  switch (node.tagName) {
    case "BR":
      return "\n";
    case "STRONG":
    case "B":
      return /font-weight:\s*(normal|400)/.test(node.dataset.style ?? "") ? inner() : marked(inner(), "**");
    case "EM":
    case "I":
      return marked(inner(), "*");
    case "S":
    case "DEL":
    case "STRIKE":
      return marked(inner(), "~~");
    case "CODE":
    case "KBD":
    case "SAMP":
      return codeSpan(node.textContent ?? "");
    case "A":
      return linkOf(node, inner());
    case "IMG":
      return pictureOf(node);
    case "INPUT":
      return "";
    case "SPAN":
      return styled(node, inner());
    default:
      return inner();
  }
}

/** Word processors say with styles what others say with elements. */
function styled(node: HTMLElement, text: string): string {
  const style = node.dataset.style ?? "";
  const bold = /font-weight:\s*(bold|[6-9]00)/.test(style) ? marked(text, "**") : text;
  return /font-style:\s*italic/.test(style) ? marked(bold, "*") : bold;
}

function codeSpan(text: string): string {
  if (!text) return "";
  const ticks = text.includes("`") ? "``" : "`";
  return ticks + text + ticks;
}

function linkOf(node: HTMLElement, text: string): string {
  const given = node.getAttribute("href") ?? "";
  const url = /^(https?:|mailto:|tel:)/i.test(given) ? safe(given) : null;
  if (!url) return text;
  if (text.trim() === url) return `<${url}>`;
  return text.trim() ? `[${text.trim()}](${inBrackets(url)})` : "";
}

function pictureOf(node: HTMLElement): string {
  const url = node.getAttribute("src") ?? "";
  const text = (node.getAttribute("alt") ?? "").replace(/[\[\]\n]/g, " ");
  return /^https?:/i.test(url) ? `![${text}](${inBrackets(url)})` : text;
}

/** Only what would be taken for a mark. */
function escaped(text: string): string {
  return text.replace(/([\\`*_[\]~]|<(?=[a-z/!]))/gi, "\\$1").replace(/^(\s*)(#{1,6}|[-+>]|\d+\.)(?=\s)/, "$1\\$2");
}
