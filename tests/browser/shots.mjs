// Pictures of every page, to be looked at one by one: in both themes, from a telephone's width to a large screen's.
//
//   TIDEMARK_BIN=build/dev/bin node shots.mjs FOLDER [PAGES [WIDTHS [THEMES]]]      each a list with commas; without: all
//   TIDEMARK_BIN=build/dev/bin node shots.mjs /tmp/shots hosts,explore 390,1280 dark
//   TIDEMARK_SERVER=URL: a server that is there and filled already, in place of one of its own
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { exporterLines } from "./exporter_series.mjs";
import { fill, freePort, openPage, RULES, Server, startBrowser } from "./harness.mjs";

const ROOT = process.env.TIDEMARK_SOURCE ?? new URL("../..", import.meta.url).pathname;
const EXAMPLES = `${ROOT}/clients/dashboard/src/model/grafana/examples`;
const HEIGHTS = { 390: 844, 1280: 900, 1920: 1080, 2560: 1440 };

const [folder, pages, widths, themes] = process.argv.slice(2);
if (!folder) throw new Error("node shots.mjs FOLDER [PAGES [WIDTHS [THEMES]]]");
const listed = (text, all) => (text ? text.split(",") : all);

const QUERY = encodeURIComponent("avg by (cpu) (cpu_usage_user)");
const MINE = {
  schema: 1, id: "mine", title: "Mine", description: "A board of our own.", refresh: "0s", range: { from: "now-15m", to: "now" }, rows: [{ title: "This host", panels: [
    { id: "load", type: "stat", title: "Load", width: 3, queries: [{ id: "A", db: "_host", expr: "system_load1" }] },
    { id: "cpu", type: "timeseries", title: "CPU, user", width: 9, unit: "percent", options: { legend: "table" }, queries: [{ id: "A", db: "_host", mode: "range", expr: "cpu_usage_user{cpu=\"cpu-total\"}", legend: "user" }] },
    { id: "words", type: "text", title: "What this is", width: 12, options: { text: "Who is on call looks here **first**." } },
  ] }],
};

const put = (server, name, board, version) => fetch(`${server.url}/api/v1/dashboards/${name}`, {
  method: "PUT", headers: { "Content-Type": "application/json", ...(version ? { "If-Match": `"${version}"` } : { "If-None-Match": "*" }) }, body: JSON.stringify(board),
});

// What stands on a page beside its address: what is to be done there before it is looked at.
const edit = async (page) => { await page.getByRole("button", { name: "Edit", exact: true }).click(); };
const conflict = async (page, server) => {
  await edit(page);
  await page.locator('[data-edit="load"]').getByRole("button", { name: /^Change / }).click();
  await page.getByLabel("Title", { exact: true }).last().fill("Load of ours");
  await page.getByRole("button", { name: "Done" }).click();
  const seen = await fetch(`${server.url}/api/v1/dashboards/shared`);
  await put(server, "shared", { ...MINE, id: "shared", title: "Shared", rows: [{ panels: MINE.rows[0].panels.map((one) => (one.id === "words" ? { ...one, title: "Theirs" } : one)) }] }, seen.headers.get("ETag").replaceAll('"', ""));
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.waitForSelector("[data-conflict]");
};
const signIn = async (page) => { await page.getByRole("dialog", { name: "Sign in" }).waitFor(); };
const imported = async (page) => {
  await page.getByLabel("A file of Tidemark or Grafana").setInputFiles(`${EXAMPLES}/mysql.json`);
  await page.waitForSelector("[data-import]");
};

// A page a row: its name in the file, its address, what is done there. Pages of dashboard files are those of the folder.
const CARD = ["overview", "execution", "benchmarks", "live", "trends", "backend", "alerts", "executive", "hosts"];
const SHOTS = [
  ...CARD.map((id) => ({ name: id, search: `page=${id}&refresh=off&var-pipeline=card` })),
  { name: "explore", search: `page=explore&refresh=off&q=${QUERY}&db=_host` },
  { name: "explore_table", search: `page=explore&refresh=off&q=${QUERY}&db=_host&view=table` },
  { name: "explore_heatmap", search: `page=explore&refresh=off&q=${QUERY}&db=_host&view=heatmap` },
  { name: "explore_error", search: `page=explore&refresh=off&q=${encodeURIComponent("rate(x[5m")}&db=_host` },
  ...["metrics", "storage", "usage", "rules", "dashboards"].map((id) => ({ name: id, search: `page=${id}&refresh=off` })),
  { name: "import", search: "page=dashboards&refresh=off", act: imported },
  { name: "saved", search: "page=d-mine&refresh=off" },
  { name: "edit", search: "page=d-mine&refresh=off", act: edit },
  { name: "conflict", search: "page=d-shared&refresh=off", act: conflict },
  { name: "mysql", search: "page=d-mysql-overview-small&refresh=off" },
  { name: "sign_in", search: "page=overview&refresh=off", act: signIn, tokens: true },
];

async function prepare(server) {
  await fill(server);
  await server.write("default", exporterLines("mysql").map((line) => `${line}000000000`).join("\n"));
  // Storage has partitions when rows are on disk.
  await server.tidemark("admin", "checkpoint", "--server", server.url);
  await put(server, "mine", MINE);
  const browser = await startBrowser();
  const page = await openPage(browser, `${server.url}/dashboard?page=dashboards`);
  await imported(page);
  await page.getByRole("button", { name: /^Save as / }).click();
  await page.waitForSelector("[data-version]");
  await browser.close();
}

async function shoot(browser, servers, shot, width, colorScheme) {
  const server = shot.tokens ? servers.locked : servers.open;
  if (shot.name === "conflict") {
    const old = await fetch(`${server.url}/api/v1/dashboards/shared`);
    if (old.status === 200) await fetch(`${server.url}/api/v1/dashboards/shared`, { method: "DELETE", headers: { "If-Match": old.headers.get("ETag") } });
    await put(server, "shared", { ...MINE, id: "shared", title: "Shared" });
  }
  const page = await openPage(browser, `${server.url}/dashboard?${shot.search}`, { colorScheme, viewport: { width, height: HEIGHTS[width] ?? 900 } });
  // Panels far below are asked for when they come near; all are near on a page that is as high as they are.
  const answered = () => page.waitForFunction(() => [...document.querySelectorAll("[data-panel]")].every((panel) => panel.dataset.state !== "waiting"), null, { polling: 100 });
  await page.waitForTimeout(500);
  const high = await page.evaluate(() => document.documentElement.scrollHeight);
  await page.setViewportSize({ width, height: Math.min(6000, Math.max(HEIGHTS[width] ?? 900, high + 200)) });
  await answered();
  if (shot.act) await shot.act(page, server);
  // The page is at least as high as the screen: on a small one it is as high as what stands on it.
  await page.setViewportSize({ width, height: HEIGHTS[width] ?? 900 });
  await page.waitForTimeout(300);
  await page.setViewportSize({ width, height: Math.min(9000, Math.max(HEIGHTS[width] ?? 900, await page.evaluate(() => document.documentElement.scrollHeight))) });
  await page.waitForTimeout(300);
  const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  await page.screenshot({ path: join(folder, `${shot.name}_${width}_${colorScheme}.png`) });
  const faults = page.faults.filter((fault) => !/Failed to load resource/.test(fault));
  console.log(`${shot.name} ${width} ${colorScheme}${over > 0 ? ` HANGS OUT by ${over} px` : ""}${faults.length > 0 ? ` FAULTS ${faults.join("; ")}` : ""}`);
  await page.context().close();
}

async function serve() {
  if (process.env.TIDEMARK_SERVER) return { open: { url: process.env.TIDEMARK_SERVER }, locked: { url: process.env.TIDEMARK_LOCKED ?? process.env.TIDEMARK_SERVER } };
  const open = new Server(await freePort());
  open.flags.push("--rules-files", open.file("rules.yaml", RULES), "--rules-database", "dce");
  await open.start();
  const locked = await new Server(await freePort(), "--host-metrics", "off").start();
  await locked.tidemark("admin", "token", "new", "root", "--grant", "admin:*", "--server", locked.url);
  await prepare(open);
  return { open, locked };
}

mkdirSync(folder, { recursive: true });
readFileSync(`${EXAMPLES}/mysql.json`);
const servers = await serve();
const browser = await startBrowser();
try {
  for (const shot of SHOTS.filter((one) => listed(pages, SHOTS.map(({ name }) => name)).includes(one.name))) {
    for (const width of listed(widths, ["390", "1280", "1920"]).map(Number)) {
      for (const theme of listed(themes, ["light", "dark"])) {
        await shoot(browser, servers, shot, width, theme).catch((error) => console.log(`${shot.name} ${width} ${theme}: ${error.message.split("\n")[0]}`));
      }
    }
  }
} finally {
  await browser.close();
  for (const server of Object.values(servers)) await server.remove?.();
}
