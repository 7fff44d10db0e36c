// Ours as Grafana's, and back again.
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { panelsOf } from "../edit";
import type { Dashboard, Panel } from "../schema";
import { exportGrafana } from "./export";
import { importGrafana } from "./import";
import type { GrafanaDashboard } from "./types";

const options = { source: (database: string) => `tidemark-${database}`, home: "default" };
const folder = new URL("../../pages/dashboards/", import.meta.url);
const shipped = readdirSync(folder).map((name) => JSON.parse(readFileSync(new URL(name, folder), "utf8")) as Dashboard);
const board = (panel: Partial<Panel>, more: Partial<Dashboard> = {}): Dashboard => ({ schema: 1, id: "x", title: "X", rows: [{ panels: [{ id: "p1", type: "timeseries", title: "P", width: 4, height: 6, ...panel }] }], ...more });
const back = (dashboard: Dashboard) => importGrafana(exportGrafana(dashboard, options).dashboard as GrafanaDashboard, dashboard.id);

describe("the pages that ship", () => {
  it.each(shipped.map((one) => [one.id, one] as const))("%s comes back with the same panels and queries", (_, dashboard) => {
    const { left } = exportGrafana(dashboard, options);
    const made = back(dashboard);
    expect(made.panels.map((panel) => panel.result)).not.toContain("not drawn");
    const [before, after] = [panelsOf(dashboard), panelsOf(made.dashboard)];
    expect(after.map((panel) => panel.title)).toEqual(before.map((panel) => panel.title));
    before.forEach((panel, i) => {
      if (left.includes(panel.title)) return expect(after[i]?.type).toBe("text");
      expect([after[i]?.type, after[i]?.width, after[i]?.queries?.filter((query) => query.mode !== "alerts" && query.mode !== "rules").map((query) => query.id)]).toEqual([panel.type, panel.width ?? 4, (panel.queries ?? []).filter((query) => ["instant", "range"].includes(query.mode ?? "instant")).map((query) => query.id)]);
      return undefined;
    });
  });
  it("are left out in part, by name", () => {
    expect(Object.fromEntries(shipped.map((one) => [one.id, exportGrafana(one, options).left.length]).filter(([, left]) => left !== 0))).toMatchObject({ alerts: expect.any(Number) as number });
  });
});

describe("what a panel says survives", () => {
  it.each([
    [{ unit: "binBps", decimals: 1, min: 0, max: 9 }], [{ thresholds: [{ from: null, color: "good" as const }, { from: 5, color: "bad" as const }] }], [{ mappings: [{ value: 0, text: "LOW", color: "good" as const }, { from: 1, to: null, text: "many" }, { special: "null" as const, text: "none" }] }],
    [{ last: "6h", earlier: "1d", rangeHidden: true }], [{ repeat: { variable: "job", most: 3 } }], [{ transformations: [{ id: "merge", options: {} }] }], [{ description: "D" }],
    [{ overrides: [{ match: { by: "name" as const, is: "eth0" }, set: { color: "#5794f2", negative: true, axis: "right" as const, dash: [8, 6], fill: 20, lineWidth: 2, draw: "bars" as const, title: "T", hideFrom: ["legend" as const] } }] }],
    [{ type: "table", options: { fields: true }, overrides: [{ match: { by: "pattern" as const, is: "/x/" }, set: { align: "center" as const, width: 90, hidden: true, cell: "background" as const } }] }],
    [{ type: "stat", options: { calc: "mean", spark: true, ground: true, show: "both" } }], [{ options: { stack: true, fill: 40, line: "smooth", joinGaps: true, log: 2, lineWidth: 2, legend: "table", columns: ["max"], legendAt: "right" } }],
  ])("%j", (panel: Partial<Panel>) => expect(back(board({ queries: [{ id: "A", expr: "up", mode: "range" }], ...panel })).dashboard.rows[0]?.panels[0]).toMatchObject(panel.type === undefined && panel.thresholds ? { thresholds: panel.thresholds } : panel));
  it("and of a dashboard", () => {
    const own: Partial<Dashboard> = {
      range: { from: "now-6h", to: "now" }, refresh: "30s", links: [{ title: "L", href: "https://example.org" }],
      variables: [{ name: "job", label: "Job", kind: "query", query: "label_values(up, job)", default: "$__all", all: ".+", multi: true, sort: "-name" }, { name: "n", kind: "custom", query: "a : 1,b", default: "1" }, { name: "t", kind: "text", query: "", default: "x" }],
      annotations: [{ name: "A", kind: "query", expr: "ALERTS", color: "#f2495c", title: "{{alertname}}", tags: ["job"], step: "2m", off: true }],
    };
    expect(back(board({ queries: [{ id: "A", expr: "up" }] }, own)).dashboard).toMatchObject(own);
  });
  it("and constants are put in", () => {
    const { dashboard } = exportGrafana(board({ queries: [{ id: "A", db: "_exec", expr: "x{$run}" }] }, { variables: [{ name: "run", kind: "constant", query: 'a="$job"' }] }), options);
    expect(dashboard).toMatchObject({ templating: { list: [] }, panels: [{ datasource: { type: "prometheus", uid: "tidemark-_exec" }, targets: [{ expr: 'x{a="$job"}' }] }] });
  });
});
