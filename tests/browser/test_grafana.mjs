// Dashboards of Grafana's, in the shapes of well-known public ones, imported and drawn with what real exporters say.
//
//   TIDEMARK_BIN=build/dev/bin node --test test_grafana.mjs
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { Exporters, missingPrograms } from "./exporters.mjs";
import { freePort, openPage, Server, settled, startBrowser } from "./harness.mjs";

const ROOT = process.env.TIDEMARK_SOURCE ?? new URL("../..", import.meta.url).pathname;
const EXAMPLES = `${ROOT}/clients/dashboard/src/model/grafana/examples`;
const skip = missingPrograms();
if (skip && process.env.TIDEMARK_REQUIRE_EXPORTERS) throw new Error(skip);

let server;
let exporters;
let browser;

// Until the expression has an answer.
async function until(expr, seconds = 60) {
  for (const end = Date.now() + seconds * 1000; Date.now() < end;) {
    const { result } = await server.api("/api/v1/query", { query: expr });
    if (result.length > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error(`nothing answers ${expr} after ${seconds} s`);
}

before(async () => {
  if (skip) return;
  server = await new Server(await freePort(), "--host-metrics", "off").start();
  exporters = new Exporters();
  await exporters.start(server);
  browser = await startBrowser();
  await until("redis_up == 1");
  await exporters.useRedis();
  await Promise.all([until('sum(up) == 3 and on () count_over_time(up{job="node"}[1m]) > 20'), until('redis_commands_total{cmd="incr"}'), until("prometheus_tsdb_head_series > 0")]);
  // A rate of a second needs samples on both sides of it, and a histogram of requests some requests.
  await until("sum(increase(prometheus_http_request_duration_seconds_bucket[1m])) > 0");
});

after(async () => {
  await browser?.close();
  await exporters?.stop();
  await server?.remove();
});

async function imported(name, search = "") {
  const page = await openPage(browser, `${server.url}/dashboard?page=dashboards`, { viewport: { width: 1600, height: 4000 } });
  await page.getByLabel("A file of Tidemark or Grafana").setInputFiles(`${EXAMPLES}/${name}.json`);
  await page.waitForSelector("[data-import]");
  const report = await page.$$eval("[data-result]", (rows) => rows.map((row) => row.dataset.result));
  await page.getByRole("button", { name: /^Save as / }).click();
  await page.waitForSelector("[data-version]");
  if (search) await page.goto(page.url() + search);
  await page.waitForSelector("[data-panel]");
  for (const row of await page.locator('.row-title[aria-expanded="false"]').all()) await row.click();
  await settled(page);
  return { page, report };
}

// Title, type and state of each panel; its error in place of the state where it has one.
const panelsOf = (page) => page.$$eval("[data-panel]", (panels) => panels.map((panel) => [panel.getAttribute("aria-label"), panel.dataset.type, panel.querySelector(".panel-error")?.textContent ?? panel.dataset.state]));
const shown = (list) => list.map(([title, type]) => [title, type, "shown"]);

test("node exporter", { skip }, async () => {
  const { page, report } = await imported("node_exporter", "&from=now-5m&to=now&refresh=off");
  assert.ok(report.every((result) => result === "drawn"));
  const panels = await panelsOf(page);
  assert.deepEqual(panels.slice(0, 6), shown([["CPU Busy", "gauge"], ["Uptime", "stat"], ["Root FS Used", "bars"], ["CPU", "timeseries"], ["Network", "timeseries"], ["Filesystem space", "table"]]));
  // A row for each device that the pattern of the variable takes.
  const { result } = await server.api("/api/v1/query", { query: 'count by (device) (node_network_receive_bytes_total{device=~"lo|e.*"})' });
  const devices = result.map(({ metric }) => metric.device).sort();
  assert.deepEqual(panels.slice(6), shown(devices.map((device) => [device, "timeseries"])));
  assert.deepEqual(await page.$$eval(".row-title", (rows) => rows.slice(2).map((row) => row.textContent.slice(2))), devices.map((device) => `Network of ${device}`));
  // The table: joined, computed, renamed, sorted.
  const table = page.locator('[aria-label="Filesystem space"] table').first();
  assert.deepEqual((await table.locator("th").allTextContents()).map((text) => text.trim()), ["Mount", "Host", "Size", "Free", "Used"]);
  const root = await server.api("/api/v1/query", { query: 'max(node_filesystem_size_bytes{mountpoint="/"})' });
  const raw = await table.locator("tr", { has: page.getByRole("link", { name: "/", exact: true }) }).locator("[data-raw]").evaluateAll((cells) => cells.map((cell) => Number(cell.dataset.raw)));
  assert.equal(raw[0], Number(root.result[0].value[1]));
  assert.ok(Math.abs(raw[2] - (raw[0] - raw[1]) / raw[0]) < 1e-9);
  const used = await table.locator("tbody tr").evaluateAll((rows) => rows.map((row) => Number([...row.querySelectorAll("[data-raw]")].pop().dataset.raw)));
  assert.deepEqual(used, [...used].sort((a, b) => b - a));
  assert.match(await table.getByRole("link", { name: "/", exact: true }).getAttribute("href"), /mountpoint%3D%22%2F%22/);
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test("Prometheus itself, in the old form", { skip }, async () => {
  const { page, report } = await imported("prometheus_self", "&from=now-5m&to=now&refresh=off");
  assert.deepEqual(report, ["drawn", "drawn", "differs", "drawn", "drawn", "drawn", "drawn", "not drawn"]);
  assert.deepEqual(await panelsOf(page), shown([
    ["Prometheus Stats", "table"], ["Target Sync", "timeseries"], ["Appended Samples", "timeseries"], ["Scrape and rules", "timeseries"], ["Head Series", "stat"], ["Blocks loaded", "stat"], ["Request durations", "heatmap"],
  ]));
  assert.deepEqual((await page.locator('[aria-label="Prometheus Stats"] th').allTextContents()).map((text) => text.trim()), ["Instance", "job", "version", "Count"]);
  assert.match(await page.locator('[aria-label="Blocks loaded"]').innerText(), /\d blocks/);
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test("a Go process", { skip }, async () => {
  const { page, report } = await imported("go_process", "&from=now-5m&to=now&refresh=off&var-job=prometheus");
  assert.deepEqual(report, ["drawn", "drawn", "drawn", "differs", "drawn", "drawn", "drawn", "drawn"]);
  assert.deepEqual(await panelsOf(page), shown([
    ["", "text"], ["Goroutines", "timeseries"], ["Heap", "timeseries"], ["GC, mean", "stat"], ["Open files", "pie"], ["Goroutines, how often", "histogram"], ["Memory", "table"], ["Up", "states"],
  ]));
  assert.match(await page.locator('[data-type="text"]').innerText(), /Of prometheus/);
  const cells = await page.locator('[aria-label="Memory"] tbody tr').evaluateAll((rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent)));
  assert.equal(cells.length, 2);
  assert.match(cells[0][0], /^resident 127\.0\.0\.1/);
  assert.match(cells[0][1], /MiB$/);
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test("a database: several values, a repeat, filters, and exports that are the same", { skip }, async () => {
  const { page, report } = await imported("redis_exporter", "&from=now-5m&to=now&refresh=off");
  assert.ok(report.every((result) => result === "drawn"));
  const panels = await panelsOf(page);
  assert.deepEqual(panels.slice(0, 6), shown([["Redis", "stat"], ["Memory of the peak", "gauge"], ["Commands", "timeseries"], ["Keys", "pie"], ["Commands, in all", "table"], ["Up", "states"]]));
  assert.equal(panels.length, 11, "a chart for each of the five commands of the variable");
  assert.match(await page.locator('[aria-label="Redis"]').innerText(), /UP/);
  // Some values of a variable that takes several: the repeats follow, and the address says which.
  const first = panels[6][0];
  await page.locator(".several summary").click();
  await page.locator(".several-list").getByLabel(first, { exact: true }).check();
  await page.waitForFunction((name) => new URLSearchParams(location.search).getAll("var-cmd").includes(name) && document.querySelectorAll("[data-panel]").length === 7, first);
  await page.locator(".several-list").getByLabel(panels[7][0], { exact: true }).check();
  await page.waitForFunction(() => document.querySelectorAll("[data-panel]").length === 8);
  await page.keyboard.press("Escape");
  await settled(page);
  // An ad hoc filter goes into every query: nothing is of that job.
  await page.getByLabel("only").fill('job="nobody"');
  await page.getByLabel("only").press("Enter");
  await page.waitForFunction(() => document.querySelector('[aria-label="Memory of the peak"]').dataset.state === "empty");
  assert.match(await page.locator('[aria-label="Redis"]').innerText(), /NO ANSWER|No data/);
  // Export, import, export; and Grafana's own, also what is not known here.
  const save = async (name) => {
    const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name, exact: true }).click()]);
    return readFileSync(await file.path(), "utf8");
  };
  const [ours, theirs] = [await save("Export"), await save("Export as it was imported")];
  assert.deepEqual(JSON.parse(theirs), JSON.parse(readFileSync(`${EXAMPLES}/redis_exporter.json`, "utf8")));
  for (const [text, name, button] of [[ours, "again", "Export"], [theirs, "theirs", "Export as it was imported"]]) {
    await page.goto(`${server.url}/dashboard?page=dashboards`);
    await page.getByLabel("A file of Tidemark or Grafana").setInputFiles({ name: "x.json", mimeType: "application/json", buffer: Buffer.from(text) });
    await page.waitForSelector("[data-import]");
    await page.getByLabel("Name", { exact: true }).fill(name);
    await page.getByRole("button", { name: `Save as ${name}` }).click();
    await page.waitForSelector("[data-version]");
    assert.equal(await save(button), text);
  }
  assert.deepEqual(page.faults, []);
  await page.context().close();
});
