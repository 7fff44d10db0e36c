// The dashboard in headless Chromium against a real server: numbers, zoom, Explore, a restart, hostile texts, access.
//
//   TIDEMARK_BIN=build/dev/bin node --test test_dashboard.mjs
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { fill, freePort, openPage, RULES, Server, settled, startBrowser } from "./harness.mjs";

const ROOT = process.env.TIDEMARK_SOURCE ?? new URL("../..", import.meta.url).pathname;
const FOLDER = `${ROOT}/clients/dashboard/src/pages/dashboards`;
const DASHBOARDS = readdirSync(FOLDER).map((name) => JSON.parse(readFileSync(`${FOLDER}/${name}`, "utf8")));
const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const CODED = ["explore", "metrics", "storage", "usage", "rules", "dashboards"];
// Types that show each series of an instant query as a number of its own.
const NUMBERED = ["stat", "bars", "gauge", "table", "curve"];

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

const sorted = (labels) => JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));

// The query with the values that the page chose.
function resolve(expr, dashboard, chosen) {
  const values = { ...chosen };
  for (const variable of dashboard.variables ?? []) if (variable.kind === "constant") values[variable.name] = variable.query;
  let out = expr;
  for (let depth = 0; depth < 4; depth++) out = out.replace(/\$(\w+)/g, (whole, name) => values[name] ?? whole);
  return out;
}

for (const dashboard of DASHBOARDS) {
  test(`${dashboard.id}: every number is the API's`, async () => {
    const page = await openPage(browser, `${server.url}/dashboard?page=${dashboard.id}&refresh=off&var-pipeline=card`, { viewport: { width: 1600, height: 5000 } });
    await settled(page);
    const host = await page.evaluate(() => document.querySelector(".variables select")?.value);
    const shown = await page.$$eval("[data-panel]", (panels) => panels.map((panel) => ({
      id: panel.dataset.panel, at: panel.dataset.at, state: panel.dataset.state,
      error: panel.querySelector(".panel-error")?.textContent,
      figures: [...panel.querySelectorAll("[data-figure]")].map((f) => ({ query: f.dataset.figure, series: f.dataset.series, raw: f.dataset.raw, text: f.textContent })),
      legend: panel.querySelectorAll(".entry").length,
    })));
    const chosen = dashboard.id === "hosts" ? { host } : { pipeline: "card" };
    let compared = 0;
    for (const panel of dashboard.rows.flatMap((row) => row.panels)) {
      const seen = shown.find((one) => one.id === panel.id);
      assert.ok(seen, `panel ${panel.id} is on the page`);
      assert.equal(seen.error, undefined, `${panel.id} has an error`);
      if (!NUMBERED.includes(panel.type) || seen.state === "empty") continue;
      for (const query of panel.queries.filter((q) => (q.mode ?? "instant") === "instant")) {
        const answer = await server.api("/api/v1/query", { db: query.db, query: resolve(query.expr, dashboard, chosen), time: seen.at });
        const figures = seen.figures.filter((f) => f.query === query.id && f.series !== undefined);
        assert.equal(figures.length, answer.result.length, `${panel.id} ${query.id}: as many numbers as series`);
        for (const { metric, value } of answer.result) {
          const figure = figures.find((f) => sorted(JSON.parse(f.series)) === sorted(metric));
          assert.ok(figure, `${panel.id} ${query.id}: ${sorted(metric)} is shown`);
          assert.equal(Number(figure.raw), Number(value[1]), `${panel.id} ${query.id} ${sorted(metric)}`);
          assert.notEqual(figure.text, "", "with a text");
          compared += 1;
        }
      }
    }
    if (dashboard.id !== "alerts" && dashboard.id !== "trends") assert.ok(compared > 3, `only ${compared} numbers were compared`);
    if (dashboard.id !== "trends") {
      const empty = shown.filter((panel) => panel.state === "empty").map((panel) => panel.id);
      const may = { overview: ["speedups"], hosts: ["psi"], live: ["tasks-over-time", "cpu-over-time"], alerts: ["history"] }[dashboard.id] ?? [];
      assert.deepEqual(empty.filter((id) => !may.includes(id)), [], "panels without data");
    }
    assert.deepEqual(page.faults, []);
    await page.context().close();
  });
}

test("the word for health is that of `tidemark demo goals`", async () => {
  const page = await openPage(browser, `${server.url}/dashboard?page=overview&refresh=off`);
  await settled(page);
  const word = await page.getAttribute('[data-panel="health"] [data-word]', "data-word");
  const said = await server.tidemark("demo", "goals", `${ROOT}/tools/demo/goals.yaml`, "--server", server.url).catch((error) => error);
  assert.match(said.stdout, new RegExp(`status: ${word}`));
  await page.context().close();
});

test("what is saved together is the sum of what is saved", async () => {
  const page = await openPage(browser, `${server.url}/dashboard?page=executive&refresh=off&var-pipeline=card`);
  await settled(page);
  const dollars = async (name) => Number((await page.locator(`[data-saving="${name}"]`).textContent()).replace(/[$,]/g, ""));
  await page.waitForFunction(() => /\d/.test(document.querySelector('[data-saving="Together per month"]')?.textContent));
  const [machines, waiting, together] = [await dollars("Machines per month"), await dollars("Waiting per month"), await dollars("Together per month")];
  assert.ok(Math.abs(machines + waiting - together) <= 1, `${machines} + ${waiting} = ${together}`);
  await page.context().close();
});

test("alerts are those that the API names, and an event is pushed", async () => {
  const page = await openPage(browser, `${server.url}/dashboard?page=alerts&refresh=off`);
  await settled(page);
  const { alerts } = await server.api("/api/v1/alerts", {});
  assert.equal(alerts.filter((alert) => alert.state === "firing").length, 1);
  // Those of the rule file, and those of the server about itself.
  const { groups } = await server.api("/api/v1/rules", {});
  const rules = groups.reduce((sum, group) => sum + group.rules.length, 0);
  assert.ok(rules > 2);
  assert.match(await page.locator('[data-panel="active"]').textContent(), new RegExp(`1 alert fires.*${rules} rules watch.*BidProcessing`));
  assert.equal(await page.locator('[data-panel="thresholds"] tbody tr').count(), rules);
  await page.locator('[data-panel="recent"]').getByText("● Live").waitFor();
  await server.write("dce", `dce_event,component=call_router text="pushed while nobody asked",level="warning" ${Date.now()}000000`);
  await page.getByText("pushed while nobody asked").waitFor();
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

// The page of a folder is not compressed.
test("the first page and Explore are small, cached and under a strict policy", { skip: process.env.TIDEMARK_PAGE !== undefined }, async () => {
  const page = await openPage(browser, `${server.url}/dashboard?page=overview`);
  await settled(page);
  const weigh = () => page.evaluate(() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
    .filter((e) => e.name.includes("/dashboard")).reduce((sum, e) => sum + e.encodedBodySize, 0));
  const first = await weigh();
  assert.ok(first > 20_000 && first <= 150_000, `the first page is ${first} bytes`);
  await page.click('nav a:has-text("Explore")');
  await page.waitForSelector(".query-editor[data-ready]");
  const more = (await weigh()) - first;
  assert.ok(more > 20_000 && more <= 200_000, `Explore is ${more} bytes more`);
  const reply = await fetch(`${server.url}/dashboard`);
  const policy = reply.headers.get("content-security-policy");
  assert.ok(policy.startsWith("default-src 'none'") && !policy.includes("unsafe"), policy);
  const asset = /dashboard\/(assets\/[^"]+\.js)/.exec(await reply.text())[1];
  const script = await fetch(`${server.url}/db/some/dashboard/${asset}`, { headers: { "Accept-Encoding": "identity" } });
  assert.match(script.headers.get("cache-control"), /immutable/);
  const again = await fetch(`${server.url}/dashboard/${asset}`, { headers: { "If-None-Match": script.headers.get("etag") } });
  assert.equal(again.status, 304);
  assert.equal((await fetch(`${server.url}/dashboard/assets/none.js`)).status, 404);
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test("a drag zooms, back goes back, and a refresh resets nothing", async () => {
  const page = await openPage(browser, `${server.url}/db/_host/dashboard?page=hosts&refresh=1s`, { viewport: { width: 1400, height: 1400 } });
  await settled(page);
  const address = () => page.evaluate(() => location.search);
  // A hidden series, a sorted table and an open menu stay through refreshes.
  const load = page.locator('[data-panel="load"]');
  await load.locator(".entry").first().click({ modifiers: ["Control"] });
  await load.locator(".menu summary").click();
  const at = await load.getAttribute("data-at");
  await page.waitForFunction((old) => document.querySelector('[data-panel="load"]').dataset.at > old, at);
  await page.waitForFunction((old) => document.querySelector('[data-panel="load"]').dataset.at > old + 1, Number(at));
  assert.equal(await load.locator(".entry.off").count(), 1, "the hidden series is still hidden");
  assert.equal(await load.locator(".menu[open]").count(), 1, "the menu is still open");
  await page.keyboard.press("Escape");
  const before = await address();
  const box = await load.locator(".u-over").boundingBox();
  await page.mouse.move(box.x + box.width * 0.4, box.y + 30);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.8, box.y + 40, { steps: 4 });
  await page.mouse.up();
  await page.waitForFunction(() => /from=\d+&to=\d+/.test(location.search));
  const [, from, to] = /from=(\d+)&to=(\d+)/.exec(await address());
  const wide = (to - from) / 1000;
  assert.ok(wide > 300 && wide < 420, `0.4 of 15 minutes are chosen: ${wide} s`);
  // All charts show the same.
  await page.waitForFunction((want) => document.querySelector(".picker summary").dataset.range === want, `${from} ${to}`);
  await page.goBack();
  assert.equal(await address(), before);
  await page.waitForFunction(() => document.querySelector(".picker summary").dataset.range === "now-15m now");
  // The chosen minutes may have had no data, and then its legend is there again with the next answer.
  await load.locator(".entry.off").waitFor();
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test("a refresh of a page is one request, and asks only for what changed", async () => {
  const page = await openPage(browser, `${server.url}/dashboard?page=overview&refresh=1s`);
  await settled(page);
  const batches = [];
  const others = [];
  page.on("request", (request) => {
    if (request.method() === "POST" && request.url().endsWith("/api/v1/query_batch")) batches.push(JSON.parse(request.postData()).queries);
    else if (/\/api\/v1\/(query|query_range|alerts|rules)\b/.test(request.url())) others.push(request.url());
  });
  const atOf = () => page.evaluate(() => Math.max(...[...document.querySelectorAll("[data-at]")].map((panel) => Number(panel.dataset.at))));
  const first = await atOf();
  await page.waitForFunction((from) => [...document.querySelectorAll("[data-at]")].some((panel) => Number(panel.dataset.at) >= from + 5), first);
  assert.deepEqual(others, []);
  // Instant queries of one refresh have one time, so that a refresh in two requests would have it twice.
  const times = batches.map((queries) => new Set(queries.map((q) => q.params.time).filter((time) => time !== undefined))).filter((set) => set.size > 0);
  for (const set of times) assert.equal(set.size, 1);
  const distinct = new Set(times.map((set) => [...set][0]));
  assert.ok(distinct.size >= 4, `${distinct.size} refreshes`);
  assert.equal(times.length, distinct.size, "no refresh is two requests");
  const ranges = batches.flat().filter((q) => q.endpoint === "query_range");
  assert.ok(ranges.length > 0);
  assert.ok(ranges.every((q) => q.params.since !== "0"), "what is known is not asked again");
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test("the keyboard reads a chart, and shows it as a table", async () => {
  const page = await openPage(browser, `${server.url}/dashboard?page=hosts&refresh=off`);
  await settled(page);
  const panel = page.locator('[data-panel="cpu-cores"]');
  await panel.scrollIntoViewIfNeeded();
  await panel.locator(".plot").focus();
  await page.keyboard.press("ArrowRight");
  await panel.locator(".tooltip").waitFor();
  assert.match(await panel.locator(".tooltip").textContent(), /\d\d:\d\d:\d\d/);
  await panel.locator(".menu summary").click();
  await panel.getByText("Show as table").click();
  assert.ok((await panel.locator("tbody tr").count()) > 1);
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test("Explore: a fault at its place, then an answer, and a link that shows the same", async () => {
  const page = await openPage(browser, `${server.url}/dashboard?page=explore&q=sum(cpu_usage_active%20nope)&db=_host`);
  await page.waitForSelector(".query-editor[data-ready]");
  assert.match(await page.locator(".query-error").textContent(), /parse error/);
  await page.waitForFunction(() => document.querySelector(".query-editor").shadowRoot.querySelector(".cm-lintRange-error") !== null);
  await page.locator(".query-editor .cm-content").click();
  await page.keyboard.press("Control+A");
  await page.keyboard.type("cpu_usage_active");
  await page.keyboard.press("Control+Enter");
  await page.waitForFunction(() => Number(document.querySelector(".explore-result").dataset.series) > 1);
  assert.equal(await page.locator(".query-error").count(), 0);
  const link = await page.evaluate(() => location.href);
  assert.match(link, /q=cpu_usage_active/);
  const series = await page.getAttribute(".explore-result", "data-series");
  await page.getByRole("button", { name: "Table", exact: true }).click();
  await page.waitForSelector(".explore-result tbody tr");
  const other = await openPage(browser, link);
  await other.waitForFunction((want) => document.querySelector(".explore-result")?.dataset.series === want, series);
  assert.deepEqual(other.faults, []);
  await other.context().close();
  // The browser itself says that a reply was a 400.
  assert.deepEqual(page.faults.filter((fault) => !fault.includes("400 (Bad Request)")), []);
  await page.context().close();
});

test("texts from data stay texts", async () => {
  const bad = "<img src=x onerror=alert(1)><script>alert(2)</script>";
  const escaped = bad.replace(/[ ,=]/g, (c) => `\\${c}`);
  const now = Date.now();
  await server.write("hostile", [`${escaped},${escaped}=${escaped} value=1 ${now}000000`, `note,tag=${escaped} text="${bad}" ${now}000000`].join("\n"));
  await server.write("dce", `dce_event,component=${escaped} text="${bad}",level="${bad}" ${now}000000`);
  await server.write("_host", `system,host=${escaped} load1=1 ${now}000000`);
  const explore = `page=explore&db=hostile&q=${encodeURIComponent('{__name__=~".+"}')}&view=table`;
  for (const search of ["page=metrics&db=hostile", explore, "page=alerts", `page=hosts&var-host=${encodeURIComponent(bad)}`, `page=${encodeURIComponent(bad)}`]) {
    const page = await openPage(browser, `${server.url}/dashboard?${search}`);
    await page.waitForFunction((text) => document.body.textContent.includes(text) || !location.search.includes("metrics"), bad);
    await page.waitForTimeout(700);
    assert.equal(await page.locator("img, main script, iframe").count(), 0, search);
    assert.deepEqual(page.faults, [], search);
    await page.context().close();
  }
});

test("axe-core finds no serious fault, in either theme", async () => {
  for (const colorScheme of ["dark", "light"]) {
    const page = await openPage(browser, `${server.url}/dashboard?refresh=off`, { colorScheme, bypassCSP: true, viewport: { width: 1280, height: 2500 } });
    await page.addScriptTag({ path: AXE });
    for (const id of [...DASHBOARDS.map((d) => d.id), ...CODED]) {
      await page.evaluate((search) => { history.pushState(null, "", search); dispatchEvent(new PopStateEvent("popstate")); }, `?page=${id}&refresh=off&var-pipeline=card`);
      await page.waitForFunction((want) => document.querySelector("nav [aria-current]")?.getAttribute("href")?.includes(`page=${want}`), id);
      if (!CODED.includes(id)) await settled(page);
      else await page.waitForTimeout(600);
      const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
      const serious = violations.filter((v) => ["serious", "critical"].includes(v.impact))
        .map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => `${n.html} ${n.failureSummary}`).join(" | ")}`);
      assert.deepEqual(serious, [], `${id} in ${colorScheme}`);
    }
    await page.context().close();
  }
});

test("a server that restarts: the page keeps what it shows, says so, and goes on by itself", async () => {
  const other = await new Server(await freePort()).start();
  try {
    const page = await openPage(browser, `${other.url}/dashboard?page=hosts&refresh=1s`);
    await page.waitForFunction(() => document.querySelector('[data-panel="cpu"] [data-raw]')?.dataset.raw);
    await page.evaluate(() => { globalThis.notReloaded = true; });
    await other.stop();
    await page.waitForSelector('[data-health="reconnecting"]');
    assert.ok(await page.locator('[data-panel="cpu"] [data-raw]').first().textContent(), "the last number is still there");
    const at = Number(await page.getAttribute('[data-panel="cpu"]', "data-at"));
    await other.start();
    await page.waitForSelector('[data-health="live"]');
    await page.waitForFunction((old) => Number(document.querySelector('[data-panel="cpu"]').dataset.at) > old, at);
    await page.waitForFunction(() => document.querySelectorAll(".panel-error").length === 0);
    assert.equal(await page.evaluate(() => globalThis.notReloaded), true);
    assert.deepEqual(page.faults.filter((fault) => !/Failed to load resource|net::ERR/.test(fault)), []);
    await page.context().close();
  } finally {
    await other.remove();
  }
});

test("a server with tokens: signing in, a session that ends while the page is open, signing out", async () => {
  const other = await new Server(await freePort()).start();
  try {
    await other.write("default", "m v=1");
    const { stdout } = await other.tidemark("admin", "token", "new", "root", "--grant", "admin:*", "--json", "--server", other.url);
    const { token } = JSON.parse(stdout).data;
    const page = await openPage(browser, `${other.url}/dashboard?page=hosts&refresh=1s`);
    const dialog = page.getByRole("dialog", { name: "Sign in" });
    await dialog.waitFor();
    await page.keyboard.press("Escape");
    assert.ok(await dialog.isVisible(), "there is nothing to see behind it");
    await dialog.getByLabel("Token").fill("wrong");
    await dialog.getByRole("button", { name: "Sign in" }).click();
    await dialog.getByText("the token is not known").waitFor();
    await dialog.getByLabel("Token").fill(token);
    await page.keyboard.press("Enter");
    await dialog.waitFor({ state: "hidden" });
    await page.waitForFunction(() => document.querySelector('[data-panel="cpu"] [data-raw]')?.dataset.raw);
    await page.getByText("Signed in as root.").waitFor();
    assert.equal(await page.evaluate(() => document.cookie), "", "no script reads the cookie");
    await page.evaluate(() => { globalThis.notReloaded = true; });

    const headers = { Authorization: `Bearer ${token}` };
    const sessions = await (await fetch(`${other.url}/api/v1/admin/sessions`, { headers })).json();
    const ended = await fetch(`${other.url}/api/v1/admin/sessions/revoke?id=${sessions.data[0].id}`, { method: "POST", headers });
    assert.equal(ended.status, 200);
    await dialog.waitFor();
    await dialog.getByText("The session of root has ended.").waitFor();
    await dialog.getByLabel("Token").fill(token);
    await page.keyboard.press("Enter");
    await dialog.waitFor({ state: "hidden" });
    assert.equal(await page.evaluate(() => globalThis.notReloaded), true, "the page is as it was");
    await page.getByRole("button", { name: "Sign out" }).click();
    // What he saw is gone with him.
    await page.waitForFunction(() => globalThis.notReloaded === undefined);
    await dialog.waitFor();
    assert.equal(await page.locator('[data-panel="cpu"] [data-raw]').count(), 0, "nothing is left behind the dialog");
    assert.ok(!await dialog.getByText("has ended").isVisible(), "nobody's session has ended by itself");
    assert.deepEqual(page.faults.filter((fault) => !/Failed to load resource/.test(fault)), []);
    await page.context().close();
  } finally {
    await other.remove();
  }
});

test("a server below a path: the page, its files, its questions, and who is signed in", async () => {
  const port = await freePort();
  const other = await new Server(port, "--http-external-url", `http://127.0.0.1:${port}/tm`).start();
  try {
    const { stdout } = await other.tidemark("admin", "token", "new", "root", "--grant", "admin:*", "--json", "--server", `${other.url}/tm`);
    const page = await openPage(browser, `${other.url}/?from=elsewhere`);
    assert.equal(new URL(page.url()).pathname, "/tm/dashboard");
    const dialog = page.getByRole("dialog", { name: "Sign in" });
    await dialog.getByLabel("Token").fill(JSON.parse(stdout).data.token);
    await page.keyboard.press("Enter");
    await dialog.waitFor({ state: "hidden" });
    const asked = [];
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    await page.goto(`${other.url}/tm/dashboard?page=hosts&refresh=1s`);
    await page.waitForFunction(() => document.querySelector('[data-panel="cpu"] [data-raw]')?.dataset.raw);
    assert.ok(asked.length > 3 && asked.every((path) => path.startsWith("/tm/")), asked.join(" "));
    await page.getByRole("button", { name: "Sign out" }).click();
    await dialog.waitFor();
    assert.deepEqual(page.faults.filter((fault) => !/Failed to load resource/.test(fault)), []);
    await page.context().close();
  } finally {
    await other.remove();
  }
});
