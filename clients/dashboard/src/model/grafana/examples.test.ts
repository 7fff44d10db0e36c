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
const BUILT_IN = ["__interval", "__rate_interval", "__range"];

describe("examples", () => {
  const names = readdirSync(folder).map((name) => name.replace(/\.json$/, ""));
  it("are four", () => expect(names.length).toBeGreaterThanOrEqual(4));
  it.each(names)("%s can be drawn, and every name in its queries is known", (name) => {
    const made = read(name);
    expect(faultsOf(made.dashboard, types)).toEqual([]);
    const known = [...BUILT_IN, ...(made.dashboard.variables ?? []).map((variable) => variable.name)];
    const texts = [...(made.dashboard.variables ?? []).map((v) => v.query), ...panelsOf(made.dashboard).flatMap((panel) => (panel.queries ?? []).map((query) => query.expr))];
    for (const text of texts) for (const reference of referencesOf(text)) expect(known, text).toContain(reference);
    for (const panel of made.panels) expect(panel.because.length > 0, panel.title).toBe(panel.result !== "drawn");
  });
});

describe("what becomes of each panel", () => {
  it("of the node exporter", () => {
    const made = read("node_exporter");
    expect(results(made)).toEqual({ "CPU Busy": "drawn", Uptime: "differs", "Root FS Used": "drawn", CPU: "differs", Network: "differs" });
    expect(made.dashboard.variables?.[1]).toEqual({ name: "node", label: "Host", kind: "query", query: 'label_values(node_uname_info{job="$job"}, instance)', default: "$__all", all: ".+" });
    const cpu = panelsOf(made.dashboard).find((panel) => panel.title === "CPU");
    expect(cpu).toMatchObject({ width: 6, unit: "percentunit", options: { stack: true, fill: true, legend: "table" } });
    expect(cpu?.queries?.map((query) => query.id)).toEqual(["A", "B"]);
  });
  it("of Prometheus, in the old form", () => {
    const made = read("prometheus_self");
    expect(results(made)).toEqual({ "Prometheus Stats": "drawn", "Target Sync": "drawn", "Appended Samples": "differs", "Head Series": "differs", "Somebody's own": "not drawn" });
    expect(made.dashboard.rows.map((row) => [row.title, row.collapsed ?? false])).toEqual([["Prometheus Stats", false], ["Discovery", false], ["Storage", true]]);
    expect(panelsOf(made.dashboard)[2]).toMatchObject({ options: { stack: true, draw: "bars", legend: "none" }, queries: [{ expr: 'rate(prometheus_tsdb_head_samples_appended_total{instance=~"${instance}"}[$__interval])' }] });
    expect(panelsOf(made.dashboard)[3]?.thresholds).toEqual([{ from: null, color: "good" }, { from: 100_000, color: "warn" }, { from: 1_000_000, color: "bad" }]);
  });
  it("of a Go process, as the API wraps it", () => {
    const made = read("go_process");
    expect(results(made)).toEqual({ "": "drawn", Goroutines: "drawn", Heap: "drawn", "GC, mean": "differs", "Open files": "differs" });
    expect(made.dashboard.variables?.map((variable) => [variable.name, variable.kind, variable.default])).toEqual([
      ["job", "query", ""], ["instance", "query", "$__all"], ["interval", "custom", "5m"], ["filter", "text", ".*"], ["prefix", "constant", undefined],
    ]);
    expect(panelsOf(made.dashboard)[3]?.queries?.[0]?.expr).toBe('avg_over_time((rate(go_gc_duration_seconds_sum{job=~"$job"}[5m]))[$__range:])');
  });
  it("of a database", () => {
    const made = read("database_exporter");
    expect(results(made)).toEqual({ Up: "drawn", Sizes: "differs", "Rows of $db": "differs", Log: "not drawn" });
    expect(made.remarks).toEqual(["$db: one value is chosen at a time, or all", "$top: its query is not label_values(...), so its value is written by hand"]);
    expect(panelsOf(made.dashboard)[0]?.mappings).toEqual([{ value: 0, text: "DOWN", color: "bad" }, { value: 1, text: "UP", color: "good" }]);
  });
});
