// What is shown is of now: nothing waits for the end of a step, for a quicker server, for a page that is seen again, or for a minute to pass.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { freePort, openPage, Server, settled, startBrowser } from "./harness.mjs";

let server;
let browser;

before(async () => {
  server = await new Server(await freePort()).start();
  browser = await startBrowser();
});

after(async () => {
  await browser?.close();
  await server?.remove();
});

// Long enough for some refreshes on a loaded machine, and far shorter than any step, pause or patience that would hide a fault.
const SOON = { timeout: 12_000 };
const seconds = () => Math.floor(Date.now() / 1000);

async function save(name, board) {
  const reply = await fetch(`${server.url}/api/v1/dashboards/${name}`, {
    method: "PUT", headers: { "Content-Type": "application/json", "If-None-Match": "*" },
    body: JSON.stringify({ schema: 1, id: name, title: name, refresh: "1s", range: { from: "now-15m", to: "now" }, ...board }),
  });
  assert.equal(reply.status, 200, await reply.text());
}

const show = (page, hidden) => page.evaluate((value) => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => value });
  document.dispatchEvent(new Event("visibilitychange"));
}, hidden);

test("answers that take longer than a refresh are shown, each", async () => {
  const page = await openPage(browser, `${server.url}/dashboard?page=hosts&refresh=1s`);
  await settled(page);
  await page.route("**/api/v1/query_batch", async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 5000));
    await route.continue().catch(() => undefined);
  });
  const at = () => page.locator('[data-panel="load"]').getAttribute("data-at").then(Number);
  // What was under way before the server became slow.
  await page.waitForTimeout(1500);
  const first = await at();
  const slow = { timeout: 20_000 };
  await page.waitForFunction((old) => Number(document.querySelector('[data-panel="load"]').dataset.at) > old, first, slow);
  const second = await at();
  await page.waitForFunction((old) => Number(document.querySelector('[data-panel="load"]').dataset.at) > old, second, slow);
  await page.context().close();
});

test("a page that nothing refreshes shows what is pushed, however long it is open, and what it missed while nobody saw it", async () => {
  await server.write("default", `log text="before" ${Date.now()}000000`);
  await save("log", { refresh: "0s", rows: [{ panels: [{ id: "log", type: "events", title: "Log", width: 12, queries: [{ id: "A", mode: "events", expr: "log_text", follow: true, limit: 50 }] }] }] });
  const page = await openPage(browser, `${server.url}/dashboard?page=d-log&refresh=off`);
  await page.getByText("before").waitFor(SOON);
  await page.getByText("● Live").waitFor(SOON);
  // Two minutes later, without waiting for them.
  await page.evaluate(() => { const { now } = Date; Date.now = () => now() + 120_000; });
  await server.write("default", `log text="pushed later" ${Date.now()}000000`);
  await page.getByText("pushed later").waitFor(SOON);
  await show(page, true);
  await page.getByText("○ Not following").waitFor(SOON);
  await server.write("default", `log text="while nobody looked" ${Date.now()}000000`);
  await show(page, false);
  await page.getByText("while nobody looked").waitFor(SOON);
  assert.equal(await page.getByText("pushed later").count(), 1, "what is asked for again stands there once");
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test("a panel that is refreshed seldom asks until it has data, and at once for another range", async () => {
  await save("seldom", { rows: [{ panels: [{ id: "one", type: "stat", title: "One", width: 6, every: "10m", queries: [{ id: "A", expr: "seldom" }] }] }] });
  const page = await openPage(browser, `${server.url}/dashboard?page=d-seldom`);
  const panel = page.locator('[data-panel="one"]');
  await page.waitForSelector('[data-panel="one"][data-state="empty"]');
  await server.write("default", `seldom value=7 ${seconds()}000000000`);
  await page.waitForSelector('[data-panel="one"][data-state="shown"]', SOON);
  assert.equal(await panel.locator("[data-figure]").textContent(), "7");
  const at = Number(await panel.getAttribute("data-at"));
  await page.waitForTimeout(2500);
  assert.equal(Number(await panel.getAttribute("data-at")), at, "with data it is left alone");
  await page.keyboard.press(",");
  await page.waitForFunction((old) => Number(document.querySelector('[data-panel="one"]').dataset.at) < old, at, SOON);
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test("what a variable may be is found when there is something for the first time", async () => {
  await save("first", {
    variables: [{ name: "oven", kind: "query", query: "label_values(oven_heat, oven)" }],
    rows: [{ panels: [{ id: "heat", type: "stat", title: "Heat", width: 6, queries: [{ id: "A", expr: "oven_heat{oven=\"$oven\"}" }] }] }],
  });
  const page = await openPage(browser, `${server.url}/dashboard?page=d-first`);
  await page.waitForSelector('[data-panel="heat"][data-state="empty"]');
  await server.write("default", `oven,oven=left heat=200 ${seconds()}000000000`);
  await page.waitForSelector('[data-panel="heat"][data-state="shown"]', SOON);
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test("a number over weeks is the newest one, not that of the last whole step", async () => {
  const now = seconds();
  const lines = [];
  for (let hours = 1; hours < 14 * 24; hours++) lines.push(`stock value=${hours} ${now - hours * 3600}000000000`);
  lines.push(`stock value=4321 ${now - 1}000000000`);
  await server.write("default", lines.join("\n"));
  const query = { id: "A", mode: "range", expr: "stock", legend: "stock" };
  await save("stock", { range: { from: "now-14d", to: "now" }, rows: [{ panels: ["stat", "bars", "gauge"].map((type) => ({ id: type, type, title: type, width: 4, unit: "none", ...(type === "stat" ? { options: { spark: true } } : {}), queries: [query] })) }] });
  const page = await openPage(browser, `${server.url}/dashboard?page=d-stock`);
  await settled(page);
  for (const type of ["stat", "bars", "gauge"]) assert.equal(await page.locator(`[data-panel="${type}"] [data-raw]`).first().getAttribute("data-raw"), "4321", type);
  await server.write("default", `stock value=1234 ${seconds()}000000000`);
  for (const type of ["stat", "bars", "gauge"]) await page.waitForSelector(`[data-panel="${type}"] [data-raw="1234"]`, SOON);
  assert.deepEqual(page.faults, []);
  await page.context().close();
});
