// Forms of Grafana's files beside panels and queries: annotations, links, inputs, resources, ranges of single panels, options of version 6.
import { describe, expect, it } from "vitest";
import { PANEL_TYPES } from "../../panels/registry";
import { faultsOf } from "../schema";
import { importGrafana } from "./import";
import type { GrafanaAnnotation, GrafanaDashboard, GrafanaPanel } from "./types";

const types = PANEL_TYPES.map((row) => row.type);
const targets = [{ refId: "A", expr: "up" }];

function read(file: object) {
  const made = importGrafana(file as GrafanaDashboard, "t");
  expect(faultsOf(made.dashboard, types)).toEqual([]);
  return { ...made, all: made.dashboard.rows.flatMap((row) => row.panels) };
}
const one = (panel: object) => { const made = read({ panels: [panel as GrafanaPanel] }); return { panel: made.all[0], report: made.panels[0] }; };

describe("annotations", () => {
  const annotations = (list: GrafanaAnnotation[], panels: object[] = []) => read({ annotations: { list }, panels });
  it("of a query, in the old form and the new", () => {
    const made = annotations([
      { name: "Restarts", datasource: "${DS}", enable: true, expr: 'changes(process_start_time_seconds{job="$job"}[1m]) > 0', iconColor: "rgba(255, 96, 96, 1)", step: "2m", titleFormat: "[[job]] began", textFormat: "{{instance}}", tagKeys: "job,instance" },
      { name: "Deploys", datasource: { type: "prometheus", uid: "x" }, enable: false, hide: true, target: { expr: "deploy_time * 1000", interval: "1h" }, useValueForTime: "on", filter: { exclude: true, ids: [7, 99] } },
    ], [{ type: "stat", id: 7, targets }]);
    expect(made.dashboard.annotations).toEqual([
      { name: "Restarts", kind: "query", expr: 'changes(process_start_time_seconds{job="$job"}[1m]) > 0', color: "#ff6060", step: "2m", title: "${job} began", text: "{{instance}}", tags: ["job", "instance"] },
      { name: "Deploys", kind: "query", expr: "deploy_time * 1000", off: true, hidden: true, step: "1h", timeOfValue: true, panels: ["p1"], except: true },
    ]);
    expect(made.remarks).toEqual([]);
  });
  it("of Grafana's own are those of this server's alerts, off at first; others are named", () => {
    const made = annotations([
      { name: "Annotations & Alerts", builtIn: 1, datasource: { type: "grafana", uid: "-- Grafana --" }, enable: true, hide: true, iconColor: "rgba(0, 211, 255, 1)" },
      { name: "Tagged", datasource: { type: "grafana", uid: "-- Grafana --" }, type: "tags" }, { name: "Logs", datasource: { type: "loki" }, expr: "{}" }, { name: "Empty", datasource: null },
    ]);
    expect(made.dashboard.annotations).toEqual([{ name: "Annotations & Alerts", kind: "events", db: "_server", expr: "_alerts_event", color: "#00d3ff", hidden: true, off: true }]);
    expect(made.remarks).toEqual([
      'annotations "Tagged": they are kept in Grafana\'s own database and are not in the file', 'annotations "Logs": their data are those of loki', 'annotations "Empty": their query is no PromQL',
    ]);
  });
  it("have names that differ", () => {
    expect(annotations([{ name: "A", expr: "a" }, { name: "A", expr: "b" }]).dashboard.annotations?.map((annotation) => annotation.name)).toEqual(["A", "A 2"]);
  });
});

describe("links", () => {
  it.each([
    [{ title: "T", url: "https://example.org/x" }, "https://example.org/x"], [{ url: "/d/abc/node-exporter?var-node=$node" }, "?page=d-node-exporter&var-node=$node"], [{ url: "d/abc/x", keepTime: true, includeVars: true }, "?page=d-x&${__url_time_range}&${__all_variables}"],
    [{ url: "/dashboard/db/old" }, "?page=d-old"], [{ dashboard: "Old One", type: "dashboard" }, "?page=d-old-one"], [{ url: "/d/abc" }, "?page=dashboards"], [{ url: "/dashboards" }, "?page=dashboards"], [{ url: "/dashboard?page=explore&q=up" }, "/dashboard?page=explore&q=up"], [{ url: "/alerting/list" }, "?page=alerts"], [{ url: "https://g.example/d/abc/x" }, "https://g.example/d/abc/x"],
  ])("%j", (link, href) => {
    expect(one({ type: "stat", targets, links: [link] }).panel?.links?.[0]?.href).toBe(href);
    expect(read({ links: [link] }).dashboard.links?.[0]?.href).toBe(href);
  });
  it("to dashboards with tags lead to all", () => {
    const made = read({ links: [{ type: "dashboards", title: "Others", tags: ["node"], asDropdown: true }, { type: "dashboards", tags: [] }] });
    expect(made.dashboard.links).toEqual([{ title: "Others", page: "dashboards" }, { title: "Dashboards", page: "dashboards" }]);
    expect(made.remarks).toEqual(['the link "Others" leads to all dashboards, since none has tags here']);
  });
});

describe("lists", () => {
  it("of alerts, in both forms", () => {
    expect(one({ type: "alertlist", options: { maxItems: 5, alertName: "Disk", alertInstanceLabelFilter: '{severity="page"}', stateFilter: { firing: true, pending: false } } })).toMatchObject({ panel: { type: "alerts", options: { plain: true, name: "Disk", labels: 'severity="page"', states: ["firing"], most: 5 } }, report: { result: "drawn" } });
    expect(one({ type: "alertlist", show: "changes", limit: 10, stateFilter: ["alerting", "ok"] })).toMatchObject({ panel: { options: { states: ["firing"], most: 10 } }, report: { because: ["it lists alerts that are active, and none that are ok", "it lists the alerts that are active and not their changes"] } });
  });
  it("of dashboards, in both forms", () => {
    expect(one({ type: "dashlist", options: { showSearch: true, query: "node", maxItems: 10, tags: [] } })).toMatchObject({ panel: { type: "dashboards", options: { query: "node", most: 10 } }, report: { result: "drawn" } });
    expect(one({ type: "dashlist", starred: true, tags: ["a"] }).report).toMatchObject({ result: "differs", because: ["dashboards have no tags here, so it is not for a alone", "nobody stars dashboards here, so it lists all"] });
  });
  it("of annotations are the history of alerts", () => expect(one({ type: "annolist" }).panel).toMatchObject({ type: "events", queries: [{ mode: "events", db: "_server", expr: "_alerts_event" }] }));
});

it("inputs: constants are put in, sources are known by their plugin", () => {
  const made = read({
    __inputs: [{ name: "VAR_PREFIX", type: "constant", value: "app" }, { name: "DS_LOKI", type: "datasource", pluginId: "loki" }, { name: "DS_PROM", type: "datasource", pluginId: "prometheus" }],
    templating: { list: [{ name: "prefix", type: "constant", query: "${VAR_PREFIX}" }, { name: "es", type: "datasource", query: "elasticsearch" }] },
    panels: [
      { type: "graph", title: "A", datasource: "${DS_PROM}", targets: [{ expr: "${VAR_PREFIX}_up" }] }, { type: "graph", title: "B", datasource: "${DS_LOKI}", targets: [{ expr: "{}" }] }, { type: "graph", title: "C", datasource: "$es", targets: [{ expr: "x" }] },
      { type: "graph", title: "D", datasource: "Loki", targets: [{ expr: "{}" }] },
    ],
  });
  expect(made.all.map((panel) => panel.queries?.[0]?.expr)).toEqual(["app_up"]);
  expect(made.dashboard.variables?.[0]).toMatchObject({ query: "app" });
  expect(made.panels.map((panel) => panel.because[0])).toEqual([undefined, "its data are those of loki", "its data are those of elasticsearch", "its data are those of loki"]);
});

describe("of a panel alone", () => {
  it.each([
    [{ timeFrom: "6h" }, { last: "6h" }], [{ timeFrom: "now-2d", timeShift: "1w" }, { last: "2d", earlier: "1w" }], [{ timeShift: "1h", hideTimeOverride: true }, { earlier: "1h", rangeHidden: true }],
  ])("its range: %j", (own, want) => expect(one({ type: "timeseries", targets, ...own })).toMatchObject({ panel: want, report: { result: "drawn" } }));
  it("ranges that are no duration are told", () => expect(one({ type: "timeseries", targets, timeFrom: "now/d" }).report?.because).toEqual(["it shows the range of the page and not its own (now/d)"]));
  it.each([
    [{ type: "graph", xaxis: { mode: "series", values: ["total"] } }, { type: "bars", options: { calc: "sum" } }], [{ type: "graph", xaxis: { mode: "histogram" } }, { type: "histogram" }], [{ type: "graph", nullPointMode: "null as zero" }, { options: { zeroGaps: true } }],
    [{ type: "singlestat", valueName: "avg", decimals: 1, prefix: "≈", format: "bytes" }, { type: "stat", unit: "bytes", decimals: 1, options: { calc: "mean", before: "≈" } }], [{ type: "singlestat", valueName: "name" }, { options: { show: "name" } }],
    [{ type: "natel-discrete-panel" }, { type: "states" }], [{ type: "timeseries", fieldConfig: { defaults: { displayName: "${__field.labels.instance}" } } }, { overrides: [{ set: { title: "${__field.labels.instance}" } }] }],
    [{ type: "gauge", options: { fieldOptions: { calcs: ["mean"], defaults: { unit: "percent", min: 0, max: 100 }, thresholds: [{ index: 1, color: "red", value: 80 }, { index: 0, color: "green", value: null }], mappings: [] } } },
      { type: "gauge", unit: "percent", min: 0, max: 100, thresholds: [{ from: null, color: "good" }, { from: 80, color: "bad" }], options: { calc: "mean" } }],
    [{ type: "gauge", options: { minValue: 0, maxValue: 10, thresholds: [{ index: 0, color: "green", value: null }], valueOptions: { unit: "s", stat: "current", suffix: "!" } } }, { unit: "s", max: 10, thresholds: [{ from: null, color: "good" }] }],
  ])("%j", (own, want) => expect(one({ targets, ...own }).panel).toMatchObject(want));
});

const PANEL = (title: string, kind: object) => ({ kind: "Panel", spec: { id: 3, title, description: "", links: [], data: { kind: "QueryGroup", spec: { queries: [kind], transformations: [{ kind: "organize", spec: { id: "organize", options: {} } }], queryOptions: { timeFrom: "2h", interval: "30s" } } }, vizConfig: { kind: "VizConfig", group: "timeseries", version: "", spec: { options: { legend: { displayMode: "table" } }, fieldConfig: { defaults: { unit: "bytes" }, overrides: [] } } } } });
const QUERY = { kind: "PanelQuery", spec: { refId: "B", hidden: false, query: { kind: "DataQuery", group: "prometheus", version: "v0", datasource: { name: "x" }, spec: { expr: 'up{job=~"$job"}', legendFormat: "{{job}}" } } } };
const OLD_QUERY = { kind: "PanelQuery", spec: { refId: "A", hidden: false, datasource: { type: "prometheus", uid: "x" }, query: { kind: "prometheus", spec: { expr: "up" } } } };
const item = (name: string, at: object = {}) => ({ kind: "GridLayoutItem", spec: { x: 0, y: 0, width: 12, height: 8, element: { kind: "ElementReference", name }, ...at } });

describe("resources", () => {
  it("of version 1 are the plain form in a spec", () => {
    const made = read({ apiVersion: "dashboard.grafana.app/v1beta1", kind: "Dashboard", metadata: { name: "x" }, spec: { title: "One", panels: [{ type: "stat", title: "S", targets }] } });
    expect([made.dashboard.title, made.all.map((panel) => panel.title)]).toEqual(["One", ["S"]]);
  });
  const two = {
    title: "Two", tags: [], timeSettings: { from: "now-3h", to: "now", autoRefresh: "30s", timezone: "browser" }, links: [{ title: "L", type: "link", url: "https://example.org" }],
    variables: [{ kind: "QueryVariable", spec: { name: "job", label: "Job", hide: "dontHide", multi: true, includeAll: true, sort: "alphabeticalDesc", current: { value: "$__all" }, regex: "", query: { kind: "DataQuery", group: "prometheus", spec: { query: "label_values(up, job)" } } } },
      { kind: "TextVariable", spec: { name: "text", hide: "hideVariable", query: "x", current: { value: "x" } } }, { kind: "SwitchVariable", spec: { name: "on" } }],
    annotations: [{ kind: "AnnotationQuery", spec: { name: "Alerts", enable: true, hide: false, iconColor: "red", query: { kind: "DataQuery", group: "prometheus", spec: { expr: "ALERTS" } }, legacyOptions: { titleFormat: "{{alertname}}" } } }],
    elements: { "panel-1": PANEL("First", QUERY), "panel-2": PANEL("Second", OLD_QUERY), "panel-3": { kind: "LibraryPanel", spec: { id: 9, title: "Lib", libraryPanel: { uid: "u", name: "Lib" } } } },
  };
  it("of version 2 name elements and lay them out", () => {
    const made = read({
      apiVersion: "dashboard.grafana.app/v2beta1", kind: "Dashboard", metadata: {}, spec: {
        ...two, layout: { kind: "RowsLayout", spec: { rows: [
          { kind: "RowsLayoutRow", spec: { title: "", hideHeader: true, layout: { kind: "GridLayout", spec: { items: [item("panel-2", { x: 12, width: 6 })] } } } },
          { kind: "RowsLayoutRow", spec: { title: "R", collapse: true, repeat: { mode: "variable", value: "job" }, layout: { kind: "AutoGridLayout", spec: { maxColumnCount: 2, items: [{ kind: "AutoGridLayoutItem", spec: { element: { kind: "ElementReference", name: "panel-1" }, repeat: { mode: "variable", value: "job" } } }, { kind: "AutoGridLayoutItem", spec: { element: { name: "panel-3" } } }] } } } },
        ] } },
      },
    });
    expect(made.dashboard).toMatchObject({ title: "Two", range: { from: "now-3h", to: "now" }, refresh: "30s", links: [{ title: "L" }], annotations: [{ name: "Alerts", expr: "ALERTS", title: "{{alertname}}", color: "#f2495c" }] });
    expect(made.dashboard.rows.map((row) => [row.title, row.collapsed, row.repeat, row.panels.map((panel) => [panel.title, panel.width])])).toEqual([[undefined, undefined, undefined, [["Second", 3]]], ["R", true, "job", [["First", 6]]]]);
    expect(made.all[1]).toMatchObject({ unit: "bytes", last: "2h", repeat: { variable: "job" }, options: { legend: "table" }, queries: [{ id: "B", expr: 'up{job=~"$job"}', legend: "{{job}}", interval: "30s" }], transformations: [{ id: "organize" }] });
    expect(made.dashboard.variables).toEqual([{ name: "job", label: "Job", kind: "query", query: "label_values(up, job)", default: "$__all", all: true, multi: true, sort: "-name" }, { name: "text", hidden: true, kind: "text", query: "", default: "x" }]);
    expect(made.remarks).toEqual(['$on: variables of type "switch" are not known']);
    expect(made.panels.map((panel) => panel.result)).toEqual(["drawn", "drawn", "not drawn"]);
  });
  it("of version 2 without its wrapping, in tabs and in a grid with rows", () => {
    const tabs = read({ ...two, layout: { kind: "TabsLayout", spec: { tabs: [{ kind: "TabsLayoutTab", spec: { title: "T", layout: { kind: "GridLayout", spec: { items: [item("panel-1")] } } } }] } } });
    expect(tabs.dashboard.rows.map((row) => [row.title, row.panels.length])).toEqual([["T", 1]]);
    const grid = read({ ...two, layout: { kind: "GridLayout", spec: { items: [item("panel-1"), { kind: "GridLayoutRow", spec: { y: 8, title: "G", collapsed: true, elements: [item("panel-2")] } }] } } });
    expect(grid.dashboard.rows.map((row) => [row.title, row.collapsed, row.panels.map((panel) => panel.title)])).toEqual([[undefined, undefined, ["First"]], ["G", true, ["Second"]]]);
  });
});
