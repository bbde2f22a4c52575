// Parses Mermaid documents with the real library: a JSON list of texts on standard input, a JSON list of errors (or null) out.
// Needs `mermaid` and `jsdom` in the folder named by PLACET_MERMAID (npm install mermaid jsdom).
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
const require = createRequire(process.env.PLACET_MERMAID + "/");
const { JSDOM } = require("jsdom");
const { window } = new JSDOM("");
globalThis.window = window;
globalThis.document = window.document;
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
const mermaid = (await load("mermaid")).default;
mermaid.initialize({ maxEdges: 100000, maxTextSize: 10000000 });
let input = "";
for await (const chunk of process.stdin) input += chunk;
const errors = [];
for (const text of JSON.parse(input)) {
  try {
    await mermaid.parse(text);
    errors.push(null);
  } catch (error) {
    errors.push(String(error.message ?? error));
  }
}
console.log(JSON.stringify(errors));
process.exit(0);
