// Which class each kind of token has; the colours are in the stylesheet.

import { syntaxHighlighting } from "@codemirror/language";
import { tagHighlighter, tags as t } from "@lezer/highlight";

export const highlighting = syntaxHighlighting(
  tagHighlighter([
    { tag: t.strong, class: "md-strong" },
    { tag: t.emphasis, class: "md-em" },
    { tag: t.strikethrough, class: "md-strike" },
    { tag: t.monospace, class: "md-code" },
    { tag: [t.link, t.url], class: "md-link" },
    { tag: [t.processingInstruction, t.contentSeparator], class: "md-mark" },
    { tag: [t.comment, t.meta], class: "code-comment" },
    { tag: [t.keyword, t.operatorKeyword, t.modifier, t.bool, t.null], class: "code-word" },
    { tag: [t.function(t.variableName), t.definition(t.variableName), t.propertyName, t.attributeName, t.tagName, t.className], class: "code-name" },
    { tag: [t.string, t.special(t.string), t.regexp, t.inserted, t.character], class: "code-text" },
    { tag: [t.number, t.atom, t.typeName, t.namespace, t.constant(t.variableName), t.special(t.variableName)], class: "code-value" },
    { tag: t.deleted, class: "code-deleted" },
  ]),
);
