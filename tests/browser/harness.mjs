// Starts a real server with data and a real browser for the tests of the dashboard.
import { execFile, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { chromium } from "playwright-core";

const BIN = process.env.TIDEMARK_BIN ?? "build/release/bin";
// A folder that `vite build` filled: its page in place of the one that the server has in it, for who works on the page.
const PAGE = process.env.TIDEMARK_PAGE;
const run = promisify(execFile);

// A port that nobody had a moment ago: a server that comes back must come back at the same address.
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().on("error", reject).listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

export class Server {
  constructor(port, ...flags) {
    this.folder = mkdtempSync(join(tmpdir(), "tidemark-browser-"));
    this.port = port;
    this.flags = flags;
  }

  // A file in the server's folder; its path.
  file(name, text) {
    const path = join(this.folder, name);
    writeFileSync(path, text);
    return path;
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  start() {
    const flags = ["--data", join(this.folder, "data"), "--http", `127.0.0.1:${this.port}`, ...this.flags];
    this.process = spawn(join(BIN, "tidemarkd"), flags, { stdio: ["ignore", "pipe", "ignore"] });
    return new Promise((resolve, reject) => {
      let said = "";
      this.process.stdout.on("data", (piece) => {
        said += piece;
        if (said.includes("listening on")) resolve(this);
      });
      this.process.once("exit", (code) => reject(new Error(`tidemarkd ended with ${code}`)));
    });
  }

  // Tells it to end, and waits.
  stop() {
    const ended = new Promise((resolve) => this.process.once("exit", resolve));
    this.process.kill("SIGTERM");
    return ended;
  }

  async remove() {
    if (this.process.exitCode === null) await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async write(db, lines) {
    const reply = await fetch(`${this.url}/write?db=${db}`, { method: "POST", body: lines });
    if (reply.status !== 204) throw new Error(`write: ${reply.status} ${await reply.text()}`);
  }

  async api(path, parameters) {
    const reply = await fetch(`${this.url}${path}?${new URLSearchParams(parameters)}`);
    const answer = await reply.json();
    if (answer.status !== "success") throw new Error(`${path} ${JSON.stringify(parameters)}: ${answer.error}`);
    return answer.data;
  }

  tidemark(...args) {
    return run(join(BIN, "tidemark"), args, { timeout: 120_000 });
  }
}

const PIPELINE = `
name: card
tasks:
  - {name: build, kind: build, command: &work 'sleep 0.3; head -c 20000000 /dev/zero | tail -c 1 > /dev/null'}
  - {name: unit, kind: test, command: *work, needs: [build]}
  - {name: fuzz, kind: test, command: *work, needs: [build]}
  - {name: lint, kind: lint, command: 'echo 0 issues', gate: {regex: '([0-9]+) issues', unit: issues, fail: '> 0'}}
`;

// Two of the card's thresholds: one that is crossed as soon as it is looked at, and one that never is.
export const RULES = `
groups:
  - name: card
    interval: 1s
    rules:
      - {alert: BidProcessing, expr: 'dce_component_throughput_per_second{component="bid_engine"} > 1', annotations: {summary: more than one bid a second}}
      - {alert: Connections, expr: 'sum(dce_connections_active) > 1e9', for: 1m}
`;

// The simulated backend's past, and runs of a pipeline called "card".
export async function fill(server) {
  await server.tidemark("demo", "backend", "--server", server.url, "--history", "6w", "--history-step", "4m", "--history-only");
  // Samples of the past are minutes apart. Rates need nearer ones, over more than a step of the charts' grid (15 s).
  const live = server.tidemark("demo", "backend", "--server", server.url, "--rate", "5", "--for", "18s");
  const file = server.file("card.yaml", PIPELINE);
  const common = ["--server", server.url, "--state-dir", join(server.folder, "state")];
  await server.tidemark("exec", "run", file, "--sequential", ...common);
  await server.tidemark("exec", "compare", file, "--agents", "2", ...common);
  await server.tidemark("exec", "run", file, "--agents", "2", "--memory-budget", "2GB", ...common);
  await live;
}

// A new profile, and nothing that reaches out by itself.
export function startBrowser() {
  return chromium.launch({
    executablePath: process.env.TIDEMARK_CHROMIUM ?? "/usr/bin/chromium",
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync"],
  });
}

const TYPES = { html: "text/html; charset=utf-8", js: "text/javascript; charset=utf-8", css: "text/css; charset=utf-8", svg: "image/svg+xml" };

// Answers for the page and its files out of a folder, with the server's own headers for the page.
async function servePage(context, folder) {
  await context.route(/\/dashboard(\/assets\/[^?]+)?(\?.*)?$/, async (route) => {
    const asset = /\/dashboard\/(assets\/[^?]+)/.exec(route.request().url())?.[1];
    if (asset) return route.fulfill({ body: readFileSync(join(folder, asset)), contentType: TYPES[asset.split(".").pop()] });
    const reply = await route.fetch();
    return reply.status() === 200 ? route.fulfill({ response: reply, headers: { ...reply.headers(), "content-encoding": "" }, body: readFileSync(join(folder, "index.html")) }) : route.fulfill({ response: reply });
  });
}

// A page that remembers all that went wrong on it.
export async function openPage(browser, url, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  if (PAGE) await servePage(context, PAGE);
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  page.faults = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) page.faults.push(`${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => page.faults.push(`uncaught: ${error.message}`));
  page.on("dialog", (dialog) => {
    page.faults.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(new URL(url).origin) && !request.url().startsWith("data:")) page.faults.push(`asks elsewhere: ${request.url()}`);
  });
  await page.goto(url);
  await page.waitForSelector("main");
  return page;
}

// Until each panel that the page shows has been answered.
export async function settled(page) {
  await page.waitForFunction(() => {
    const panels = [...document.querySelectorAll("[data-panel]")];
    return panels.length > 0 && panels.every((panel) => panel.dataset.state !== "waiting");
  });
}
