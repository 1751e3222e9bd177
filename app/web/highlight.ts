// Colours code for the page, loaded the first time a page shows some. It gives HTML of `hljs-` spans
// and touches nothing; who calls it checks what it gives before showing it.

import hljs from "highlight.js/lib/common";

declare global {
  interface Window {
    /** HTML of the code, or `undefined` where the language is not known. */
    sidebarHighlight?: (code: string, language: string) => string | undefined;
  }
}

window.sidebarHighlight = (code, language) =>
  hljs.getLanguage(language) ? hljs.highlight(code, { language, ignoreIllegals: true }).value : undefined;
