// Writes dashboards of ours as Grafana's:
//
//   node build/dev/clients/dashboard/page/bundle/grafana.mjs OUTPUT_FOLDER [FILE.json ...]
//
// Without files: the pages that ship. Run from the copy of this folder in a build tree, where the packages are.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const home = fileURLToPath(new URL("..", import.meta.url));
const [output, ...files] = process.argv.slice(2);
if (!output) {
  console.error("usage: node grafana.mjs OUTPUT_FOLDER [FILE.json ...]");
  process.exit(2);
}
const made = join(home, "grafana_export.mjs");
await build({ entryPoints: [join(home, "src/model/grafana/export.ts")], bundle: true, format: "esm", platform: "neutral", outfile: made, logLevel: "error" });
const { exportGrafana } = await import(pathToFileURL(made).href);
const pages = join(home, "src/pages/dashboards");
mkdirSync(resolve(output), { recursive: true });
for (const file of files.length > 0 ? files : readdirSync(pages).sort().map((name) => join(pages, name))) {
  const { dashboard, left } = exportGrafana(JSON.parse(readFileSync(file, "utf8")), { source: (database) => `tidemark-${database}`, home: "default" });
  writeFileSync(join(resolve(output), basename(file)), `${JSON.stringify(dashboard, null, 1)}\n`);
  if (left.length > 0) console.log(`${basename(file)}: not drawn by Grafana: ${left.join(", ")}`);
}
