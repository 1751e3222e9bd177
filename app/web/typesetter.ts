// Sets Markdown, in WebAssembly (`app/typesetter`). Imported by the app when there is text to be set.

import init, { begin, html } from "typesetter";
import address from "typesetter-module";

await init({ module_or_path: address });

export { begin, html };
