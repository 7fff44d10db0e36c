// What open dashboards cost the server: so many pages that refresh every five seconds, each with the page's own client (batches, and of ranges only the
// steps that changed), and the processor time of tidemarkd meanwhile. Without a browser, whose drawing costs the server nothing.
//
//   TIDEMARK_BIN=build/release/bin TIDEMARK_BROWSER=build/release/tests/browser/packages TIDEMARK_PAGE_SOURCES=build/release/clients/dashboard/page \
//     node tests/bench/open_pages.mjs [PAGES] [SECONDS]
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [count = "50", seconds = "60"] = process.argv.slice(2);
const SOURCES = resolve(process.env.TIDEMARK_PAGE_SOURCES ?? "build/release/clients/dashboard/page");
const { fill, freePort, Server } = await import(resolve(process.env.TIDEMARK_BROWSER ?? "build/release/tests/browser/packages", "harness.mjs"));
const REFRESH = 5;
const POINTS = 360;
const BOARDS = ["hosts", "backend", "overview", "live", "executive"];

// The page's modules think that they are on a page.
globalThis.location = { pathname: "/dashboard", search: "", origin: "" };
const made = join(tmpdir(), `tidemark-open-pages-${process.pid}.mjs`);
const entry = `export { Batch } from "./src/api/batch.ts"; export { panelStep, resolveExpr } from "./src/panels/source.ts"; export { alignSpan, alignToEnd, resolveRange } from "./src/model/time.ts";`;
await createRequire(join(SOURCES, "package.json"))("esbuild").build({ stdin: { contents: entry, resolveDir: SOURCES, loader: "ts" }, bundle: true, format: "esm", platform: "node", outfile: made, logLevel: "error" });
const { alignSpan, alignToEnd, Batch, panelStep, resolveExpr, resolveRange } = await import(pathToFileURL(made).href);

const server = await new Server(await freePort()).start();

const transport = {
  async lines(path, body, onLine) {
    const reply = await fetch(server.url + path, { method: "POST", headers: { "Content-Type": "application/json" }, body });
    if (reply.status !== 200) throw new Error(`${reply.status} ${await reply.text()}`);
    for (const line of (await reply.text()).split("\n")) if (line !== "") onLine(JSON.parse(line));
  },
  alone: ({ endpoint }) => Promise.reject(new Error(`${endpoint} alone`)),
};

// A page that is open: a client of its own, so that what it holds is its own too.
class OpenPage {
  constructor(board, values) {
    this.board = board;
    this.values = values;
    this.batch = new Batch(transport);
    this.questions = 0;
  }

  // Asks as the page does at a refresh.
  async refresh() {
    const span = resolveRange(this.board.range, Math.floor(Date.now() / 1000));
    const asked = this.board.rows.flatMap((row) => row.panels).flatMap((panel) => {
      const step = panelStep(panel, span, POINTS);
      const grid = (panel.queries ?? []).some((query) => query.step !== undefined) ? alignToEnd(span, step) : alignSpan(span, step);
      return (panel.queries ?? []).map((query) => {
        const expr = resolveExpr(query, this.values, span, step);
        const db = query.db ?? "default";
        switch (query.mode ?? "instant") {
          case "range": return this.batch.queryRange(db, expr, grid.start, grid.end, step);
          case "events": return this.batch.events(db, expr, span.start, span.end, query.limit ?? 200);
          case "alerts": return this.batch.alerts();
          case "rules": return this.batch.rules();
          default: return this.batch.query(db, expr, span.end);
        }
      });
    });
    const answers = await Promise.allSettled(asked);
    this.questions += answers.length;
    return answers.filter((answer) => answer.status === "rejected").map((answer) => String(answer.reason));
  }
}

// Seconds of processor time that the server has taken.
function cpu() {
  const fields = readFileSync(`/proc/${server.process.pid}/stat`, "utf8").split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function during(length, work) {
  const [from, begun] = [cpu(), performance.now()];
  await work();
  await new Promise((done) => setTimeout(done, Math.max(0, length * 1000 - (performance.now() - begun))));
  return (cpu() - from) / ((performance.now() - begun) / 1000);
}

try {
  await fill(server);
  const [{ metric }] = (await server.api("/api/v1/query", { db: "_host", query: "system_load1" })).result;
  const idle = await during(10, () => Promise.resolve());
  const pages = Array.from({ length: Number(count) }, (_, i) => {
    const board = JSON.parse(readFileSync(join(SOURCES, `src/pages/dashboards/${BOARDS[i % BOARDS.length]}.json`), "utf8"));
    const values = Object.fromEntries((board.variables ?? []).map((one) => [one.name, one.kind === "constant" ? one.query : one.name === "host" ? metric.host : "card"]));
    return new OpenPage(board, values);
  });
  const faults = new Set();
  const watch = async (page, i) => {
    await new Promise((done) => setTimeout(done, (i / pages.length) * REFRESH * 1000));
    const end = performance.now() + Number(seconds) * 1000;
    while (performance.now() < end) {
      const next = performance.now() + REFRESH * 1000;
      for (const fault of await page.refresh()) faults.add(fault);
      await new Promise((done) => setTimeout(done, Math.max(0, next - performance.now())));
    }
  };
  // The first answers hold whole ranges: they are asked before.
  await Promise.all(pages.map((page) => page.refresh()));
  for (const page of pages) page.questions = 0;
  const busy = await during(Number(seconds), () => Promise.all(pages.map(watch)));
  const questions = pages.reduce((sum, page) => sum + page.questions, 0);
  console.log(`${pages.length} pages every ${REFRESH} s: ${((busy - idle) * 100).toFixed(1)} % of a core (and ${(idle * 100).toFixed(1)} % without any page); ${(questions / Number(seconds)).toFixed(0)} questions a second, ${questions === 0 ? "-" : (((busy - idle) * Number(seconds) * 1e6) / questions).toFixed(0)} µs each`);
  if (faults.size > 0) throw new Error([...faults].slice(0, 5).join("\n"));
} finally {
  await server.remove();
}
