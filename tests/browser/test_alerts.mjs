// Alerts and rules on the page: why one fires, who is told, silences, history, rules that are written in place.
//
//   TIDEMARK_BIN=build/dev/bin node --test test_alerts.mjs
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { freePort, openPage, Server, settled, startBrowser } from "./harness.mjs";

const RULES = `
groups:
  - name: ovens
    interval: 1s
    rules:
      - {alert: Hot, expr: 'oven_celsius > 200', annotations: {summary: 'Oven {{ $labels.oven }} is hot'}}
      - {alert: Waiting, expr: 'oven_celsius > 100', for: 1h}
`;
const NOTIFY = `
route: {receiver: kitchen, group_wait: 0s}
receivers:
  - name: kitchen
    webhook_configs: [{url: "http://127.0.0.1:9/nobody"}]
`;

let server;
let browser;

before(async () => {
  server = new Server(await freePort(), "--host-metrics", "off");
  server.flags.push("--rules-files", server.file("rules.yaml", RULES), "--notify-config", server.file("notify.yaml", NOTIFY));
  await server.start();
  browser = await startBrowser();
  await server.write("default", `oven,oven=left celsius=250 ${Date.now()}000000`);
});

after(async () => {
  await browser?.close();
  await server?.remove();
});

test("an alert says why it fires and who is told; a silence is made and ended", async () => {
  const page = await openPage(browser, `${server.url}/dashboard?page=alerts&refresh=1s`);
  const active = page.locator('[data-panel="active"]');
  await active.getByText(/oven_celsius > 200 gives 250, since/).waitFor();
  await active.getByText("Nobody is told yet: it is pending.").waitFor();
  await active.getByText(/Goes to kitchen/).first().waitFor();
  // What its history saw.
  await page.locator('[data-panel="history"]').getByText(/250/).first().waitFor();
  await active.getByRole("button", { name: /^Silence Hot/ }).press("Enter");
  const dialog = page.getByRole("dialog", { name: "Silence alerts" });
  await dialog.waitFor();
  assert.match(await dialog.getByLabel("Alerts that match").inputValue(), /alertname="Hot", oven="left"/);
  await dialog.getByLabel("For").fill("soon");
  await dialog.getByRole("button", { name: "Silence", exact: true }).click();
  await dialog.getByText(/"soon" is no length of time/).waitFor();
  await dialog.getByLabel("For").fill("1h");
  await dialog.getByLabel("By", { exact: true }).fill("ada");
  await dialog.getByLabel("Why").fill("a roast");
  // A refresh takes nothing away that somebody is writing.
  const at = Number(await active.getAttribute("data-at"));
  await page.waitForFunction((old) => Number(document.querySelector('[data-panel="active"]').dataset.at) > old + 1, at);
  assert.equal(await dialog.getByLabel("Why").inputValue(), "a roast");
  await dialog.getByRole("button", { name: "Silence", exact: true }).click();
  await dialog.waitFor({ state: "detached" });
  await active.getByText("Nobody is told: silenced by ada: a roast.").waitFor();
  const silences = await (await fetch(`${server.url}/api/v2/silences`)).json();
  assert.equal(silences.length, 1);
  assert.equal(silences[0].createdBy, "ada");
  assert.equal(silences[0].status.state, "active");
  const hours = (Date.parse(silences[0].endsAt) - Date.parse(silences[0].startsAt)) / 3_600_000;
  assert.ok(Math.abs(hours - 1) < 0.01, `${hours} h`);
  const panel = page.locator('[data-panel="silences"]');
  await panel.getByRole("button", { name: /^End the silence of alertname="Hot"/ }).click();
  await panel.getByText("Nothing is silenced.").waitFor();
  await active.getByText(/Goes to kitchen/).first().waitFor();
  await panel.getByLabel("1 that ended").check();
  await panel.getByText("ended", { exact: true }).waitFor();
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test("rules are written, refused with the place of the fault, changed and deleted; those of files are not", async () => {
  const page = await openPage(browser, `${server.url}/dashboard?page=rules&refresh=1s`);
  await page.getByRole("button", { name: "New rules …" }).click();
  const dialog = page.getByRole("dialog");
  const text = dialog.getByLabel(/^Group, in Prometheus' format/);
  await text.fill("name: mine\nrules:\n  - alert: Cold\n    expr: sum(oven_celsius\n");
  await dialog.getByRole("button", { name: "Put in force" }).click();
  await dialog.getByRole("alert").waitFor();
  const fault = await dialog.getByRole("alert").innerText();
  assert.match(fault, /:4:\d+: /, fault);
  const before = await text.evaluate((element) => element.value.slice(0, element.selectionStart));
  assert.equal(before.split("\n").length, 4, "the cursor stands where the fault is");
  await text.fill("name: mine\nrules:\n  - alert: Cold\n    expr: oven_celsius < 300\n");
  await dialog.getByRole("button", { name: "Put in force" }).click();
  await page.getByText("The rules are in force.").waitFor();
  await page.getByText("oven_celsius < 300").waitFor();
  await page.getByRole("button", { name: "Change the group mine" }).first().press("Enter");
  await dialog.waitFor();
  assert.match(await text.inputValue(), /alert: Cold/);
  await text.fill((await text.inputValue()).replace("300", "50"));
  await dialog.getByRole("button", { name: "Put in force" }).click();
  await page.getByText("oven_celsius < 50").waitFor();
  await page.getByRole("button", { name: "Change the group mine" }).first().click();
  await dialog.getByRole("button", { name: "Delete …" }).click();
  await dialog.getByRole("button", { name: "Yes, delete the group" }).click();
  await page.getByText("The group is gone.").waitFor();
  await page.getByText("oven_celsius < 50").waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Change the group ovens" }).first().click();
  await page.getByText(/The group ovens is not one that was put here: it comes from .*rules\.yaml/).waitFor();
  // A browser tells of each refusal by itself.
  assert.deepEqual(page.faults.filter((one) => !/\b(400|404)\b/.test(one)), []);
  await page.context().close();
});
