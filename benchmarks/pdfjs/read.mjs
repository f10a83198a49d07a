// Prints the text of a PDF as pdf.js reads it, the pages as one JSON list: node read.mjs LIBRARY FILE [PASSWORD]
import { readFile } from "node:fs/promises";

const [library, path, password] = process.argv.slice(2);
console.log = () => {}; // the library prints there what it cannot draw with
const { getDocument } = await import(library);
const data = new Uint8Array(await readFile(path));
const pdf = await getDocument({ data, password, verbosity: 0, isEvalSupported: false }).promise;
const pages = [];
for (let number = 1; number <= pdf.numPages; number++) {
  const { items } = await (await pdf.getPage(number)).getTextContent();
  pages.push(items.map((item) => item.str + (item.hasEOL ? "\n" : "")).join(""));
}
process.stdout.write(JSON.stringify(pages));
