// What the page costs a browser: its first paint, a redraw of 20 charts of 10 series, the cursor and a drag over them. Times of the main thread
// are the processor times of its tasks in a trace of Chromium; software rendering, so that a machine with a graphics card is faster.
//
//   TIDEMARK_BIN=build/release/bin TIDEMARK_BROWSER=build/release/tests/browser/packages node tests/bench/page_trace.mjs
import { resolve } from "node:path";

const { freePort, openPage, Server, settled, startBrowser } = await import(resolve(process.env.TIDEMARK_BROWSER ?? "build/release/tests/browser/packages", "harness.mjs"));
const CHARTS = 20;
const SERIES = 10;
const STEP = 15;
const POINTS = 240;

async function fill(server) {
  const now = Math.floor(Date.now() / 1000 / STEP) * STEP;
  for (let series = 0; series < SERIES; series++) {
    const lines = [];
    for (let i = 0; i <= POINTS + 8; i++) lines.push(`wave,line=${series} value=${(series + 1) * 10 + 9 * Math.sin((i + series * 7) / 20)} ${now - i * STEP}000000000`);
    await server.write("default", lines.join("\n"));
  }
  const panels = Array.from({ length: CHARTS }, (_, i) => ({ id: `c${i}`, type: "timeseries", title: `Chart ${i}`, width: 3, height: 4, options: { legend: "none" }, queries: [{ id: "A", mode: "range", expr: `wave + ${i}`, legend: "{{line}}", interval: `${STEP}s` }] }));
  const board = { schema: 1, id: "bench", title: "Bench", refresh: "0s", range: { from: "now-1h", to: "now" }, rows: [{ panels }] };
  const reply = await fetch(`${server.url}/api/v1/dashboards/bench`, { method: "PUT", headers: { "Content-Type": "application/json", "If-None-Match": "*" }, body: JSON.stringify(board) });
  if (reply.status !== 200) throw new Error(await reply.text());
}

// Those that lie in no other of them: Chromium traces a task under two names, one within the other, and both are not twice the time.
function outermost(events) {
  const until = new Map();
  return events.sort((a, b) => a.ts - b.ts || b.dur - a.dur).filter((one) => {
    const thread = `${one.pid} ${one.tid}`;
    if (one.ts < (until.get(thread) ?? -Infinity)) return false;
    until.set(thread, one.ts + one.dur);
    return true;
  });
}

// Milliseconds of processor time that the page's main thread took while `work` ran, the longest of its tasks, and how long all of it took.
async function traced(session, work) {
  const events = [];
  const collect = ({ value }) => events.push(...value);
  session.on("Tracing.dataCollected", collect);
  await session.send("Tracing.start", { transferMode: "ReportEvents", traceConfig: { includedCategories: ["toplevel", "disabled-by-default-devtools.timeline", "devtools.timeline", "__metadata"] } });
  const begun = performance.now();
  const result = await work();
  const took = performance.now() - begun;
  const complete = new Promise((done) => session.once("Tracing.tracingComplete", done));
  await session.send("Tracing.end");
  await complete;
  session.off("Tracing.dataCollected", collect);
  const mains = new Set(events.filter((one) => one.name === "thread_name" && one.args?.name === "CrRendererMain").map((one) => `${one.pid} ${one.tid}`));
  const tasks = outermost(events.filter((one) => one.ph === "X" && /RunTask$/.test(one.name) && mains.has(`${one.pid} ${one.tid}`))).map((one) => (one.tdur ?? one.dur) / 1000);
  if (tasks.length === 0) throw new Error("the trace has no task of the page's main thread");
  return { result, took, busy: tasks.reduce((sum, one) => sum + one, 0), longest: Math.max(...tasks) };
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const ms = (value) => `${value.toFixed(1)} ms`;
const print = (what, figures) => console.log(`${what.padEnd(34)} ${Object.entries(figures).map(([name, value]) => `${name} ${value}`).join("   ")}`);

// From a cold cache: a new profile each time.
async function firstPaint(browser, server) {
  const paints = [];
  const usable = [];
  for (let i = 0; i < 5; i++) {
    const page = await openPage(browser, `${server.url}/dashboard?page=hosts&refresh=off`);
    await page.waitForFunction(() => document.querySelector('[data-panel="cpu"] [data-raw]')?.dataset.raw);
    usable.push(await page.evaluate(() => performance.now()));
    paints.push(await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime));
    await page.context().close();
  }
  print("first page, cold", { "first paint": ms(median(paints)), "first number": ms(median(usable)) });
}

// A fixed piece of work in the page: what other machines, and this one when it is loaded, are to be compared by.
const CALIBRATION = () => new Promise((done) => setTimeout(() => {
  let x = 0;
  for (let i = 0; i < 50_000_000; i++) x = (x * 31 + i) | 0;
  globalThis.calibrated = x;
  done();
}));

async function charts(browser, server) {
  const page = await openPage(browser, `${server.url}/dashboard?page=d-bench&refresh=off`, { viewport: { width: 1600, height: 1300 } });
  await settled(page);
  await page.waitForFunction((count) => document.querySelectorAll(".u-over").length === count, CHARTS);
  const session = await page.context().newCDPSession(page);
  const calibration = await traced(session, () => page.evaluate(CALIBRATION));
  print("calibration loop", { "main thread": ms(calibration.busy), wall: ms(calibration.took) });
  const frame = () => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done))));
  // Half a range earlier or later: every chart asks anew and is drawn over another range.
  // However long a loaded machine takes for the answers: until the last of them is drawn.
  const answered = async (work) => {
    await page.evaluate(() => { globalThis.before = [...document.querySelectorAll("[data-panel]")].map((panel) => panel.dataset.at); });
    await work();
    await page.waitForFunction(() => [...document.querySelectorAll("[data-panel]")].every((panel, i) => panel.dataset.at !== globalThis.before[i]), null, { polling: 100 });
    await frame();
  };
  const redraws = [];
  for (let i = 0; i < 9; i++) redraws.push(await traced(session, () => answered(() => page.keyboard.press(i % 2 === 0 ? "," : "."))));
  print(`redraw of ${CHARTS} charts, with answers`, { "main thread": ms(median(redraws.map((one) => one.busy))), "longest task": ms(median(redraws.map((one) => one.longest))) });
  // Some pixels wider: layout, a canvas of another size and drawing, of data that are there.
  const widened = [];
  for (let i = 0; i < 9; i++) widened.push(await traced(session, async () => { await page.setViewportSize({ width: i % 2 === 0 ? 1610 : 1600, height: 1300 }); await frame(); await frame(); }));
  print(`${CHARTS} charts of another width`, { "main thread": ms(median(widened.map((one) => one.busy))), "longest task": ms(median(widened.map((one) => one.longest))) });
  // The range has moved: back to where the data are.
  await page.goto(`${server.url}/dashboard?page=d-bench&refresh=off`);
  await page.waitForFunction((count) => document.querySelectorAll(".u-over").length === count, CHARTS);
  await page.evaluate(() => { globalThis.framesSeen = []; const tick = (at) => { globalThis.framesSeen.push(at); requestAnimationFrame(tick); }; requestAnimationFrame(tick); });
  const box = await page.locator(".u-over").first().boundingBox();
  for (const [what, press] of [["cursor over all charts", false], ["drag over one", true]]) {
    const steps = 120;
    const one = await traced(session, async () => {
      await page.evaluate(() => { globalThis.framesSeen.length = 0; });
      await page.mouse.move(box.x + 4, box.y + 20);
      if (press) await page.mouse.down();
      await page.mouse.move(box.x + box.width - 4, box.y + 30, { steps });
      const seen = await page.evaluate(() => globalThis.framesSeen.slice());
      if (press) { await page.mouse.move(box.x + 6, box.y + 20); await page.mouse.up(); }
      return seen;
    });
    const gaps = one.result.slice(1).map((at, i) => at - one.result[i]).sort((a, b) => a - b);
    print(what, { "main thread of a frame": ms(one.busy / Math.max(1, one.result.length)), "longest task": ms(one.longest), "frames apart, median": ms(median(gaps)), "95 %": ms(gaps[Math.floor(gaps.length * 0.95)] ?? 0) });
  }
  if (page.faults.length > 0) throw new Error(page.faults.join("\n"));
  await page.context().close();
}

const server = await new Server(await freePort()).start();
const browser = await startBrowser();
try {
  await fill(server);
  await firstPaint(browser, server);
  await charts(browser, server);
} finally {
  await browser.close();
  await server.remove();
}
