// Dashboards in the shapes that well-known ones have, whole.
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { PANEL_TYPES } from "../../panels/registry";
import { panelsOf } from "../edit";
import { faultsOf } from "../schema";
import { referencesOf } from "../variables";
import { importGrafana, type Imported } from "./import";

const folder = new URL("./examples/", import.meta.url);
const types = PANEL_TYPES.map((row) => row.type);
const read = (name: string): Imported => importGrafana(JSON.parse(readFileSync(new URL(`${name}.json`, folder), "utf8")) as object, name);
const results = (made: Imported) => Object.fromEntries(made.panels.map((panel) => [panel.title, panel.result]));
const BUILT_IN = ["__interval", "__interval_ms", "__rate_interval", "__range", "__range_s", "__range_ms"];

describe("examples", () => {
  const names = readdirSync(folder).map((name) => name.replace(/\.json$/, ""));
  it("are of many exporters", () => expect(names.length).toBeGreaterThanOrEqual(17));
  it.each(names)("%s can be drawn, and every name in its queries is known", (name) => {
    const made = read(name);
    expect(faultsOf(made.dashboard, types)).toEqual([]);
    const known = [...BUILT_IN, ...(made.dashboard.variables ?? []).map((variable) => variable.name)];
    const texts = [...(made.dashboard.variables ?? []).map((v) => v.query), ...panelsOf(made.dashboard).flatMap((panel) => (panel.queries ?? []).map((query) => query.expr))];
    for (const text of texts) for (const reference of referencesOf(text)) expect(known, text).toContain(reference);
    for (const panel of made.panels) expect(panel.because.length > 0, panel.title).toBe(panel.result !== "drawn");
  });
});

const panelCalled = (made: Imported, title: string) => panelsOf(made.dashboard).find((panel) => panel.title === title);

describe("what becomes of each panel", () => {
  it("of the node exporter", () => {
    const made = read("node_exporter");
    expect(new Set(made.panels.map((panel) => panel.result))).toEqual(new Set(["drawn"]));
    expect(made.remarks).toEqual([]);
    expect(made.dashboard.variables?.[2]).toEqual({ name: "node", label: "Host", kind: "query", query: 'label_values(node_uname_info{job="$job"}, instance)', default: "$__all", all: ".+", multi: true });
    expect(panelCalled(made, "CPU")).toMatchObject({ width: 6, unit: "percentunit", options: { stack: true, fill: 40, legend: "table", columns: ["mean", "max"] } });
    expect(panelCalled(made, "CPU")?.queries?.map((query) => [query.id, query.interval])).toEqual([["A", "15s"], ["B", "15s"]]);
    expect(panelCalled(made, "Network")?.overrides).toEqual([{ match: { by: "pattern", is: "/.*Trans.*/" }, set: { negative: true } }]);
    expect(panelCalled(made, "Filesystem space")?.transformations?.map((step) => step.id)).toEqual(["joinByField", "calculateField", "calculateField", "organize", "sortBy"]);
    expect(made.dashboard.rows.map((row) => [row.title, row.collapsed ?? false, row.repeat])).toEqual([["Quick CPU / Mem / Disk", false, undefined], ["Filesystems", true, undefined], ["Network of $device", false, "device"]]);
  });
  it("of Prometheus, in the old form", () => {
    const made = read("prometheus_self");
    expect(results(made)).toEqual({
      "Prometheus Stats": "drawn", "Target Sync": "drawn", "Appended Samples": "differs", "Scrape and rules": "drawn", "Head Series": "drawn", "Blocks loaded": "drawn", "Request durations": "drawn", "Somebody's own": "not drawn",
    });
    expect(made.dashboard.rows.map((row) => [row.title, row.collapsed ?? false])).toEqual([["Prometheus Stats", false], ["Discovery", false], ["Storage", true]]);
    expect(panelCalled(made, "Appended Samples")).toMatchObject({ options: { stack: true, draw: "bars", legend: "none", log: 10 }, queries: [{ expr: 'rate(prometheus_tsdb_head_samples_appended_total{instance=~"${instance}"}[$__interval])' }] });
    expect(panelCalled(made, "Head Series")?.thresholds).toEqual([{ from: null, color: "good" }, { from: 100_000, color: "warn" }, { from: 1_000_000, color: "bad" }]);
    expect(panelCalled(made, "Blocks loaded")).toMatchObject({ options: { calc: "max", spark: true, behind: " blocks" }, mappings: [{ from: 100, to: 1000, text: "many" }] });
    expect(panelCalled(made, "Scrape and rules")).toMatchObject({ options: { legend: "table", columns: ["mean", "max"], legendAt: "right", joinGaps: true }, overrides: [{ set: { color: "#1f78c1" } }, { set: { axis: "right", dash: [8, 6], fill: 0 } }] });
    expect(panelCalled(made, "Request durations")?.options).toEqual({ buckets: true, leUnit: "s" });
  });
  it("of a Go process, as the API wraps it", () => {
    const made = read("go_process");
    expect(results(made)).toEqual({ "": "drawn", Goroutines: "drawn", Heap: "drawn", "GC, mean": "differs", "Open files": "drawn", "Goroutines, how often": "drawn", Memory: "drawn", Up: "drawn" });
    expect(made.dashboard.variables?.map((variable) => [variable.name, variable.kind, variable.default])).toEqual([
      ["job", "query", undefined], ["instance", "query", "$__all"], ["interval", "custom", "5m"], ["filter", "text", ".*"], ["prefix", "constant", undefined],
    ]);
    expect(panelCalled(made, "GC, mean")).toMatchObject({ queries: [{ expr: 'rate(go_gc_duration_seconds_sum{job=~"$job"}[5m])', mode: "range" }], options: { calc: "mean", spark: true, ground: true } });
  });
  it("of a database", () => {
    const made = read("database_exporter");
    expect(results(made)).toEqual({ Up: "drawn", Sizes: "drawn", "Rows read": "differs", "Rows of $db": "drawn", Log: "not drawn" });
    expect(made.remarks).toEqual(['the link "Others" leads to all dashboards, since none has tags here']);
    expect(made.dashboard.variables?.find((variable) => variable.name === "top")).toMatchObject({ kind: "query", query: "query_result(topk(5, pg_database_size_bytes))", regex: '/datname="([^"]+)"/' });
    expect(panelCalled(made, "Rows of $db")?.repeat).toEqual({ variable: "db" });
    expect(panelCalled(made, "Up")?.mappings).toEqual([{ value: 0, text: "DOWN", color: "bad" }, { value: 1, text: "UP", color: "good" }]);
  });
});
