// Markdown for CodeMirror. Built on the parser alone: CodeMirror's own package for Markdown brings the
// parsers of HTML, CSS and JavaScript with it, which would be half of what the editor weighs.

import { Language, LanguageDescription, LanguageSupport, ParseContext, defineLanguageFacet, languageDataProp } from "@codemirror/language";
import { GFM, parseCode, parser as commonmark } from "@lezer/markdown";
import { languages } from "./languages";
import { notes } from "./syntax";

const data = defineLanguageFacet({
  closeBrackets: { brackets: ["(", "[", "{", "`"] },
  commentTokens: { block: { open: "<!--", close: "-->" } },
});

const code = parseCode({
  codeParser(info) {
    const name = /^\S*/.exec(info)?.[0] ?? "";
    const found = name ? LanguageDescription.matchLanguageName(languages, name, false) : null;
    if (!found) return null;
    return found.support?.language.parser ?? ParseContext.getSkippingParser(found.load());
  },
});

const parser = commonmark.configure([
  ...(Array.isArray(GFM) ? GFM : [GFM]),
  ...notes,
  code,
  { props: [languageDataProp.add((type) => (type.isTop ? data : undefined))] },
]);

export const markdownLanguage = new Language(data, parser, [], "markdown");

export function markdown(): LanguageSupport {
  return new LanguageSupport(markdownLanguage);
}
