// exportGrafana: a dashboard of ours as one of Grafana's (classic form, schema version 39), for those who keep Grafana. Each database is a source of its own
// there, whose base address is /db/NAME. What Grafana cannot draw is a text panel that says where it is drawn.
// https://grafana.com/docs/grafana/latest/visualizations/dashboards/build-dashboards/view-dashboard-json-model/
import { STATE_HEX } from "./fields";
import type { Annotation, Dashboard, FieldLook, Link, Mapping, Override, Panel, Query, Row, SeriesColor, Threshold, Variable } from "../schema";
import { ALL, customChoices } from "../variables";

type Json = Record<string, unknown>;

export interface ExportOptions {
  // The uid of the source for a database.
  source: (database: string) => string;
  // The database of what names none.
  home: string;
}

export interface Exported {
  dashboard: Json;
  // Titles of what Grafana does not draw.
  left: string[];
}

const MIXED = { type: "datasource", uid: "-- Mixed --" };
const TYPES: Record<string, string> = {
  stat: "stat", bars: "bargauge", gauge: "gauge", timeseries: "timeseries", pie: "piechart", histogram: "histogram", table: "table", heatmap: "heatmap", states: "state-timeline", text: "text", alerts: "alertlist", dashboards: "dashlist",
};
// Names that mean something else there.
const UNITS: Record<string, string> = { binBps: "Bps", Bps: "decBps", cps: "suffix: cmd/s", cores: "suffix: cores", change: "percentunit", changepercent: "percent", grouped: "locale", x: "suffix:x", bps: "bps" };

const source = (options: ExportOptions, database: string) => ({ type: "prometheus", uid: options.source(database) });
const unitOf = (unit: string | undefined): Json => (unit === undefined ? {} : { unit: UNITS[unit] ?? unit });
const colorOf = (color: SeriesColor): string => STATE_HEX[color] ?? color;

const thresholdsOf = (list: Threshold[] | undefined): Json => (list === undefined ? {} : { thresholds: { mode: "absolute", steps: (list[0]?.from === null ? list : [{ from: null, color: "info" } as Threshold, ...list]).map(({ from, color }) => ({ value: from, color: colorOf(color) })) } });

function mappingOf(mapping: Mapping, index: number): Json {
  const result = { text: mapping.text, index, ...(mapping.color ? { color: colorOf(mapping.color) } : {}) };
  if (mapping.value !== undefined) return { type: "value", options: { [String(mapping.value)]: result } };
  if (mapping.pattern !== undefined) return { type: "regex", options: { pattern: mapping.pattern, result } };
  if (mapping.special !== undefined) return { type: "special", options: { match: mapping.special, result } };
  return { type: "range", options: { from: mapping.from ?? null, to: mapping.to ?? null, result } };
}

const mappingsOf = (list: Mapping[] | undefined): Json => (list === undefined ? {} : { mappings: list.map(mappingOf) });

function linkOf(link: Link): Json {
  return { title: link.title, url: link.page !== undefined ? `/dashboard?page=${link.page}` : (link.href ?? ""), targetBlank: false };
}

// A property of Grafana's overrides for each key of a look.
const PROPERTIES: { [K in keyof FieldLook]-?: (value: NonNullable<FieldLook[K]>) => [string, unknown][] } = {
  color: (color) => [["color", color === "thresholds" ? { mode: "thresholds" } : { mode: "fixed", fixedColor: colorOf(color) }]],
  unit: (unit) => [["unit", unitOf(unit).unit]],
  title: (title) => [["displayName", title]],
  decimals: (decimals) => [["decimals", decimals]],
  min: (min) => [["min", min]],
  max: (max) => [["max", max]],
  thresholds: (list) => [["thresholds", thresholdsOf(list).thresholds]],
  mappings: (list) => [["mappings", mappingsOf(list).mappings]],
  links: (list) => [["links", list.map(linkOf)]],
  draw: (draw) => [["custom.drawStyle", draw === "lines" ? "line" : draw]],
  fill: (fill) => [["custom.fillOpacity", fill]],
  lineWidth: (width) => [["custom.lineWidth", width]],
  dash: (dash) => [["custom.lineStyle", { fill: "dash", dash }]],
  stack: (group) => [["custom.stacking", group === "" ? { mode: "none" } : { mode: "normal", group }]],
  between: (name) => [["custom.fillBelowTo", name]],
  negative: (negative) => (negative ? [["custom.transform", "negative-Y"]] : []),
  axis: (axis) => [["custom.axisPlacement", axis]],
  hideFrom: (list) => [["custom.hideFrom", { viz: list.includes("chart"), legend: list.includes("legend"), tooltip: list.includes("tooltip") }]],
  align: (align) => [["custom.align", align]],
  width: (width) => [["custom.width", width]],
  hidden: (hidden) => [["custom.hidden", hidden]],
  cell: (cell) => [["custom.cellOptions", { type: { text: "auto", color: "color-text", background: "color-background", gauge: "gauge" }[cell] }]],
};

function propertiesOf(look: FieldLook): Json[] {
  return Object.entries(look).flatMap(([key, value]) => (PROPERTIES[key as keyof FieldLook] as ((one: unknown) => [string, unknown][]) | undefined)?.(value) ?? []).map(([id, value]) => ({ id, value }));
}

function overrideOf({ match, set }: Override): Json {
  const matcher = (): Json => {
    switch (match.by) {
      case "all": return { id: "byRegexp", options: ".*" };
      case "name": return { id: "byName", options: match.is };
      case "names": return { id: "byNames", options: { mode: "include", names: match.is } };
      case "pattern": return { id: "byRegexp", options: match.is };
      case "query": return { id: "byFrameRefID", options: match.is };
      case "type": return { id: "byType", options: match.is === "text" ? "string" : match.is };
      case "value": return { id: "byValue", options: match.is };
    }
  };
  return { matcher: matcher(), properties: propertiesOf(set) };
}

// What a query alone says of numbers.
function queryOverride(query: Query): Json[] {
  const look: FieldLook = {
    ...(query.unit !== undefined ? { unit: query.unit } : {}), ...(query.decimals !== undefined ? { decimals: query.decimals } : {}), ...(query.max !== undefined ? { max: query.max } : {}), ...(query.thresholds ? { thresholds: query.thresholds } : {}), ...(query.mappings ? { mappings: query.mappings } : {}),
  };
  return Object.keys(look).length > 0 ? [{ matcher: { id: "byFrameRefID", options: query.id }, properties: propertiesOf(look) }] : [];
}

const asked = (panel: Panel): Query[] => (panel.queries ?? []).filter((query) => ["instant", "range"].includes(query.mode ?? "instant"));

function targetOf(query: Query, panel: Panel, options: ExportOptions): Json {
  const table = query.format === "table" || panel.type === "table";
  const range = query.mode === "range";
  return {
    refId: query.id, expr: query.expr, datasource: source(options, query.db ?? options.home), editorMode: "code", legendFormat: query.legend ?? "__auto", instant: !range, range,
    ...(query.interval || query.step ? { interval: query.step ?? query.interval } : {}), format: table && !range ? "table" : panel.options?.buckets === true ? "heatmap" : "time_series",
  };
}

function chartCustom(options: Json): Json {
  const stack = options.stack === "percent" ? "percent" : options.stack === true ? "normal" : "none";
  return {
    drawStyle: options.draw === "bars" ? "bars" : options.draw === "points" ? "points" : "line", fillOpacity: typeof options.fill === "number" ? options.fill : options.fill === true ? 15 : stack === "none" ? 0 : 80,
    lineInterpolation: options.line ?? "linear", lineWidth: options.lineWidth ?? 1, spanNulls: options.joinGaps === true, stacking: { mode: stack, group: "A" }, showPoints: "auto",
    scaleDistribution: typeof options.log === "number" ? { type: "log", log: options.log } : { type: "linear" }, thresholdsStyle: { mode: options.marks === false ? "off" : "line" },
  };
}

function viewOptions(panel: Panel): Json {
  const own = panel.options ?? {};
  const reduceOptions = { calcs: [typeof own.calc === "string" ? own.calc : "lastNotNull"], fields: "", values: false };
  switch (panel.type) {
    case "stat": return { reduceOptions, colorMode: own.ground === true ? "background" : "value", graphMode: own.spark === true ? "area" : "none", textMode: own.show === "both" ? "value_and_name" : own.show === "several" ? "auto" : (own.show ?? "auto"), orientation: "auto", justifyMode: "auto" };
    case "gauge": return { reduceOptions, showThresholdMarkers: true, showThresholdLabels: false };
    case "bars": return { reduceOptions, displayMode: "basic", orientation: "horizontal", showUnfilled: true };
    case "pie": return { reduceOptions, pieType: own.whole === true ? "pie" : "donut", legend: { showLegend: own.legend !== "none", displayMode: "list", placement: "bottom" } };
    case "timeseries": return { legend: { showLegend: own.legend !== "none", displayMode: own.legend === "table" ? "table" : "list", placement: own.legendAt === "right" ? "right" : "bottom", calcs: own.legend === "table" ? (own.columns ?? ["lastNotNull", "mean", "max"]) : [] }, tooltip: { mode: "multi", sort: "desc" } };
    case "heatmap": return { calculate: false, color: { mode: "scheme", scheme: "Oranges", steps: 64 }, yAxis: { unit: String(own.leUnit ?? "s") }, cellGap: 1 };
    case "states": return { mergeValues: true, showValue: "auto", legend: { showLegend: false } };
    case "text": return { mode: "markdown", content: String(own.text ?? "") };
    case "alerts": return { maxItems: own.most ?? 100, alertName: own.name ?? "", alertInstanceLabelFilter: own.labels ? `{${String(own.labels)}}` : "", stateFilter: { firing: true, pending: true, noData: false, normal: false, error: false }, viewMode: "list" };
    case "dashboards": return { maxItems: own.most ?? 100, query: own.query ?? "", showSearch: true, showStarred: false, showRecentlyViewed: false, showHeadings: false, tags: [] };
    default: return {};
  }
}

const ELSEWHERE = ["text", "alerts", "dashboards"];

// `at`: of Grafana's grid. Titles that are not drawn are put into `left`.
function panelOf(panel: Panel, id: number, at: Json, options: ExportOptions, left: string[]): Json {
  const type = TYPES[panel.type];
  const queries = asked(panel);
  const common = { id, gridPos: at, title: panel.title, ...(panel.description ? { description: panel.description } : {}), ...(panel.links ? { links: panel.links.map(linkOf) } : {}), transparent: false };
  if (type === undefined || (queries.length === 0 && !ELSEWHERE.includes(panel.type))) {
    left.push(panel.title);
    return { ...common, type: "text", options: { mode: "markdown", content: `Grafana does not draw this. It is on the page of the server itself, at \`/dashboard\`.` } };
  }
  const databases = [...new Set(queries.map((query) => query.db ?? options.home))];
  const custom = panel.type === "timeseries" ? { custom: chartCustom(panel.options ?? {}) } : {};
  const limits = { ...(panel.min !== undefined ? { min: panel.min } : {}), ...(panel.max !== undefined ? { max: panel.max } : {}), ...(panel.decimals !== undefined ? { decimals: panel.decimals } : {}) };
  return {
    ...common, type, ...(queries.length > 0 ? { datasource: databases.length === 1 ? source(options, databases[0] as string) : MIXED, targets: queries.map((query) => targetOf(query, panel, options)) } : {}),
    fieldConfig: {
      defaults: { ...unitOf(panel.unit), ...limits, ...thresholdsOf(panel.thresholds), ...mappingsOf(panel.mappings), color: { mode: panel.type === "timeseries" || panel.type === "pie" ? "palette-classic" : "thresholds" }, ...custom },
      overrides: [...queries.flatMap(queryOverride), ...(panel.overrides ?? []).map(overrideOf)],
    },
    options: viewOptions(panel),
    ...(panel.transformations ? { transformations: panel.transformations.map((step) => ({ id: step.id, options: step.options ?? {} })) } : panel.type === "table" && queries.length > 1 ? { transformations: [{ id: "merge", options: {} }] } : {}),
    ...(panel.repeat ? { repeat: panel.repeat.variable, repeatDirection: panel.repeat.down ? "v" : "h", ...(panel.repeat.most ? { maxPerRow: panel.repeat.most } : {}) } : {}),
    ...(panel.last ? { timeFrom: panel.last } : {}), ...(panel.earlier ? { timeShift: panel.earlier } : {}), ...(panel.rangeHidden ? { hideTimeOverride: true } : {}),
  };
}

const GRID = 24;
const DEFAULT_HEIGHT = 6;

// A row of Grafana's grid is 30 pixels and the gap 8, of ours 40.
const rowsOf = (height: number) => Math.max(2, Math.round((height * 40 + 46) / 38));

function panelsOf(rows: Row[], options: ExportOptions, left: string[]): Json[] {
  const out: Json[] = [];
  let y = 0;
  let id = 0;
  for (const row of rows) {
    const inside: Json[] = [];
    const head = row.title === undefined ? undefined : { id: ++id, type: "row", title: row.title, collapsed: row.collapsed === true, gridPos: { x: 0, y: y++, w: GRID, h: 1 }, panels: row.collapsed === true ? inside : [], ...(row.repeat ? { repeat: row.repeat } : {}) };
    if (head) out.push(head);
    let x = 0;
    let high = 0;
    for (const panel of row.panels) {
      const [w, h] = [(panel.width ?? 4) * 2, rowsOf(panel.height ?? DEFAULT_HEIGHT)];
      if (x + w > GRID) {
        x = 0;
        y += high;
        high = 0;
      }
      (head?.collapsed ? inside : out).push(panelOf(panel, ++id, { x, y, w, h }, options, left));
      x += w;
      high = Math.max(high, h);
    }
    y += high;
  }
  return out;
}

const SORTS = { name: 1, "-name": 2, number: 3, "-number": 4 };

function variableOf(variable: Variable, options: ExportOptions): Json {
  const value = variable.default;
  const current = value === undefined ? {} : { text: value === ALL ? "All" : value, value };
  const common = { name: variable.name, ...(variable.label ? { label: variable.label } : {}), hide: variable.hidden ? 2 : 0, skipUrlSync: false };
  const choice = { multi: variable.multi === true, includeAll: variable.all !== undefined, ...(typeof variable.all === "string" ? { allValue: variable.all } : {}), current };
  switch (variable.kind) {
    case "query": return { ...common, ...choice, type: "query", datasource: source(options, variable.db ?? options.home), definition: variable.query, query: { query: variable.query, refId: variable.name }, refresh: 2, regex: variable.regex ?? "", sort: variable.sort ? SORTS[variable.sort] : 0 };
    case "constant": return { ...common, type: "constant", query: variable.query, hide: 2, current: { text: variable.query, value: variable.query } };
    case "custom": return { ...common, ...choice, type: "custom", query: variable.query, options: customChoices(variable.query).map(({ text, value: one }) => ({ text, value: one, selected: false })) };
    case "text": return { ...common, type: "textbox", query: String(value ?? ""), current: { text: String(value ?? ""), value: String(value ?? "") } };
    case "filters": return { ...common, type: "adhoc", datasource: source(options, variable.db ?? options.home), filters: [] };
  }
}

// Those of queries; events are points that Grafana does not read.
function annotationOf(annotation: Annotation, options: ExportOptions): Json[] {
  if (annotation.kind !== "query") return [];
  return [{
    name: annotation.name, datasource: source(options, annotation.db ?? options.home), enable: annotation.off !== true, hide: annotation.hidden === true, iconColor: colorOf(annotation.color ?? "info"), expr: annotation.expr, step: annotation.step ?? "1m",
    titleFormat: annotation.title ?? "", textFormat: annotation.text ?? "", tagKeys: (annotation.tags ?? []).join(","), useValueForTime: annotation.timeOfValue === true,
  }];
}

// Text constants that name others are put in, as Grafana does not do it.
function withConstants(text: string, constants: ReadonlyMap<string, string>): string {
  let out = text;
  for (let depth = 0; depth < 8; depth++) {
    const next = out.replace(/\$(?:\{(\w+)\}|(\w+))/g, (whole, braced?: string, plain?: string) => constants.get((braced ?? plain) as string) ?? whole);
    if (next === out) break;
    out = next;
  }
  return out;
}

export function exportGrafana(dashboard: Dashboard, options: ExportOptions): Exported {
  const constants = new Map((dashboard.variables ?? []).filter((one) => one.kind === "constant").map((one) => [one.name, one.query] as const));
  const rows = dashboard.rows.map((row) => ({ ...row, panels: row.panels.map((panel) => ({ ...panel, ...(panel.queries ? { queries: panel.queries.map((query) => ({ ...query, expr: withConstants(query.expr, constants) })) } : {}) })) }));
  const left: string[] = [];
  const panels = panelsOf(rows, options, left);
  return {
    left,
    dashboard: {
      uid: `tidemark-${dashboard.id}`.slice(0, 40), title: dashboard.title, ...(dashboard.description ? { description: dashboard.description } : {}), tags: ["tidemark"], schemaVersion: 39, version: 1, editable: true, graphTooltip: 1,
      time: dashboard.range ?? { from: "now-15m", to: "now" }, refresh: dashboard.refresh === "0s" ? "" : (dashboard.refresh ?? "5s"), timezone: "browser",
      templating: { list: (dashboard.variables ?? []).filter((one) => one.kind !== "constant").map((one) => variableOf(one, options)) },
      annotations: { list: (dashboard.annotations ?? []).flatMap((one) => annotationOf(one, options)) },
      links: (dashboard.links ?? []).map((link) => ({ ...linkOf(link), type: "link", icon: "external link" })), panels,
    },
  };
}
