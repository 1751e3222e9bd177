// What notes have beyond GitHub's Markdown: [[links to notes]], ![[embeds]], #tags, @people, $formulas$ and
// footnotes.

import { tags } from "@lezer/highlight";
import type { BlockContext, InlineContext, Line, MarkdownConfig } from "@lezer/markdown";

const CODE = { bang: 33, dollar: 36, open: 91, close: 93, backslash: 92, hash: 35, at: 64, space: 32, caret: 94 };

/** `[[…]]` from its first bracket on: where it ends. */
function linkEnd(cx: InlineContext, at: number): number {
  if (cx.char(at) !== CODE.open || cx.char(at + 1) !== CODE.open) return -1;
  const rest = cx.slice(at + 2, Math.min(cx.end, at + 300));
  const end = rest.indexOf("]]");
  return end < 1 || /[\[\]\n]/.test(rest.slice(0, end)) ? -1 : at + 2 + end + 2;
}

const wikilink: MarkdownConfig = {
  defineNodes: [
    { name: "Wikilink", style: tags.link },
    { name: "WikilinkMark", style: tags.processingInstruction },
    { name: "Embed", style: tags.link },
  ],
  parseInline: [
    {
      name: "Wikilink",
      before: "Link",
      parse(cx: InlineContext, next: number, at: number) {
        const to = next === CODE.open ? linkEnd(cx, at) : -1;
        if (to < 0) return -1;
        return cx.addElement(
          cx.elt("Wikilink", at, to, [cx.elt("WikilinkMark", at, at + 2), cx.elt("WikilinkMark", to - 2, to)]),
        );
      },
    },
    {
      name: "Embed",
      before: "Image",
      parse(cx: InlineContext, next: number, at: number) {
        const to = next === CODE.bang ? linkEnd(cx, at + 1) : -1;
        if (to < 0) return -1;
        return cx.addElement(cx.elt("Embed", at, to, [cx.elt("WikilinkMark", at, at + 3), cx.elt("WikilinkMark", to - 2, to)]));
      },
    },
  ],
};

const footnotes: MarkdownConfig = {
  defineNodes: [
    { name: "FootnoteReference", style: tags.link },
    { name: "Footnote", block: true },
    { name: "FootnoteMark", style: tags.processingInstruction },
  ],
  parseInline: [
    {
      name: "FootnoteReference",
      before: "Link",
      parse(cx: InlineContext, next: number, at: number) {
        if (next !== CODE.open || cx.char(at + 1) !== CODE.caret) return -1;
        const found = /^\[\^[^\]\[\s]{1,100}\]/.exec(cx.slice(at, Math.min(cx.end, at + 110)));
        return found ? cx.addElement(cx.elt("FootnoteReference", at, at + found[0].length)) : -1;
      },
    },
  ],
  parseBlock: [
    {
      name: "Footnote",
      before: "FencedCode",
      parse(cx: BlockContext, line: Line) {
        const text = line.text.slice(line.pos);
        const found = /^\[\^[^\]\[\s]{1,100}\]:[ \t]*/.exec(text);
        if (!found) return false;
        const from = cx.lineStart + line.pos;
        const words = from + found[0].length;
        const mark = cx.elt("FootnoteMark", from, words);
        const inline = cx.parser.parseInline(text.slice(found[0].length), words);
        cx.addElement(cx.elt("Footnote", from, cx.lineStart + line.text.length, [mark, ...inline]));
        cx.nextLine();
        return true;
      },
    },
  ],
};

/** A sign, then a word that begins with a letter, where a word may begin. */
function word(name: string, sign: number, pattern: RegExp): MarkdownConfig {
  return {
    defineNodes: [name],
    parseInline: [
      {
        name,
        parse(cx: InlineContext, next: number, at: number) {
          if (next !== sign) return -1;
          if (at > cx.offset && !/[\s([{"'*_~]/.test(cx.slice(at - 1, at))) return -1;
          const found = pattern.exec(cx.slice(at + 1, Math.min(cx.end, at + 80)));
          return found ? cx.addElement(cx.elt(name, at, at + 1 + found[0].length)) : -1;
        },
      },
    ],
  };
}

const hashtag = word("Hashtag", CODE.hash, /^[\p{L}_][\p{L}\p{N}_/-]*/u);
const mention = word("Mention", CODE.at, /^\p{L}(?:[\p{L}\p{N}_.-]*[\p{L}\p{N}])?/u);

const inlineMath: MarkdownConfig = {
  defineNodes: [{ name: "InlineMath", style: tags.special(tags.content) }],
  parseInline: [
    {
      name: "InlineMath",
      before: "Escape",
      parse(cx: InlineContext, next: number, at: number) {
        if (next !== CODE.dollar || cx.char(at + 1) === CODE.dollar) return -1;
        const first = cx.char(at + 1);
        if (first === CODE.space || first < 0) return -1;
        for (let end = at + 1; end < cx.end; end++) {
          const code = cx.char(end);
          if (code === CODE.backslash) end++;
          else if (code === CODE.dollar) {
            // "$5 and $6" are prices: a formula ends with what is no space, and no number follows.
            const price = cx.char(end - 1) === CODE.space || /\d/.test(cx.slice(end + 1, Math.min(cx.end, end + 2)));
            return price ? -1 : cx.addElement(cx.elt("InlineMath", at, end + 1));
          }
        }
        return -1;
      },
    },
  ],
};

const blockMath: MarkdownConfig = {
  defineNodes: [{ name: "BlockMath", block: true, style: tags.special(tags.content) }],
  parseBlock: [
    {
      name: "BlockMath",
      before: "FencedCode",
      parse(cx: BlockContext, line: Line) {
        const text = line.text.slice(line.pos);
        if (!text.startsWith("$$")) return false;
        const from = cx.lineStart + line.pos;
        const closes = (rest: string) => rest.trimEnd().endsWith("$$");
        let to = cx.lineStart + line.text.length;
        if (text.trim().length < 4 || !closes(text)) {
          while (cx.nextLine()) {
            to = cx.lineStart + line.text.length;
            if (closes(line.text)) break;
          }
        }
        cx.nextLine();
        cx.addElement(cx.elt("BlockMath", from, to));
        return true;
      },
      endLeaf: (_cx, line) => line.text.slice(line.pos).startsWith("$$"),
    },
  ],
};

/** What some programs put before a note: fields between two lines of dashes. */
const frontmatter: MarkdownConfig = {
  defineNodes: [{ name: "Frontmatter", block: true, style: tags.meta }],
  parseBlock: [
    {
      name: "Frontmatter",
      before: "HorizontalRule",
      parse(cx: BlockContext, line: Line) {
        if (cx.lineStart !== 0 || line.text.trimEnd() !== "---") return false;
        let to = line.text.length;
        while (cx.nextLine()) {
          const isEnd = /^(---|\.\.\.)\s*$/.test(line.text);
          if (!isEnd && line.text.trim() === "") break;
          to = cx.lineStart + line.text.length;
          if (!isEnd) continue;
          cx.nextLine();
          break;
        }
        cx.addElement(cx.elt(to > 4 ? "Frontmatter" : "HorizontalRule", 0, to));
        return true;
      },
    },
  ],
};

export const notes: MarkdownConfig[] = [frontmatter, wikilink, footnotes, hashtag, mention, inlineMath, blockMath];
