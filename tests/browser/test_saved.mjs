// Dashboards that people make: editing in place, two editors at once, export and import, dashboards of Grafana.
//
//   TIDEMARK_BIN=build/dev/bin node --test test_saved.mjs
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { freePort, openPage, Server, settled, startBrowser } from "./harness.mjs";

const ROOT = process.env.TIDEMARK_SOURCE ?? new URL("../..", import.meta.url).pathname;
const EXAMPLES = `${ROOT}/clients/dashboard/src/model/grafana/examples`;
const BOARD = { schema: 1, id: "mine", title: "Mine", refresh: "0s", rows: [{ panels: [
  { id: "a", type: "stat", title: "First", width: 4, queries: [{ id: "A", expr: "temperature" }] },
  { id: "b", type: "text", title: "Second", width: 4, options: { text: "words" } },
] }] };

let server;
let browser;

before(async () => {
  server = new Server(await freePort(), "--host-metrics", "off");
  await server.start();
  browser = await startBrowser();
  const now = Math.floor(Date.now() / 1000);
  const lines = [];
  for (let i = 0; i < 60; i++) {
    const at = `${now - 590 + i * 10}000000000`;
    lines.push(`temperature,room=a value=${20 + i / 10} ${at}`, `go_goroutines,job=app,instance=app:80 value=${10 + i} ${at}`, `go_gc_duration_seconds_sum,job=app,instance=app:80 value=${i / 1000} ${at}`,
      `go_memstats_heap_inuse_bytes,job=app,instance=app:80 value=${1e6 + i} ${at}`, `process_open_fds,job=app,instance=app:80 value=7 ${at}`);
  }
  await server.write("default", lines.join("\n"));
});

after(async () => {
  await browser?.close();
  await server?.remove();
});

const path = (name) => `${server.url}/api/v1/dashboards/${name}`;

async function put(name, dashboard, headers) {
  const body = typeof dashboard === "string" ? dashboard : JSON.stringify(dashboard);
  const reply = await fetch(path(name), { method: "PUT", body, headers });
  assert.equal(reply.status, 200, await reply.clone().text());
  return reply.headers.get("ETag");
}

async function get(name) {
  const reply = await fetch(path(name));
  return { text: await reply.text(), tag: reply.headers.get("ETag") };
}

const open = (name, options) => openPage(browser, `${server.url}/dashboard?page=d-${name}`, options);
const edit = async (page) => { await page.getByRole("button", { name: "Edit", exact: true }).click(); await page.waitForSelector("[data-editing]"); };
const save = (page) => page.getByRole("button", { name: "Save", exact: true }).click();

test("a dashboard is edited in place: moved, sized, changed, added to, saved", async () => {
  await put("edited", { ...BOARD, id: "edited" }, { "If-None-Match": "*" });
  const page = await open("edited");
  await settled(page);
  await edit(page);
  // By keys and buttons.
  await page.getByRole("button", { name: "Move First on" }).press("Enter");
  await page.getByRole("button", { name: "Wider Second" }).click();
  await page.getByRole("button", { name: "Change First" }).click();
  await page.getByLabel("Title", { exact: true }).last().fill("Renamed");
  await page.getByLabel("Unit").fill("°C");
  await page.getByLabel("PromQL").fill("temperature * 2");
  await page.getByRole("button", { name: "Done" }).click();
  // What it asks now is drawn at once, also while nothing refreshes.
  await page.waitForFunction(() => document.querySelector('[data-panel="a"] [data-figure]')?.textContent.includes("51.8 °C"));
  // By dragging the corner.
  const grip = await page.locator('[data-edit="a"] .edit-grip').boundingBox();
  await page.mouse.move(grip.x + 8, grip.y + 8);
  await page.mouse.down();
  await page.mouse.move(grip.x + 210, grip.y + 90, { steps: 5 });
  await page.mouse.up();
  await page.getByRole("button", { name: "Add text" }).click();
  // What is not saved yet survives a reload.
  await page.reload();
  await page.waitForSelector("[data-editing]");
  assert.match(await page.locator(".saved-bar [role=status]").innerText(), /not saved yet/);
  await save(page);
  await page.waitForSelector('[data-version="2"]:not([data-editing])');
  const saved = JSON.parse((await get("edited")).text);
  const panels = saved.rows[0].panels;
  assert.deepEqual(panels.map((panel) => panel.id), ["b", "a", "p3"]);
  assert.equal(panels[0].width, 5);
  assert.equal(panels[1].title, "Renamed");
  assert.equal(panels[1].unit, "°C");
  assert.equal(panels[1].queries[0].expr, "temperature * 2");
  assert.ok(panels[1].width > 4 && panels[1].height > 6, `sized: ${panels[1].width} x ${panels[1].height}`);
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test("a panel is dragged to another place", async () => {
  await put("dragged", { ...BOARD, id: "dragged" }, { "If-None-Match": "*" });
  const page = await open("dragged");
  await settled(page);
  await edit(page);
  await page.locator('[data-edit="b"] .edit-handle').dragTo(page.locator('[data-edit="a"]'));
  await page.waitForFunction(() => document.querySelector("[data-edit]").dataset.edit === "b");
  await page.context().close();
});

test("of two editors neither loses anything", async () => {
  await put("shared", { ...BOARD, id: "shared" }, { "If-None-Match": "*" });
  const [ada, bob] = [await open("shared"), await open("shared")];
  await settled(ada);
  await settled(bob);
  await edit(ada);
  await edit(bob);
  const rename = async (page, panel, title) => {
    await page.locator(`[data-edit="${panel}"]`).getByRole("button", { name: /^Change / }).click();
    await page.getByLabel("Title", { exact: true }).last().fill(title);
    await page.getByRole("button", { name: "Done" }).click();
  };
  // Different panels: both changes can be kept together.
  await rename(ada, "a", "Ada's");
  await save(ada);
  await ada.waitForSelector('[data-version="2"]');
  await rename(bob, "b", "Bob's");
  await save(bob);
  await bob.waitForSelector("[data-conflict]");
  assert.deepEqual(await bob.$$eval("[data-panel-difference]", (rows) => rows.map((row) => row.innerText.split("\t").map((cell) => cell.trim()))), [["Ada's", "as it was", "changed"], ["Bob's", "changed", "as it was"]].map(([t, m, o]) => [t === "Ada's" ? "First" : t, m, o]));
  await bob.getByRole("button", { name: "Save both together" }).click();
  await bob.waitForSelector('[data-version="3"]');
  assert.deepEqual(JSON.parse((await get("shared")).text).rows[0].panels.map((panel) => panel.title), ["Ada's", "Bob's"]);
  // The same panel: both sides are shown, and the second becomes a copy.
  await ada.reload();
  await settled(ada);
  await edit(ada);
  await edit(bob);
  await rename(ada, "a", "Ada again");
  await save(ada);
  await ada.waitForSelector('[data-version="4"]');
  await rename(bob, "a", "Bob again");
  await save(bob);
  await bob.waitForSelector("[data-conflict]");
  assert.equal(await bob.getByRole("button", { name: "Save both together" }).count(), 0);
  assert.match(await bob.locator("[data-conflict]").innerText(), /Bob again[\s\S]*Ada again/);
  await bob.getByRole("button", { name: "Save mine as a copy" }).click();
  await bob.waitForFunction(() => location.search.includes("page=d-shared-copy"));
  assert.equal(JSON.parse((await get("shared")).text).rows[0].panels[0].title, "Ada again");
  assert.equal(JSON.parse((await get("shared-copy")).text).rows[0].panels[0].title, "Bob again");
  // A browser tells of each refused save by itself.
  const faults = [...ada.faults, ...bob.faults].filter((fault) => !fault.includes("412"));
  assert.deepEqual(faults, []);
  await ada.context().close();
  await bob.context().close();
});

test("what is exported and imported again is the same, byte for byte", async () => {
  const text = `{"rows":[ {"panels":[]} ],\n   "title":"Odd \\u00fcber", "id":"odd","schema":1}\n\n`;
  await put("odd", text, { "If-None-Match": "*" });
  const page = await open("odd");
  await page.waitForSelector("[data-version]");
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Export", exact: true }).click()]);
  const exported = readFileSync(await file.path(), "utf8");
  assert.equal(exported, text);
  await page.goto(`${server.url}/dashboard?page=dashboards`);
  await page.getByLabel("A file of Tidemark or Grafana").setInputFiles({ name: "odd.json", mimeType: "application/json", buffer: Buffer.from(exported) });
  await page.waitForSelector("[data-import]");
  await page.getByLabel("Name", { exact: true }).fill("odd two");
  await page.getByRole("button", { name: "Save as odd-two" }).click();
  await page.waitForSelector("[data-version]");
  assert.equal((await get("odd-two")).text, text);
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test("a dashboard of Grafana: a report for each panel, drawn, and given back as it came", async () => {
  const source = readFileSync(`${EXAMPLES}/go_process.json`, "utf8");
  const page = await openPage(browser, `${server.url}/dashboard?page=dashboards`, { viewport: { width: 1400, height: 1600 } });
  await page.getByLabel("or its text").fill(source);
  await page.getByRole("button", { name: "Look at it" }).click();
  await page.waitForSelector("[data-import]");
  assert.deepEqual(await page.$$eval("[data-result]", (rows) => rows.map((row) => row.dataset.result)), ["drawn", "drawn", "drawn", "differs", "drawn", "drawn", "drawn", "drawn"]);
  await page.getByRole("button", { name: /^Save as / }).click();
  await page.waitForSelector("[data-version]");
  await settled(page);
  const shown = await page.$$eval("[data-panel]", (panels) => panels.map((panel) => [panel.dataset.type, panel.dataset.state, panel.querySelector(".panel-error")?.textContent ?? ""]));
  assert.deepEqual(shown, [["text", "shown", ""], ["timeseries", "shown", ""], ["timeseries", "shown", ""], ["stat", "shown", ""], ["pie", "shown", ""], ["histogram", "shown", ""], ["table", "shown", ""], ["states", "empty", ""]]);
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Export as it was imported" }).click()]);
  assert.deepEqual(JSON.parse(readFileSync(await file.path(), "utf8")), JSON.parse(source));
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test("each example of Grafana's is read, and what is no dashboard is refused with the reason", async () => {
  const page = await openPage(browser, `${server.url}/dashboard?page=dashboards`);
  for (const name of ["node_exporter", "prometheus_self", "database_exporter"]) {
    await page.getByLabel("A file of Tidemark or Grafana").setInputFiles(`${EXAMPLES}/${name}.json`);
    await page.waitForFunction((title) => document.querySelector("[data-import] h3")?.textContent === title, JSON.parse(readFileSync(`${EXAMPLES}/${name}.json`, "utf8")).title);
    const rows = await page.$$eval("[data-result]", (all) => all.map((row) => [row.dataset.result, row.lastElementChild.textContent]));
    assert.ok(rows.length > 0 && rows.every(([result, because]) => (result === "drawn") === (because === "")));
  }
  for (const [text, why] of [["{", "This is no JSON"], ["[]", "neither a dashboard"], ['{"schema":1,"rows":[],"id":"x","title":"x","colour":1}', '"colour" is not known here']]) {
    await page.getByLabel("or its text").fill(text);
    await page.getByRole("button", { name: "Look at it" }).click();
    await page.waitForFunction((words) => document.querySelector("[role=alert]")?.textContent.includes(words), why);
  }
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test("Explore puts what it shows into a dashboard; what was deleted can be had again", async () => {
  await put("from-explore", { ...BOARD, id: "from-explore", title: "From Explore" }, { "If-None-Match": "*" });
  const page = await openPage(browser, `${server.url}/dashboard?page=explore&q=temperature&db=default`);
  await page.getByText("Add to a dashboard").click();
  await page.getByRole("button", { name: "From Explore" }).click();
  await page.getByText("It is in \"From Explore\" now.").waitFor();
  const added = JSON.parse((await get("from-explore")).text).rows[0].panels.at(-1);
  assert.equal(added.type, "timeseries");
  assert.equal(added.queries[0].expr, "temperature");
  await page.goto(`${server.url}/dashboard?page=dashboards`);
  await page.getByRole("button", { name: "Delete From Explore" }).click();
  await page.waitForFunction(() => !document.querySelector('[data-saved="from-explore"]'));
  await page.goto(`${server.url}/dashboard?page=d-from-explore`);
  await page.getByRole("button", { name: "the versions that are kept" }).click();
  await page.locator('[data-version-row="2"]').getByRole("button", { name: "Bring back" }).click();
  await page.waitForSelector('[data-version="4"]');
  assert.equal(JSON.parse((await get("from-explore")).text).rows[0].panels.length, 3);
  await page.context().close();
});
