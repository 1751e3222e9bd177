// Sets Markdown, in WebAssembly (`app/typesetter`). Imported by the app when there is text to be set.

import init, { begin, formula, html, note } from "typesetter";
import address from "typesetter-module";

await init({ module_or_path: address });

export { begin, formula, html, note };
