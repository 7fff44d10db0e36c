// What each token takes of the server: the page's numbers are the API's, with units, and who may not administer is told why there are none.
//
//   TIDEMARK_BIN=build/dev/bin node --test test_usage.mjs
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { freePort, openPage, Server, startBrowser } from "./harness.mjs";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
// A name of a database that would be an element, where it became HTML.
const HOSTILE = "<img src=x onerror=alert(1)>";

let server;
let browser;

before(async () => {
  server = await new Server(await freePort(), "--host-metrics", "off").start();
  browser = await startBrowser();
});

after(async () => {
  await browser?.close();
  await server?.remove();
});

async function newToken(name, grant, admin, ...flags) {
  const { stdout } = await server.tidemark("admin", "token", "new", name, "--grant", grant, ...flags, "--json", "--server", server.url, ...(admin ? ["--token-file", server.file("admin.token", admin)] : []));
  return JSON.parse(stdout).data.token;
}

async function signIn(page, token) {
  const dialog = page.getByRole("dialog", { name: "Sign in" });
  await dialog.getByLabel("Token").fill(token);
  await page.keyboard.press("Enter");
  await dialog.waitFor({ state: "hidden" });
}

test("administrators see what each takes and may take, others why they do not", async () => {
  const admin = await newToken("root", "admin:*");
  const agent = await newToken("agent", "write:*", admin, "--quota", "points/s=100", "--quota", "queries=2");
  const reader = await newToken("reader", "read:*", admin);
  const headers = { Authorization: `Bearer ${admin}` };
  const quota = await fetch(`${server.url}/api/v1/admin/quotas?${new URLSearchParams({ db: HOSTILE, quota: "points/s=1000" })}`, { method: "POST", headers });
  const lines = Array.from({ length: 300 }, (_, i) => `m,n=${i} v=1`).join("\n");
  const write = () => fetch(`${server.url}/write?db=demo`, { method: "POST", headers: { Authorization: `Bearer ${agent}` }, body: lines });
  // The first goes into debt, and the second is refused.
  assert.equal((await write()).status, 204);
  assert.equal((await write()).status, 429);

  const page = await openPage(browser, `${server.url}/dashboard?page=usage&refresh=off`, { bypassCSP: true, viewport: { width: 1600, height: 900 } });
  await signIn(page, admin);
  const tokens = page.getByRole("region", { name: "Tokens" }).last();
  const row = tokens.getByRole("row", { name: /^agent / });
  await row.waitFor();
  const cells = await row.getByRole("cell").allTextContents();
  const { data } = await (await fetch(`${server.url}/api/v1/admin/usage`, { headers })).json();
  const told = data.find((one) => one.name === "agent");
  assert.ok(told.points > 0 && told.refusedWrites > 0, JSON.stringify(told));
  assert.equal(cells[1], String(told.points));
  assert.match(cells[3], /^[\d.]+ (B|KiB)$/);
  assert.match(cells[9], /^1 write/);
  assert.equal(cells[10], "points/s=100, queries=2");
  if (quota.status === 200) await page.getByText(HOSTILE).waitFor();

  await page.addScriptTag({ path: AXE });
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  assert.deepEqual(violations.filter((one) => ["serious", "critical"].includes(one.impact)).map((one) => `${one.id}: ${one.nodes[0].html}`), []);
  for (const width of [390, 1600]) {
    await page.setViewportSize({ width, height: 900 });
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, `nothing hangs out at ${width}`);
  }
  await page.getByRole("button", { name: "Sign out" }).click();
  await signIn(page, reader);
  await page.getByText("What each takes is told to those who may administer this server.").waitFor();
  assert.deepEqual(page.faults.filter((fault) => !/Failed to load resource/.test(fault)), []);
  await page.context().close();
});
