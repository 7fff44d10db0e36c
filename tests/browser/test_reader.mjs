// A page that somebody leaves open, and one who uses no mouse: nothing grows, nothing that was open is reset, the keyboard does all of it.
//
//   TIDEMARK_BIN=build/dev/bin node --test test_reader.mjs
//   TIDEMARK_SOAK=full: 1,000 refreshes and 200 changes of the page in place of 60 and 30
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { fill, freePort, openPage, RULES, Server, settled, startBrowser } from "./harness.mjs";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const FULL = process.env.TIDEMARK_SOAK === "full";
const [REFRESHES, SWITCHES] = FULL ? [1000, 200] : [60, 30];
const PAGES = ["overview", "execution", "benchmarks", "live", "trends", "backend", "alerts", "executive", "hosts", "metrics", "storage", "usage", "dashboards", "rules"];

let server;
let browser;

before(async () => {
  server = new Server(await freePort());
  server.flags.push("--rules-files", server.file("rules.yaml", RULES), "--rules-database", "dce");
  await server.start();
  [browser] = await Promise.all([startBrowser(), fill(server)]);
});

after(async () => {
  await browser?.close();
  await server?.remove();
});

const goTo = (page, id) => page.evaluate((search) => { history.pushState(null, "", search); dispatchEvent(new PopStateEvent("popstate")); }, `?page=${id}&refresh=off&var-pipeline=card`);

// A refresh by its key, until its answer has begun to come and been drawn. (That a streamed answer has ended is told of by no event.)
async function refresh(page) {
  const answered = page.waitForResponse((reply) => reply.url().includes("/api/v1/query_batch"));
  await page.keyboard.press("r");
  await answered;
  await page.evaluate(() => new Promise((resolve) => setTimeout(() => requestAnimationFrame(resolve), 20)));
}

// What the page holds after a collection: bytes, elements (also those that are in no document), listeners.
async function held(session) {
  for (let i = 0; i < 3; i++) await session.send("HeapProfiler.collectGarbage");
  const { metrics } = await session.send("Performance.getMetrics");
  const of = (name) => metrics.find((metric) => metric.name === name).value;
  return { heap: of("JSHeapUsedSize"), nodes: of("Nodes"), listeners: of("JSEventListeners") };
}

test(`${REFRESHES} refreshes and ${SWITCHES} changes of the page leave heap, elements and listeners as they were`, { timeout: 1_800_000 }, async () => {
  const page = await openPage(browser, `${server.url}/dashboard?page=hosts&refresh=off`, { viewport: { width: 1280, height: 1600 } });
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  const round = async (count, from) => {
    for (let i = 0; i < count; i++) {
      const id = PAGES[(from + i) % PAGES.length];
      await goTo(page, id);
      await page.waitForFunction((want) => document.querySelector("nav [aria-current]")?.getAttribute("href")?.includes(`page=${want}`), id);
      if (!["metrics", "storage", "usage", "dashboards", "rules"].includes(id)) await settled(page);
    }
    await goTo(page, "hosts");
    await settled(page);
  };
  // Each page once, and what a refresh fills once.
  await round(PAGES.length * 2, 0);
  for (let i = 0; i < 20; i++) await refresh(page);
  const before = await held(session);
  await round(SWITCHES, 3);
  const switched = await held(session);
  for (let i = 0; i < REFRESHES; i++) await refresh(page);
  const after = await held(session);
  const told = JSON.stringify({ before, switched, after });
  if (FULL) console.log(told);
  for (const now of [switched, after]) {
    assert.ok(now.nodes < before.nodes * 1.05 + 150, `elements: ${told}`);
    assert.ok(now.listeners < before.listeners * 1.05 + 20, `listeners: ${told}`);
    assert.ok(now.heap < before.heap * 1.15 + 2_000_000, `heap: ${told}`);
  }
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test("a refresh resets nothing that a reader had open", async () => {
  const page = await openPage(browser, `${server.url}/db/_host/dashboard?page=hosts&refresh=1s`, { viewport: { width: 1400, height: 1500 } });
  await settled(page);
  const load = page.locator('[data-panel="load"]');
  await page.waitForFunction(() => document.querySelectorAll('[data-panel="load"] .entry').length > 1);
  // A hidden series, and a tooltip that was pinned and is scrolled to.
  await load.locator(".entry").first().click({ modifiers: ["Control"] });
  const box = await load.locator(".u-over").boundingBox();
  await page.mouse.move(box.x + box.width * 0.97, box.y + 30);
  await page.mouse.down();
  await page.mouse.up();
  await load.locator(".tooltip.pinned").waitFor();
  const pinned = await load.locator(".tooltip.pinned .note").first().innerText();
  // A table that is sorted, in place of a chart.
  const cores = page.locator('[data-panel="cpu-cores"]');
  await cores.locator(".menu summary").click();
  await cores.getByText("Show as table").click();
  await cores.getByRole("button", { name: "Time" }).click();
  const order = () => cores.locator("th[aria-sort]").evaluateAll((heads) => heads.map((head) => head.getAttribute("aria-sort")));
  const sorted = await order();
  assert.ok(sorted.includes("ascending") || sorted.includes("descending"));
  // A menu, and the picker of times with something in it.
  const menu = page.locator('[data-panel="cpu"] .menu');
  await menu.locator("summary").click();
  const at = Number(await load.getAttribute("data-at"));
  await page.waitForFunction((old) => Number(document.querySelector('[data-panel="load"]').dataset.at) >= old + 4, at);
  assert.equal(await load.locator(".entry.off").count(), 1, "the hidden series");
  assert.equal(await load.locator(".tooltip.pinned .note").first().innerText(), pinned, "the pinned moment");
  assert.deepEqual(await order(), sorted, "the order of the table");
  assert.equal(await menu.getAttribute("open"), "", "the menu");
  await page.keyboard.press("Escape");
  await page.locator(".picker > summary").click();
  const from = page.locator(".picker-list").getByLabel("From");
  await from.fill("now-42m");
  const later = Number(await load.getAttribute("data-at"));
  await page.waitForFunction((old) => Number(document.querySelector('[data-panel="load"]').dataset.at) >= old + 3, later);
  assert.equal(await from.inputValue(), "now-42m", "what is half written");
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

// Tab until the element is focused.
async function tabTo(page, matches, what) {
  for (let i = 0; i < 250; i++) {
    await page.keyboard.press("Tab");
    if (await page.evaluate(matches.fn, matches.arg)) return;
  }
  assert.fail(`the keyboard does not reach ${what}`);
}
const named = (role, name) => ({
  fn: ([tag, text]) => { const e = document.activeElement; return e?.matches(tag) && ((e.getAttribute("aria-label") ?? e.textContent ?? "").trim() === text || [...(e.labels ?? [])].some((label) => label.textContent.trim().startsWith(text))); },
  arg: [role, name],
});

test("the keyboard alone: pages, times, menus, charts, tables, variables, silences", async () => {
  const page = await openPage(browser, `${server.url}/dashboard?page=overview&refresh=off`);
  await settled(page);
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
  await tabTo(page, named("a", "Hosts"), "a page");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => location.search.includes("page=hosts"));
  await settled(page);
  await tabTo(page, { fn: () => document.activeElement?.matches(".picker > summary"), arg: [] }, "the times");
  await page.keyboard.press("Enter");
  await tabTo(page, named("button", "1 hour"), "a time");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => location.search.includes("from=now-1h"));
  await settled(page);
  await tabTo(page, { fn: () => document.activeElement?.matches(".plot"), arg: [] }, "a chart");
  await page.keyboard.press("ArrowLeft");
  await page.waitForSelector(".tooltip");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".tooltip.pinned");
  await page.keyboard.press("Escape");
  await page.waitForSelector(".tooltip", { state: "detached" });
  await tabTo(page, { fn: () => document.activeElement?.matches(".entry"), arg: [] }, "a legend");
  await page.keyboard.press("Enter");
  await tabTo(page, { fn: () => document.activeElement?.matches(".menu summary"), arg: [] }, "a menu");
  await page.keyboard.press("Enter");
  await tabTo(page, named("button", "Show as table"), "what is in the menu");
  await page.keyboard.press("Enter");
  await tabTo(page, { fn: () => document.activeElement?.matches("th .sort"), arg: [] }, "the head of a table");
  await page.keyboard.press("Enter");
  await page.waitForSelector('th[aria-sort="descending"], th[aria-sort="ascending"]');
  // A key for the page, a dialog that gives the focus back, and a form.
  await page.keyboard.press("?");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.evaluate(() => { history.pushState(null, "", "?page=alerts&refresh=off"); dispatchEvent(new PopStateEvent("popstate")); });
  await page.waitForSelector('[data-panel="silences"][data-state="shown"]');
  await tabTo(page, named("button", "Silence alerts …"), "the silences");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: "Silence alerts" }).waitFor();
  await page.keyboard.type('alertname="Nothing"');
  await tabTo(page, { fn: () => document.activeElement?.matches("dialog label:nth-of-type(3) input"), arg: [] }, "who");
  await page.keyboard.type("ada");
  await page.keyboard.press("Tab");
  await page.keyboard.type("to try it");
  await page.keyboard.press("Enter");
  await page.locator('[data-panel="silences"]').getByText("to try it").waitFor();
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test("axe-core finds no serious fault in what opens over the pages, in either theme", async () => {
  const board = { schema: 1, id: "axe", title: "Axe", refresh: "0s", variables: [{ name: "host", kind: "query", db: "_host", query: "label_values(system_load1, host)", multi: true, all: true }, { name: "f", kind: "filters", query: "" }], rows: [{ title: "A row", panels: [
    { id: "a", type: "pie", title: "Shares", queries: [{ id: "A", db: "_host", expr: "cpu_usage_active" }] }, { id: "b", type: "histogram", title: "How often", queries: [{ id: "A", db: "_host", expr: "cpu_usage_active", mode: "range" }] },
    { id: "c", type: "stat", title: "Ground", options: { ground: true, spark: true }, thresholds: [{ from: null, color: "good" }], queries: [{ id: "A", db: "_host", expr: "system_load1", mode: "range" }] },
    { id: "d", type: "table", title: "Fields", width: 12, options: { fields: true }, overrides: [{ match: { by: "type", is: "number" }, set: { cell: "background", thresholds: [{ from: null, color: "warn" }] } }], queries: [{ id: "A", db: "_host", expr: "cpu_usage_active", format: "table" }] },
  ] }] };
  const put = await fetch(`${server.url}/api/v1/dashboards/axe`, { method: "PUT", headers: { "Content-Type": "application/json", "If-None-Match": "*" }, body: JSON.stringify(board) });
  assert.equal(put.status, 200);
  for (const colorScheme of ["dark", "light"]) {
    const page = await openPage(browser, `${server.url}/dashboard?page=d-axe&refresh=off`, { colorScheme, bypassCSP: true, viewport: { width: 1280, height: 1400 } });
    await page.addScriptTag({ path: AXE });
    const check = async (what) => {
      const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
      const serious = violations.filter((v) => ["serious", "critical"].includes(v.impact)).map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => `${n.html} ${n.failureSummary}`).join(" | ")}`);
      assert.deepEqual(serious, [], `${what} in ${colorScheme}`);
    };
    await settled(page);
    await page.locator(".several summary").click();
    await check("a saved dashboard with a list of values open");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Edit", exact: true }).click();
    await page.waitForSelector("[data-editing]");
    await check("a dashboard that is edited");
    await page.getByRole("button", { name: "Change Ground" }).click();
    await check("the form of a panel");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Discard" }).click();
    for (const [id, open, what] of [["alerts", "Silence alerts …", "the form of a silence"], ["rules", "New rules …", "the form of rules"], ["dashboards", undefined, "the list of dashboards"], ["overview", "Keys", "the keys"]]) {
      await goTo(page, id);
      await page.waitForFunction((want) => document.querySelector("nav [aria-current]")?.getAttribute("href")?.includes(`page=${want}`), id);
      if (open) {
        await page.getByRole("button", { name: open, exact: true }).first().click();
        await page.getByRole("dialog").waitFor();
      } else {
        await page.getByText("Another dashboard").waitFor();
      }
      await check(what);
      if (open) await page.keyboard.press("Escape");
    }
    assert.deepEqual(page.faults, []);
    await page.context().close();
  }
});
