// Dashboards of Grafana's in the shapes that public ones have, old and new, imported and drawn with what their exporters give: each
// panel that is said to be drawn is drawn, and shows something.
//
//   TIDEMARK_BIN=build/dev/bin node --test test_shapes.mjs
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { exporterLines, WITH_SERIES } from "./exporter_series.mjs";
import { freePort, openPage, Server, settled, startBrowser } from "./harness.mjs";

const ROOT = process.env.TIDEMARK_SOURCE ?? new URL("../..", import.meta.url).pathname;
const EXAMPLES = `${ROOT}/clients/dashboard/src/model/grafana/examples`;

const RULES = `
groups:
  - name: g
    interval: 1s
    rules:
      - {alert: MembersFew, expr: 'alertmanager_cluster_members < 2', labels: {severity: page}}
`;

let server;
let browser;

before(async () => {
  server = new Server(await freePort(), "--host-metrics", "off");
  server.flags.push("--rules-files", server.file("rules.yaml", RULES));
  await server.start();
  await write("alertmanager");
  for (const end = Date.now() + 60_000; Date.now() < end;) {
    if ((await server.api("/api/v1/query", { query: 'ALERTS{alertstate="firing"}' })).result.length > 0) break;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  browser = await startBrowser();
});

after(async () => {
  await browser?.close();
  await server?.remove();
});

// Its series until now: rates of a minute need samples of the last one.
async function write(name) {
  const reply = await fetch(`${server.url}/write?precision=s`, { method: "POST", body: exporterLines(name).join("\n") });
  assert.equal(reply.status, 204, `${name}: ${await reply.text()}`);
}

async function imported(name, search = "&refresh=off") {
  const page = await openPage(browser, `${server.url}/dashboard?page=dashboards`, { viewport: { width: 1600, height: 2600 } });
  await page.getByLabel("A file of Tidemark or Grafana").setInputFiles(`${EXAMPLES}/${name}.json`);
  await page.waitForSelector("[data-import]");
  const report = await page.$$eval("[data-result]", (rows) => rows.map((row) => [row.dataset.result, row.cells[0].textContent, row.cells[3].textContent]));
  await page.getByRole("button", { name: /^Save as / }).click();
  await page.waitForSelector("[data-version]");
  await page.goto(page.url() + search);
  await page.waitForSelector("[data-panel]");
  // A folded row may be there once for each value of a variable, and is opened one by one.
  await settled(page);
  for (const folded = page.locator('.row-title[aria-expanded="false"]'); (await folded.count()) > 0;) await folded.first().click();
  await settled(page);
  return { page, report };
}

const statesOf = (page) => page.$$eval("[data-panel]", (panels) => panels.map((panel) => [panel.getAttribute("aria-label"), panel.querySelector(".panel-error")?.textContent ?? panel.dataset.state]));

for (const name of WITH_SERIES) {
  test(`${name} is drawn`, async () => {
    await write(name);
    const { page, report } = await imported(name);
    for (const [result, title, because] of report) assert.equal(because !== "", result !== "drawn", `${title}: ${because}`);
    const states = await statesOf(page);
    assert.ok(states.length >= report.filter(([result]) => result !== "not drawn").length, "each panel that can be drawn is there");
    assert.deepEqual(states.filter(([, state]) => state !== "shown"), []);
    // No name of a variable is left in what people read.
    assert.deepEqual((await page.$$eval(".panel-head h3, .row-title, .entry-name, .figure", (all) => all.map((one) => one.textContent))).filter((text) => /\$\{?\w|\[\[/.test(text)), []);
    if (process.env.TIDEMARK_PICTURES) await page.screenshot({ path: `${process.env.TIDEMARK_PICTURES}/${name}.png`, fullPage: true });
    assert.deepEqual(page.faults, []);
    await page.context().close();
  });
}

test("what happened is marked on the charts, and a switch takes it away", async () => {
  const page = await openPage(browser, `${server.url}/dashboard?page=d-alertmanager-overview-small&from=now-5m&to=now&refresh=off`, { viewport: { width: 1600, height: 1200 } });
  await settled(page);
  const firing = page.getByLabel("Firing");
  assert.equal(await firing.isChecked(), true);
  await page.waitForFunction(() => /Firing 1\b/.test(document.querySelector(".annotation-switches")?.textContent ?? ""));
  // The mark is at the end of the range: the last points of the chart tell of it.
  const plot = page.locator('[aria-label="Notifications"] .plot');
  await plot.focus();
  await page.keyboard.press("ArrowLeft");
  assert.match(await page.locator('[aria-label="Notifications"] .tooltip-mark').innerText(), /MembersFew[\s\S]*page/);
  await firing.uncheck();
  assert.equal(await page.locator(".tooltip-mark").count(), 0);
  assert.match(page.url(), /mark=/);
  await page.reload();
  await settled(page);
  assert.equal(await page.getByLabel("Firing").isChecked(), false, "the address says it");
  await page.goBack();
  await page.waitForFunction(() => document.querySelector(".annotation-switches input")?.checked);
  assert.match(await page.locator('[aria-label="Alerts"] .grid').innerText(), /MembersFew/);
  assert.match(await page.locator('[aria-label="Dashboards"]').innerText(), /Kafka, small/);
  await page.locator('[aria-label="Dashboards"]').getByRole("link", { name: "Kafka, small" }).click();
  await page.waitForFunction(() => document.querySelector(".saved-bar b")?.textContent === "Kafka, small");
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test("a panel has its own range, and says so", async () => {
  const page = await openPage(browser, `${server.url}/dashboard?page=d-nginx-small&from=now-5m&to=now&refresh=off`, { viewport: { width: 1600, height: 1600 } });
  await settled(page);
  assert.equal(await page.locator('[aria-label="Total requests"] .panel-range').innerText(), "last 30m");
  assert.equal(await page.locator('[aria-label="Active Connections"] .panel-range').count(), 0);
  const times = async (label) => {
    await page.locator(`[aria-label="${label}"] .plot`).focus();
    await page.keyboard.press("ArrowRight");
    return page.locator(`[aria-label="${label}"] .tooltip .note`).first().innerText();
  };
  const [long, short] = [await times("Total requests"), await times("Active Connections")];
  const minutes = (text) => { const [, hour, minute] = /(\d\d):(\d\d)/.exec(text); return Number(hour) * 60 + Number(minute); };
  const apart = (minutes(short) - minutes(long) + 24 * 60) % (24 * 60);
  assert.ok(apart >= 24 && apart <= 26, `${short} is ${apart} minutes after ${long}`);
  assert.deepEqual(page.faults, []);
  await page.context().close();
});
