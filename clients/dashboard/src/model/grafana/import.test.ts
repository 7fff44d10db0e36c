import { describe, expect, it } from "vitest";
import { PANEL_TYPES } from "../../panels/registry";
import { faultsOf } from "../schema";
import { colorOf, mappingsOf, oldThresholdsOf, plainText, thresholdsOf, unitOf } from "./fields";
import { importGrafana, translateExpr } from "./import";
import type { GrafanaPanel } from "./types";

const types = PANEL_TYPES.map((row) => row.type);
const query = [{ refId: "A", expr: 'rate(x{job="$job"}[$__rate_interval])', legendFormat: "{{instance}}" }];

function one(panel: GrafanaPanel) {
  const made = importGrafana({ title: "T", panels: [panel] }, "t");
  expect(faultsOf(made.dashboard, types)).toEqual([]);
  return { panel: made.dashboard.rows[0]?.panels[0], report: made.panels[0] };
}

describe("the nine most frequent panel types", () => {
  it.each([
    ["timeseries", "timeseries", "drawn"], ["graph", "timeseries", "drawn"], ["stat", "stat", "drawn"], ["singlestat", "stat", "drawn"], ["table", "table", "drawn"],
    ["piechart", "bars", "differs"], ["gauge", "gauge", "drawn"], ["bargauge", "bars", "drawn"],
  ])("%s is drawn as %s", (type, ours, result) => {
    const { panel, report } = one({ type, title: "P", targets: query, gridPos: { x: 0, y: 0, w: 12, h: 8 } });
    expect(panel).toMatchObject({ type: ours, title: "P", width: 6 });
    expect(panel?.queries?.[0]).toMatchObject({ id: "A", mode: ours === "timeseries" ? "range" : "instant", legend: "{{instance}}" });
    expect(report).toMatchObject({ type, result });
  });

  it("text is text, also of HTML", () => {
    const { panel, report } = one({ type: "text", options: { mode: "html", content: "<h1>A</h1><p>b &lt; c<script>x</script></p>" } });
    expect(panel?.options).toEqual({ text: "A\nb < cx" });
    expect(report?.result).toBe("drawn");
  });

  it("others are named with the reason", () => {
    const made = importGrafana({ panels: [{ type: "nodeGraph", title: "N" }, { type: "stat", title: "S", targets: [{ refId: "A" }] }] }, "t");
    expect(made.dashboard.rows).toEqual([]);
    expect(made.panels).toEqual([
      { title: "N", type: "nodeGraph", result: "not drawn", because: ['panels of type "nodeGraph" are not drawn yet'] },
      { title: "S", type: "stat", result: "not drawn", because: ["none of its queries is PromQL"] },
    ]);
  });
});

describe("what differs is said", () => {
  it("by its reason", () => {
    const { report } = one({
      type: "timeseries", targets: query, repeat: "job", transformations: [{ id: "organize" }],
      fieldConfig: { defaults: { unit: "furlongs", thresholds: { mode: "percentage", steps: [] } }, overrides: [{}] },
    });
    expect(report?.result).toBe("differs");
    expect(report?.because).toEqual([
      'the unit "furlongs" is put behind the numbers as it is', "thresholds in percent are left out", "overrides of single series are left out",
      "transformations are left out", "it is not repeated for each value of $job",
    ]);
  });
});

describe("queries", () => {
  it("get names where they have none or one twice, and hidden ones are left out", () => {
    const { panel } = one({ type: "graph", targets: [{ refId: "A", expr: "a" }, { refId: "A", expr: "b" }, { expr: "c" }, { expr: "d", hide: true }] });
    expect(panel?.queries?.map((q) => [q.id, q.expr])).toEqual([["A", "a"], ["B", "b"], ["C", "c"]]);
  });
  it("of a number are reduced as the panel says", () => {
    const { panel } = one({ type: "stat", targets: [{ refId: "A", expr: "up" }], options: { reduceOptions: { calcs: ["mean"] } } });
    expect(panel?.queries?.[0]?.expr).toBe("avg_over_time((up)[$__range:])");
    const { panel: last } = one({ type: "stat", targets: [{ refId: "A", expr: "up" }], options: { reduceOptions: { calcs: ["lastNotNull"] } } });
    expect(last?.queries?.[0]?.expr).toBe("up");
  });
  it("name variables in our form", () => {
    expect(translateExpr('x{a=~"${v:pipe}",b="[[w]]"}[${__rate_interval}]')).toBe('x{a=~"${v}",b="${w}"}[$__rate_interval]');
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
  it("of each kind", () => {
    const made = importGrafana({
      dashboard: {
        title: "T", refresh: false,
        templating: { list: [
          { name: "DS", type: "datasource", query: "prometheus" },
          { name: "job", type: "query", query: { query: "label_values(up, job)" }, multi: true, current: { value: "$__all" } },
          { name: "n", type: "custom", query: "a : 1, b : 2", current: { value: "1" } },
          { name: "q", type: "query", query: "metrics(.*)" },
        ] },
      },
    }, "t");
    expect(made.dashboard.refresh).toBe("0s");
    expect(made.dashboard.variables).toEqual([
      { name: "job", kind: "query", query: "label_values(up, job)" }, { name: "n", kind: "custom", query: "1,2", default: "1" }, { name: "q", kind: "text", query: "" },
    ]);
    expect(made.remarks).toEqual(["$job: one value is chosen at a time", "$q: its query is not label_values(...), so its value is written by hand"]);
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
  it("mappings of both forms; what is lost is counted", () => {
    expect(mappingsOf([{ type: "value", options: { 0: { text: "down", color: "red" }, x: { text: "y" } } }, { type: 1, value: "1", text: "up" }, { type: "special" }]))
      .toEqual({ mappings: [{ value: 0, text: "down", color: "bad" }, { value: 1, text: "up" }], lost: 2 });
  });
  it("colours and texts", () => {
    expect(["semi-dark-green", "#F2495C", "super-light-yellow", "transparent"].map(colorOf)).toEqual(["good", "bad", "warn", "dim"]);
    expect(["#73BF69", "#299c46", "rgba(237, 129, 40, 0.89)", "#EAB839", "rgb(245,54,54)", "#d44a3a", "#5794F2", "#B877D9", "#fff", "#f00", "rgba(50, 50, 50, 1)", "#F2495C80"].map(colorOf))
      .toEqual(["good", "good", "warn", "warn", "bad", "bad", "info", "info", "dim", "bad", "dim", "bad"]);
    expect(plainText("# T\n* a\n![x](y)", false)).toBe("**T**\n- a");
  });
});
