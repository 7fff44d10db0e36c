import { describe, expect, it } from "vitest";
import { PANEL_TYPES } from "../../panels/registry";
import { faultsOf } from "../schema";
import { colorOf, mappingsOf, oldThresholdsOf, plainText, thresholdsOf, unitOf } from "./fields";
import { importGrafana, translateExpr } from "./import";
import type { GrafanaPanel, GrafanaVariable } from "./types";

const types = PANEL_TYPES.map((row) => row.type);
const query = [{ refId: "A", expr: 'rate(x{job="$job"}[$__rate_interval])', legendFormat: "{{instance}}" }];

function one(panel: GrafanaPanel) {
  const made = importGrafana({ title: "T", panels: [panel] }, "t");
  expect(faultsOf(made.dashboard, types)).toEqual([]);
  return { panel: made.dashboard.rows[0]?.panels[0], report: made.panels[0] };
}

describe("panel types", () => {
  it.each([
    ["timeseries", "timeseries", "drawn"], ["graph", "timeseries", "drawn"], ["stat", "stat", "drawn"], ["singlestat", "stat", "drawn"], ["table", "table", "drawn"],
    ["piechart", "pie", "drawn"], ["gauge", "gauge", "drawn"], ["bargauge", "bars", "drawn"], ["heatmap", "heatmap", "drawn"], ["histogram", "histogram", "drawn"],
    ["state-timeline", "states", "drawn"], ["status-history", "states", "differs"], ["barchart", "bars", "differs"],
  ])("%s is drawn as %s", (type, ours, result) => {
    const { panel, report } = one({ type, title: "P", targets: query, gridPos: { x: 0, y: 0, w: 12, h: 8 } });
    expect(panel).toMatchObject({ type: ours, title: "P", width: 6 });
    expect(panel?.queries?.[0]).toMatchObject({ id: "A", mode: "range", legend: "{{instance}}" });
    expect(report).toMatchObject({ type, result });
  });

  it("text is text, also of HTML", () => {
    const { panel, report } = one({ type: "text", options: { mode: "html", content: "<h1>A</h1><p>b &lt; c<script>x</script></p>" } });
    expect(panel?.options).toEqual({ text: "A\nb < c" });
    expect(report?.result).toBe("drawn");
  });

  it("others are named with the reason", () => {
    const made = importGrafana({ panels: [{ type: "nodeGraph", title: "N" }, { type: "somebodys-panel", title: "O" }, { type: "stat", title: "S", targets: [{ refId: "A" }] }] }, "t");
    expect(made.dashboard.rows).toEqual([]);
    expect(made.panels).toEqual([
      { title: "N", type: "nodeGraph", result: "not drawn", because: ["graphs of nodes are not drawn"] }, { title: "O", type: "somebodys-panel", result: "not drawn", because: ['panels of type "somebodys-panel" are not drawn'] },
      { title: "S", type: "stat", result: "not drawn", because: ["none of its queries is PromQL"] },
    ]);
  });
});

describe("what differs is said", () => {
  it("by its reason", () => {
    const { report } = one({
      type: "timeseries", targets: query, repeat: "job", timeShift: "1d/d", transformations: [{ id: "organize" }, { id: "spatial" }, { id: "calculateField", options: { mode: "windowFunctions" } }, { id: "other", disabled: true }],
      fieldConfig: {
        defaults: { unit: "furlongs", color: { mode: "continuous-GrYlRd" }, mappings: [{ type: "special", options: { match: "never" } }] },
        overrides: [{ matcher: { id: "byTopology" }, properties: [] }, { matcher: { id: "byName", options: "x" }, properties: [{ id: "custom.glow", value: 1 }] }],
      },
    });
    expect(report?.result).toBe("differs");
    expect(report?.because).toEqual([
      "it is not shifted by 1d/d", 'the transformation "spatial" is left out', 'of the transformation "calculateField" the calculation "windowFunctions" is left out',
      "a colour that goes from one to another is that of the thresholds", 'overrides of fields "byTopology" are left out', 'the property "custom.glow" of single fields is left out',
      'the unit "furlongs" is put behind the numbers as it is', "value mappings that cannot be read are left out",
    ]);
  });
  it("and data of others are named", () => {
    const made = importGrafana({ panels: [{ type: "timeseries", title: "L", datasource: { type: "loki" }, targets: [{ expr: "{}" }] }, { type: "timeseries", title: "M", targets: [...query, { refId: "B", expr: "x", datasource: { type: "mysql" } }] }] }, "t");
    expect(made.panels).toEqual([
      { title: "L", type: "timeseries", result: "not drawn", because: ["its data are those of loki"] }, { title: "M", type: "timeseries", result: "differs", because: ["a query of mysql is left out"] },
    ]);
  });
});

describe("overrides", () => {
  const set = (id: string, value: unknown) => one({ type: "timeseries", targets: query, fieldConfig: { overrides: [{ matcher: { id: "byName", options: "A" }, properties: [{ id, value }] }] } });
  it.each([
    ["color", { mode: "fixed", fixedColor: "semi-dark-red" }, { color: "#e02f44" }], ["unit", "Bps", { unit: "binBps" }], ["displayName", "Name", { title: "Name" }],
    ["custom.align", "center", { align: "center" }], ["decimals", "2", { decimals: 2 }], ["custom.fillOpacity", 0, { fill: 0 }], ["custom.transform", "negative-Y", { negative: true }],
    ["custom.lineStyle", { fill: "dash", dash: [10, 5] }, { dash: [10, 5] }], ["custom.cellOptions", { type: "color-background" }, { cell: "background" }], ["custom.lineWidth", 3, { lineWidth: 3 }],
    ["links", [{ title: "T", url: "/d/x/nodes-full?var-a=${__value.raw}" }], { links: [{ title: "T", href: "?page=d-nodes-full&var-a=${__value.raw}" }] }], ["custom.width", 120, { width: 120 }],
    ["thresholds", { mode: "absolute", steps: [{ color: "green", value: null }, { color: "red", value: 5 }] }, { thresholds: [{ from: null, color: "good" }, { from: 5, color: "bad" }] }],
    ["custom.hidden", true, { hidden: true }], ["custom.hideFrom", { viz: true, legend: true, tooltip: false }, { hideFrom: ["chart", "legend"] }],
    ["mappings", [{ type: "range", options: { from: 1, to: null, result: { text: "many" } } }], { mappings: [{ from: 1, to: null, text: "many" }] }], ["custom.displayMode", "lcd-gauge", { cell: "gauge" }],
    ["custom.stacking", { mode: "none", group: "A" }, { stack: "" }], ["custom.fillBelowTo", "min", { between: "min" }], ["custom.axisPlacement", "right", { axis: "right" }], ["custom.drawStyle", "bars", { draw: "bars" }],
    ["min", 0, { min: 0 }], ["max", "10", { max: 10 }],
  ])("%s", (id, value, look) => {
    const { panel, report } = set(id, value);
    expect(panel?.overrides).toEqual([{ match: { by: "name", is: "A" }, set: look }]);
    expect(report).toMatchObject({ result: "drawn", because: [] });
  });
  it("of each matcher", () => {
    const matchers = [{ id: "byRegexp", options: "/x/" }, { id: "byFrameRefID", options: "B" }, { id: "byType", options: "string" }, { id: "byValue", options: { reducer: "max", op: "gte", value: 3 } },
      { id: "byNames", options: { mode: "exclude", names: ["a.b"] } }, { id: "byNames", options: { names: ["a"] } }];
    const { panel } = one({ type: "timeseries", targets: query, fieldConfig: { overrides: matchers.map((matcher) => ({ matcher, properties: [{ id: "min", value: 1 }] })) } });
    expect(panel?.overrides?.map((override) => override.match)).toEqual([
      { by: "pattern", is: "/x/" }, { by: "query", is: "B" }, { by: "type", is: "text" }, { by: "value", is: { reducer: "max", op: "gte", value: 3 } }, { by: "pattern", is: "^(?!(?:a\\.b)$)" }, { by: "names", is: ["a"] },
    ]);
  });
  it("of old graphs and tables", () => {
    const graph = one({
      type: "graph", targets: query, aliasColors: { x: "#F2495C" }, yaxes: [{ format: "short" }, { format: "bytes" }],
      seriesOverrides: [{ alias: "/out/", transform: "negative-Y", yaxis: 2 }, { alias: "total", fill: 0, stack: false, glow: 1 }],
    });
    expect(graph.panel?.overrides).toEqual([
      { match: { by: "name", is: "x" }, set: { color: "#f2495c" } }, { match: { by: "pattern", is: "/out/" }, set: { negative: true, axis: "right", unit: "bytes" } }, { match: { by: "name", is: "total" }, set: { fill: 0, stack: "" } },
    ]);
    expect(graph.report?.because).toEqual(['"glow" of single series is left out']);
    const table = one({
      type: "table-old", transform: "table", targets: query,
      styles: [{ pattern: "Value #A", alias: "Used", type: "number", unit: "bytes", decimals: 1, colorMode: "cell", thresholds: ["5", "9"], colors: ["green", "orange", "red"] }, { pattern: "/.*/", type: "hidden" }],
    });
    expect(table.panel?.transformations).toEqual([{ id: "merge" }]);
    expect(table.panel?.overrides?.map((override) => override.match)).toEqual([{ by: "pattern", is: "/.*/" }, { by: "name", is: "Value #A" }]);
    expect(table.panel?.overrides?.[1]?.set).toEqual({ title: "Used", unit: "bytes", decimals: 1, thresholds: [{ from: null, color: "good" }, { from: 5, color: "warn" }, { from: 9, color: "bad" }], cell: "background" });
  });
});

describe("charts", () => {
  it("keep their axis, shape, gaps, fill, stack, legend and points", () => {
    const { panel, report } = one({
      type: "timeseries", targets: query, maxDataPoints: 100, options: { legend: { displayMode: "table", placement: "right", calcs: ["mean", "lastNotNull"] } },
      fieldConfig: { defaults: { custom: { scaleDistribution: { type: "log", log: 2 }, lineInterpolation: "smooth", spanNulls: true, fillOpacity: 25, lineWidth: 2, stacking: { mode: "percent" } } } },
    });
    expect(panel?.options).toEqual({ stack: "percent", fill: 25, line: "smooth", joinGaps: true, lineWidth: 2, log: 2, legend: "table", columns: ["mean", "lastNotNull"], legendAt: "right", marks: false, points: 100 });
    expect(report?.because).toEqual([]);
  });
  it("repeat, and say where a library panel's content is", () => {
    const made = importGrafana({
      __elements: { lib: { model: { type: "stat", title: "From the library", targets: query } } },
      panels: [{ type: "stat", title: "$job", targets: query, repeat: "job", repeatDirection: "h", maxPerRow: 3 }, { libraryPanel: { uid: "lib" } }, { libraryPanel: { uid: "none", name: "Gone" } },
        { type: "stat", id: 7, title: "P", targets: query, gridPos: { y: 1 } }, { type: "table", title: "Q", datasource: { uid: "-- Dashboard --" }, targets: [{ panelId: 7 }], gridPos: { y: 2 } }],
    }, "t");
    const panels = made.dashboard.rows.flatMap((row) => row.panels);
    expect(panels[0]?.repeat).toEqual({ variable: "job", most: 3 });
    expect(panels[1]).toMatchObject({ title: "From the library" });
    expect(panels[3]?.queries?.[0]?.expr).toBe(query[0]?.expr);
    expect(made.panels.map((panel) => panel.result)).toEqual(["drawn", "drawn", "not drawn", "drawn", "drawn"]);
  });
});

describe("queries", () => {
  it("get names where they have none or one twice, and hidden ones are left out", () => {
    const { panel } = one({ type: "graph", targets: [{ refId: "A", expr: "a" }, { refId: "A", expr: "b" }, { expr: "c" }, { expr: "d", hide: true }] });
    expect(panel?.queries?.map((q) => [q.id, q.expr])).toEqual([["A", "a"], ["B", "b"], ["C", "c"]]);
  });
  it("of a number are reduced as the panel says", () => {
    const { panel } = one({ type: "stat", targets: [{ refId: "A", expr: "up" }], options: { reduceOptions: { calcs: ["mean"] } } });
    expect(panel).toMatchObject({ queries: [{ expr: "up", mode: "range" }], options: { calc: "mean" } });
    const { panel: last } = one({ type: "stat", targets: [{ refId: "A", expr: "up" }], options: { reduceOptions: { calcs: ["lastNotNull"] } } });
    expect(last?.options).toBeUndefined();
  });
  it("name variables in our form", () => {
    expect(translateExpr('x{a=~"${v:pipe}",b="[[w]]"}[${__rate_interval}]')).toBe('x{a=~"${v:pipe}",b="${w}"}[$__rate_interval]');
    expect(translateExpr("a[${__range_s}s] + b[$__range_s:]")).toBe("a[${__range_s}s] + b[$__range_s:]");
  });
});

describe("layout", () => {
  it("of rows in both forms", () => {
    const old = importGrafana({ rows: [{ title: "R", collapse: true, panels: [{ type: "graph", span: "4", targets: query }] }] }, "t");
    expect(old.dashboard.rows[0]).toMatchObject({ title: "R", collapsed: true, panels: [{ width: 4 }] });
    const newer = importGrafana({
      panels: [
        { type: "graph", title: "second", targets: query, gridPos: { x: 12, y: 1, w: 12, h: 8 } }, { type: "graph", title: "first", targets: query, gridPos: { x: 0, y: 1, w: 12, h: 8 } },
        { type: "row", title: "R", gridPos: { y: 9 }, collapsed: true, panels: [{ type: "stat", title: "in it", targets: query }] },
      ],
    }, "t");
    expect(newer.dashboard.rows.map((row) => [row.title, row.panels.map((p) => p.title)])).toEqual([[undefined, ["first", "second"]], ["R", ["in it"]]]);
  });
});

describe("variables", () => {
  const variables = (list: GrafanaVariable[]) => importGrafana({ title: "T", templating: { list } }, "t");
  it("of each kind", () => {
    const made = variables([
      { name: "DS", type: "datasource", query: "prometheus" },
      { name: "job", type: "query", query: { query: "label_values(up, job)" }, multi: true, includeAll: true, regex: "/(.*)-x/", sort: 3, current: { value: "$__all" } },
      { name: "some", type: "query", query: "label_values(job)", multi: true, allValue: ".+", includeAll: true, current: { value: ["a", "b"] } },
      { name: "n", type: "custom", query: "a : 1, b : 2", current: { value: "1" } },
      { name: "i", type: "interval", query: "1m,5m", auto: true, current: { value: "$__auto_interval_i" } },
      { name: "q", type: "query", query: "metrics(go_.*)" }, { name: "r", type: "query", query: "query_result(up)", regex: "/instance=\"(.*)\"/" }, { name: "l", type: "query", query: "label_names()" },
      { name: "s", type: "query", query: 'up{job="x"}' }, { name: "t", type: "textbox", query: "x" }, { name: "c", type: "constant", query: "y" }, { name: "f", type: "adhoc", filters: [{ key: "env", operator: "!=", value: 'a"b' }] },
      { name: "bad", type: "query", query: "SELECT 1", includeAll: true }, { name: "z", type: "magic" },
    ]);
    expect(made.dashboard.variables).toEqual([
      { name: "DS", kind: "constant", query: "Tidemark" }, { name: "job", kind: "query", query: "label_values(up, job)", default: "$__all", all: true, multi: true, regex: "/(.*)-x/", sort: "number" },
      { name: "some", kind: "query", query: "label_values(job)", default: ["a", "b"], all: ".+", multi: true }, { name: "n", kind: "custom", query: "a : 1, b : 2", default: "1" }, { name: "i", kind: "custom", query: "1m,5m", default: "auto", auto: {} },
      { name: "q", kind: "query", query: "metrics(go_.*)" }, { name: "r", kind: "query", query: "query_result(up)", regex: '/instance="(.*)"/' }, { name: "l", kind: "query", query: "label_names()" },
      { name: "s", kind: "query", query: 'query_result(up{job="x"})' }, { name: "t", kind: "text", query: "", default: "x" }, { name: "c", kind: "constant", query: "y" }, { name: "f", kind: "filters", query: 'env!="a\\"b"' },
      { name: "bad", kind: "text", query: "", default: ".*" },
    ]);
    expect(made.remarks).toEqual([
      "$bad: its query is none of label_values, label_names, metrics and query_result, so its value is written by hand", '$z: variables of type "magic" are not known',
    ]);
    expect(made.dashboard.refresh).toBe("0s");
  });
});

describe("fields", () => {
  it("units", () => {
    expect(["Bps", "dtdurations", "suffix:apples", "reqps", undefined].map(unitOf)).toEqual(["binBps", "s", "apples", "reqps", "short"]);
  });
  it("thresholds begin below everything, whatever the first says", () => {
    expect(thresholdsOf([{ color: "green", value: 5 }, { color: "dark-red", value: "80" }])).toEqual([{ from: null, color: "good" }, { from: 80, color: "bad" }]);
    expect(oldThresholdsOf("70,90", undefined)).toEqual([{ from: null, color: "good" }, { from: 70, color: "warn" }, { from: 90, color: "bad" }]);
    expect(oldThresholdsOf("", undefined)).toBeUndefined();
  });
  it("mappings of all forms; what is lost is counted", () => {
    expect(mappingsOf([
      { type: "value", options: { 0: { text: "down", color: "red", index: 1 }, x: { text: "y", index: 0 } } }, { type: 1, value: "1", text: "up" }, { type: 2, from: "5", to: "9", text: "some" }, { type: 1, value: "null", text: "N/A" },
      { type: "special", options: { match: "null+nan", result: { text: "none" } } }, { type: "regex", options: { pattern: "/a/", result: { text: "A" } } }, { type: "range", options: { from: null, to: 3, result: { text: "few", color: "green" } } }, { type: "odd" },
    ])).toEqual({
      mappings: [{ value: "x", text: "y" }, { value: 0, text: "down", color: "bad" }, { value: 1, text: "up" }, { from: 5, to: 9, text: "some" }, { special: "null", text: "N/A" }, { special: "null+nan", text: "none" },
        { pattern: "/a/", text: "A" }, { from: null, to: 3, text: "few", color: "good" }],
      lost: 1,
    });
  });
  it("thresholds in percent stand at numbers", () => {
    const steps = [{ color: "green", value: null }, { color: "red", value: 80 }];
    const at = (type: string, min?: number, max?: number) => one({ type, targets: query, fieldConfig: { defaults: { ...(min !== undefined ? { min } : {}), ...(max !== undefined ? { max } : {}), thresholds: { mode: "percentage", steps } } } });
    expect(at("gauge", 100, 200).panel?.thresholds?.[1]).toEqual({ from: 180, color: "bad" });
    expect(at("gauge").panel?.thresholds?.[1]).toEqual({ from: 80, color: "bad" });
    expect(at("stat").report?.because).toEqual(["thresholds in percent are of 0 to 100, since it names no limits"]);
  });
  it("colours and texts", () => {
    expect(["semi-dark-green", "#F2495C", "super-light-yellow", "transparent"].map(colorOf)).toEqual(["good", "bad", "warn", "dim"]);
    expect(["#73BF69", "#299c46", "rgba(237, 129, 40, 0.89)", "#EAB839", "rgb(245,54,54)", "#d44a3a", "#5794F2", "#B877D9", "#fff", "#f00", "rgba(50, 50, 50, 1)", "#F2495C80"].map(colorOf))
      .toEqual(["good", "good", "warn", "warn", "bad", "bad", "info", "info", "dim", "bad", "dim", "bad"]);
    expect(plainText("# T\n* a\n![x](y)", false)).toBe("**T**\n- a");
    expect(plainText("## Of **$host**, all", false)).toBe("**Of $host, all**");
  });
});
