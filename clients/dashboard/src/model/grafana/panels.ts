// Panels of Grafana as ours: types, looks, options.
import type { FieldLook, Mapping, Override, Panel, Threshold, Transformation } from "../schema";
import { lackOf } from "../tables/transform";
import { reducerNamed } from "../tables/reducers";
import { colorOf, hexOf, isKnownUnit, mappingsOf, numberOf, oldThresholdsOf, percentThresholds, plainText, thresholdsOf, unitOf } from "./fields";
import { ALERT_HISTORY } from "./annotations";
import { linksOf } from "./links";
import { withNewOptions } from "./old_options";
import { lookOfCustom, overridesOf, seriesOverridesOf, stylesOf } from "./overrides";
import { foreignSource, queriesOf, translateExpr } from "./queries";
import type { GrafanaPanel } from "./types";

export interface PanelReport {
  title: string;
  type: string;
  result: "drawn" | "differs" | "not drawn";
  // What differs, or why it is not drawn; empty when it is drawn as it is.
  because: string[];
}

interface Type {
  ours: string;
  // Numbers of one moment, or of what a range is reduced to.
  moment?: boolean;
  differs?: string;
}

// Old panel types are newer ones with other names for the same things.
const TYPES: Record<string, Type> = {
  timeseries: { ours: "timeseries" }, graph: { ours: "timeseries" }, trend: { ours: "timeseries" },
  stat: { ours: "stat", moment: true }, singlestat: { ours: "stat", moment: true }, "grafana-singlestat-panel": { ours: "stat", moment: true },
  table: { ours: "table", moment: true }, "table-old": { ours: "table", moment: true },
  piechart: { ours: "pie", moment: true }, "grafana-piechart-panel": { ours: "pie", moment: true },
  gauge: { ours: "gauge", moment: true }, bargauge: { ours: "bars", moment: true }, barchart: { ours: "bars", moment: true, differs: "its bars lie" },
  heatmap: { ours: "heatmap" }, "state-timeline": { ours: "states" }, "status-history": { ours: "states", differs: "equal neighbours are one piece" }, histogram: { ours: "histogram" },
  text: { ours: "text" }, alertlist: { ours: "alerts" }, dashlist: { ours: "dashboards" }, annolist: { ours: "events" },
  candlestick: { ours: "timeseries", differs: "its candles are lines" },
  // What people install beside Grafana's own.
  "grafana-polystat-panel": { ours: "stat", moment: true, differs: "its shapes are numbers" }, "vonage-status-panel": { ours: "stat", moment: true }, "natel-discrete-panel": { ours: "states" },
  "flant-statusmap-panel": { ours: "states", differs: "equal neighbours are one piece" }, "briangann-gauge-panel": { ours: "gauge", moment: true }, "michaeldmoore-multistat-panel": { ours: "bars", moment: true },
};
// Those that ask for no numbers.
const ASKS_NOTHING = ["text", "alerts", "dashboards", "events"];
// Why others are not drawn, where more can be said than that they are not known.
const REASONS: Record<string, string> = {
  logs: "logs are not kept here", "logs-new": "logs are not kept here", traces: "traces are not kept here", flamegraph: "profiles are not kept here", nodeGraph: "graphs of nodes are not drawn",
  geomap: "a map would be asked of another server", "grafana-worldmap-panel": "a map would be asked of another server", worldmap: "a map would be asked of another server", news: "news would be asked of another server",
  canvas: "free drawings are not drawn", xychart: "numbers over numbers are not drawn", pluginlist: "it shows Grafana's own plugins", welcome: "it welcomes to Grafana", gettingstarted: "it welcomes to Grafana", debug: "it shows Grafana's own state",
};
const CUSTOM_OF_TABLES = ["align", "width", "displayMode", "cellOptions", "hidden"];
const CUSTOM_OF_CHARTS = ["lineStyle", "transform", "fillBelowTo", "axisPlacement", "hideFrom"];

type Words = Record<string, unknown>;
const record = (value: unknown): Words => (typeof value === "object" && value !== null ? (value as Words) : {});
const option = (panel: GrafanaPanel, name: string): Words => record(panel.options?.[name]);

function typeOf(panel: GrafanaPanel): Type | undefined {
  const type = Object.hasOwn(TYPES, panel.type ?? "") ? TYPES[panel.type ?? ""] : undefined;
  if (type?.ours === "stat" && panel.gauge?.show === true) return { ...type, ours: "gauge" };
  if (panel.type === "graph" && panel.xaxis?.mode === "series") return { ours: "bars", moment: true, differs: "its bars lie" };
  if (panel.type === "graph" && panel.xaxis?.mode === "histogram") return { ours: "histogram" };
  return type;
}

interface Numbers {
  min: number | undefined;
  max: number | undefined;
}

function thresholdsFor(panel: GrafanaPanel, type: string, { min, max }: Numbers, differences: Set<string>): Threshold[] | undefined {
  const defaults = panel.fieldConfig?.defaults ?? {};
  if (typeof panel.thresholds === "string") return panel.colorValue === true || panel.colorBackground === true || panel.gauge?.show === true || panel.colorValue === undefined ? oldThresholdsOf(panel.thresholds, panel.colors) : undefined;
  if (Array.isArray(panel.thresholds)) {
    const marks = panel.thresholds.map(record).flatMap((mark): Threshold[] => { const from = numberOf(mark.value); return from === undefined ? [] : [{ from, color: mark.colorMode === "warning" ? "warn" : mark.colorMode === "ok" ? "good" : "bad" }]; });
    return marks.length > 0 ? marks : undefined;
  }
  const fixed = defaults.color?.mode === "fixed" ? hexOf(defaults.color.fixedColor) : undefined;
  if (type === "stat" && fixed !== undefined) return [{ from: null, color: colorOf(fixed) }];
  if (type === "stat" && panel.options?.colorMode === "none") return undefined;
  const style = record(defaults.custom?.thresholdsStyle).mode;
  if (type === "timeseries" && (style === undefined || style === "off") && defaults.color?.mode !== "thresholds") return undefined;
  const all = thresholdsOf(defaults.thresholds?.steps);
  if (!all || defaults.thresholds?.mode !== "percentage") return all;
  const share = unitOf(defaults.unit) === "percentunit" ? 1 : 100;
  if ((min === undefined || max === undefined) && type !== "gauge" && type !== "bars") differences.add(`thresholds in percent are of 0 to ${share}, since it names no limits`);
  return percentThresholds(all, min ?? 0, max ?? share);
}

function looks(panel: GrafanaPanel, type: string, differences: Set<string>): Partial<Panel> {
  const defaults = panel.fieldConfig?.defaults ?? {};
  const axis = panel.yaxes?.[0];
  const unit = unitOf(defaults.unit ?? axis?.format ?? panel.yAxis?.format ?? panel.format);
  if (!isKnownUnit(unit) && !/^suffix:/.test(defaults.unit ?? "")) differences.add(`the unit "${unit}" is put behind the numbers as it is`);
  const decimals = numberOf(defaults.decimals ?? panel.decimals);
  const min = numberOf(defaults.min ?? axis?.min ?? (panel.gauge?.show ? panel.gauge.minValue : undefined));
  const max = numberOf(defaults.max ?? axis?.max ?? (panel.gauge?.show ? panel.gauge.maxValue : undefined));
  const thresholds = thresholdsFor(panel, type, { min, max }, differences);
  const { mappings, lost } = mappingsOf([
    ...(defaults.mappings ?? []), ...(panel.valueMaps ?? []).map((map) => ({ ...map, type: 1 })), ...(panel.mappingType === 2 ? (panel.rangeMaps ?? []) : []).map((map) => ({ ...map, type: 2 })),
  ]);
  if (lost > 0) differences.add("value mappings that cannot be read are left out");
  const none = defaults.noValue ?? panel.nullText ?? undefined;
  const all: Mapping[] = [...mappings, ...(none ? [{ special: "null" as const, text: none }] : [])];
  return {
    ...(unit ? { unit } : {}), ...(decimals !== undefined ? { decimals } : {}), ...(min !== undefined ? { min } : {}), ...(max !== undefined ? { max } : {}),
    ...(thresholds ? { thresholds } : {}), ...(all.length > 0 ? { mappings: all } : {}),
  };
}

// What single fields differ in: the defaults that have no word of their own at the panel, then the overrides.
function overrides(panel: GrafanaPanel, type: string, differences: Set<string>): Override[] {
  const defaults = panel.fieldConfig?.defaults ?? {};
  let own: FieldLook = lookOfCustom(defaults.custom ?? {}, type === "table" ? CUSTOM_OF_TABLES : type === "timeseries" ? CUSTOM_OF_CHARTS : [], differences);
  const fixed = defaults.color?.mode === "fixed" ? hexOf(defaults.color.fixedColor) : defaults.color?.mode === "thresholds" && type === "timeseries" ? "thresholds" : undefined;
  if (fixed !== undefined && type !== "stat" && type !== "table") own = { ...own, color: fixed };
  if (defaults.color?.mode?.startsWith("continuous")) differences.add("a colour that goes from one to another is that of the thresholds");
  if (defaults.displayName) own = { ...own, title: defaults.displayName };
  if ((defaults.links ?? []).length > 0) own = { ...own, links: linksOf(defaults.links) };
  return [
    ...(Object.keys(own).length > 0 ? [{ match: { by: "all" as const }, set: own }] : []),
    ...overridesOf(panel.fieldConfig?.overrides, differences), ...seriesOverridesOf(panel, differences), ...stylesOf(panel.styles, differences),
  ];
}

// What old tables do by a word of their own.
const OLD_TRANSFORMS: Record<string, (panel: GrafanaPanel) => Transformation> = {
  table: () => ({ id: "merge" }),
  timeseries_to_columns: () => ({ id: "joinByField", options: { byField: "Time" } }),
  timeseries_to_rows: () => ({ id: "seriesToRows" }),
  timeseries_aggregations: (panel) => ({ id: "reduce", options: { reducers: (panel.columns ?? []).map((column) => column.value ?? "avg").map((name) => ({ avg: "mean", current: "lastNotNull", total: "sum" })[name] ?? name) } }),
};

function transformations(panel: GrafanaPanel, differences: Set<string>): Transformation[] {
  const old = panel.transform !== undefined && Object.hasOwn(OLD_TRANSFORMS, panel.transform) ? OLD_TRANSFORMS[panel.transform]?.(panel) : undefined;
  const all = (panel.transformations ?? []).filter((one) => one.disabled !== true && typeof one.id === "string").map(({ id, options }): Transformation => ({ id: id as string, ...(options ? { options } : {}) }));
  for (const step of all) {
    const lack = lackOf(step);
    if (lack !== undefined) differences.add(lack);
  }
  return [...(old ? [old] : []), ...all];
}

function calcOf(panel: GrafanaPanel, differences: Set<string>): { calc?: string } {
  const calcs = option(panel, "reduceOptions").calcs;
  const old = panel.valueName ?? (panel.xaxis?.mode === "series" ? panel.xaxis.values?.[0] : undefined);
  const name = (Array.isArray(calcs) ? String(calcs[0] ?? "") : undefined) ?? { avg: "mean", total: "sum" }[old ?? ""] ?? old;
  if (name === undefined || name === "" || ["lastNotNull", "last", "current", "name"].includes(name)) return {};
  if (reducerNamed(name) !== undefined) return { calc: name };
  differences.add(`its number is the last one and not "${name}"`);
  return {};
}

function chartOptions(panel: GrafanaPanel, differences: Set<string>): Words {
  const custom = panel.fieldConfig?.defaults?.custom ?? {};
  const stacking = record(custom.stacking).mode;
  const legend = option(panel, "legend");
  const old = panel.legend ?? {};
  const hidden = legend.showLegend === false || legend.displayMode === "hidden" || old.show === false;
  const calcs = Array.isArray(legend.calcs) ? legend.calcs.map(String) : ["current", "avg", "min", "max", "total"].filter((name) => old[name] === true).map((name) => ({ current: "last", avg: "mean", total: "sum" })[name] ?? name);
  const unknown = calcs.filter((name) => reducerNamed(name) === undefined);
  if (unknown.length > 0) differences.add(`the legend has no ${unknown.join(", ")}`);
  const bars = custom.drawStyle === "bars" || (panel.bars === true && panel.lines !== true);
  const points = custom.drawStyle === "points" || (panel.points === true && panel.lines === false && panel.bars !== true);
  const fill = numberOf(custom.fillOpacity) ?? (numberOf(panel.fill) === undefined ? undefined : (numberOf(panel.fill) as number) * 10);
  const log = record(custom.scaleDistribution);
  const base = log.type === "log" ? (numberOf(log.log) ?? 10) : (panel.yaxes?.[0]?.logBase ?? 1);
  if (base !== 1 && base !== 2 && base !== 10) differences.add("its logarithmic axis goes by powers of 10");
  if (log.type === "symlog") differences.add("its axis is not logarithmic");
  const shape = custom.lineInterpolation ?? (panel.steppedLine === true ? "stepAfter" : undefined);
  const join = custom.spanNulls === true || (typeof custom.spanNulls === "number" && custom.spanNulls > 0) || panel.nullPointMode === "connected";
  const width = numberOf(custom.lineWidth) ?? numberOf(panel.linewidth);
  const stack = stacking === "percent" || (panel.stack === true && panel.percentage === true) ? "percent" : panel.stack === true || stacking === "normal";
  const table = legend.displayMode === "table" || old.alignAsTable === true;
  return {
    ...(stack ? { stack } : {}), ...(fill !== undefined && fill > 0 ? { fill } : {}), ...(bars ? { draw: "bars" } : points ? { draw: "points" } : {}),
    ...(shape === "smooth" || shape === "stepBefore" || shape === "stepAfter" ? { line: shape } : {}), ...(join ? { joinGaps: true } : {}), ...(panel.nullPointMode === "null as zero" ? { zeroGaps: true } : {}),
    ...(width !== undefined && width !== 1 ? { lineWidth: width } : {}), ...(base !== 1 ? { log: base === 2 ? 2 : 10 } : {}),
    ...(hidden ? { legend: "none" } : table ? { legend: "table", ...(calcs.length > 0 ? { columns: calcs } : {}) } : {}),
    ...(!hidden && (legend.placement === "right" || old.rightSide === true) ? { legendAt: "right" } : {}),
    ...(record(custom.thresholdsStyle).mode === undefined && !Array.isArray(panel.thresholds) ? { marks: false } : {}),
  };
}

// Options by our type.
const OPTIONS: Record<string, (panel: GrafanaPanel, differences: Set<string>) => Words> = {
  timeseries: chartOptions,
  text: (panel) => {
    const content = translateExpr(String(panel.options?.content ?? panel.content ?? ""));
    return { text: plainText(content, panel.options?.mode === "html" || /<\/?[a-z][^>]*>/i.test(content)) };
  },
  stat: (panel, differences) => ({
    ...calcOf(panel, differences),
    ...(panel.options?.graphMode === "area" || panel.sparkline?.show === true ? { spark: true } : {}),
    ...(String(panel.options?.colorMode ?? "").startsWith("background") || panel.colorBackground === true ? { ground: true } : {}),
    ...(panel.options?.textMode === "value" ? { show: "value" } : panel.options?.textMode === "name" ? { show: "name" } : panel.options?.textMode === "value_and_name" ? { show: "both" } : panel.valueName === "name" ? { show: "name" } : /singlestat/.test(panel.type ?? "") ? { show: "value" } : panel.options?.textMode === "auto" ? { show: "several" } : {}),
    ...(panel.prefix ? { before: panel.prefix } : {}), ...(panel.postfix ? { behind: panel.postfix } : {}),
  }),
  alerts: alertOptions,
  dashboards: boardOptions,
  gauge: calcOf,
  bars: calcOf,
  pie: (panel, differences) => {
    const legend = option(panel, "legend");
    const shown = Array.isArray(legend.values) ? legend.values.map(String).filter((one) => one === "value" || one === "percent") : [];
    return {
      ...calcOf(panel, differences), ...(panel.options?.pieType === "pie" || (panel.options?.pieType === undefined && record(panel).pieType === "pie") ? { whole: true } : {}),
      ...(legend.showLegend === false || legend.displayMode === "hidden" ? { legend: "none" } : shown.length > 0 ? { columns: shown } : {}),
    };
  },
  table: () => ({ fields: true }),
  heatmap: (panel) => (panel.dataFormat === "tsbuckets" || panel.options?.calculate === false || (panel.targets ?? []).some((target) => target.format === "heatmap") ? { buckets: true, leUnit: unitOf(panel.yAxis?.format ?? (record(option(panel, "yAxis")).unit as string | undefined)) } : {}),
  histogram: (panel) => ({ ...(numberOf(panel.options?.bucketSize) ? { size: numberOf(panel.options?.bucketSize) } : {}), ...(numberOf(panel.options?.bucketOffset) ? { offset: numberOf(panel.options?.bucketOffset) } : {}) }),
};

const OLD_STATES: Record<string, string[]> = { alerting: ["firing"], firing: ["firing"], pending: ["pending"] };

// What a list of alerts shows: in words of its own before version 8, then in options.
function alertOptions(panel: GrafanaPanel, differences: Set<string>): Words {
  const own = { ...record(panel), ...record(panel.options) };
  const filter = Array.isArray(own.stateFilter) ? own.stateFilter.map(String) : Object.entries(record(own.stateFilter)).flatMap(([name, on]) => (on === true ? [name] : []));
  const states = [...new Set(filter.flatMap((name) => OLD_STATES[name] ?? []))];
  const rest = filter.filter((name) => !Object.hasOwn(OLD_STATES, name));
  if (rest.length > 0) differences.add(`it lists alerts that are active, and none that are ${rest.join(", ")}`);
  if (own.show === "changes") differences.add("it lists the alerts that are active and not their changes");
  const name = String(own.alertName ?? own.nameFilter ?? "");
  const labels = String(own.alertInstanceLabelFilter ?? "").replace(/^\{|\}$/g, "");
  const most = numberOf(own.maxItems ?? own.limit);
  return { plain: true, ...(name ? { name: translateExpr(name) } : {}), ...(labels ? { labels: translateExpr(labels) } : {}), ...(states.length > 0 ? { states } : {}), ...(most !== undefined && most > 0 ? { most } : {}) };
}

function boardOptions(panel: GrafanaPanel, differences: Set<string>): Words {
  const own = { ...record(panel), ...record(panel.options) };
  const tags = Array.isArray(own.tags) ? own.tags.map(String) : [];
  if (tags.length > 0) differences.add(`dashboards have no tags here, so it is not for ${tags.join(", ")} alone`);
  if ((own.showStarred ?? own.starred) === true && (own.showSearch ?? own.search) !== true) differences.add("nobody stars dashboards here, so it lists all");
  else if ((own.showRecentlyViewed ?? own.recent) === true && (own.showSearch ?? own.search) !== true) differences.add("it lists all dashboards and not those that were seen last");
  const query = String(own.query ?? "");
  const most = numberOf(own.maxItems ?? own.limit);
  return { ...(query ? { query: translateExpr(query) } : {}), ...(most !== undefined && most > 0 ? { most } : {}) };
}

// Its own range, where its words are durations.
function ownRange(panel: GrafanaPanel): Pick<Panel, "last" | "earlier" | "rangeHidden"> {
  const duration = (text: string | null | undefined) => { const own = (text ?? "").trim().replace(/^(now)?-/, ""); return /^\d+(ms|[smhdwy])$/.test(own) ? own : undefined; };
  const [last, earlier] = [duration(panel.timeFrom), duration(panel.timeShift)];
  return { ...(last ? { last } : {}), ...(earlier ? { earlier } : {}), ...((last || earlier) && panel.hideTimeOverride === true ? { rangeHidden: true } : {}) };
}

// What the whole panel says that nothing here does.
function wholeDifferences(panel: GrafanaPanel, type: Type, differences: Set<string>): void {
  if (type.differs !== undefined) differences.add(type.differs);
  if (panel.timeFrom && ownRange(panel).last === undefined) differences.add(`it shows the range of the page and not its own (${panel.timeFrom})`);
  if (panel.timeShift && ownRange(panel).earlier === undefined) differences.add(`it is not shifted by ${panel.timeShift}`);
  if (option(panel, "reduceOptions").values === true && type.ours !== "table") differences.add("each series is one number and not each of its values");
  if (type.ours === "heatmap" && panel.options?.calculate === true) differences.add("its cells are the series' own numbers");
}

export function importPanel(written: GrafanaPanel, id: string): { panel: Panel | undefined; report: PanelReport } {
  const panel = withNewOptions(written);
  const title = panel.title ?? "";
  const wanted = panel.type ?? "";
  const report = (result: PanelReport["result"], because: string[]): PanelReport => ({ title, type: wanted, result, because });
  if (panel.libraryPanel && panel.type === undefined) return { panel: undefined, report: { ...report("not drawn", [`what the library panel "${panel.libraryPanel.name ?? ""}" is does not stand in the file`]), type: "library panel" } };
  const type = typeOf(panel);
  if (type === undefined) return { panel: undefined, report: report("not drawn", [Object.hasOwn(REASONS, wanted) ? (REASONS[wanted] as string) : `panels of type "${wanted}" are not drawn`]) };
  const foreign = foreignSource(panel.datasource);
  if (foreign !== undefined && !ASKS_NOTHING.includes(type.ours)) return { panel: undefined, report: report("not drawn", [`its data are those of ${foreign}`]) };
  const differences = new Set<string>();
  wholeDifferences(panel, type, differences);
  const asks = !ASKS_NOTHING.includes(type.ours);
  const queries = asks ? queriesOf(panel, { moment: type.moment === true, tables: type.ours === "table" || (panel.transformations ?? []).length > 0 || wanted === "barchart" }, differences) : [];
  if (asks && queries.length === 0) return { panel: undefined, report: report("not drawn", ["none of its queries is PromQL"]) };
  if (type.ours === "alerts") queries.push({ id: "A", expr: "", mode: "alerts" }, { id: "B", expr: "", mode: "rules" });
  if (type.ours === "events") queries.push({ id: "A", mode: "events", ...ALERT_HISTORY });
  const width = panel.gridPos?.w !== undefined ? panel.gridPos.w / 2 : (numberOf(panel.span) ?? 12);
  const steps = asks ? transformations(panel, differences) : [];
  const own = asks ? overrides(panel, type.ours, differences) : [];
  const options = OPTIONS[type.ours]?.(panel, differences) ?? {};
  const points = numberOf(panel.maxDataPoints);
  const links = linksOf(panel.links);
  const made: Panel = {
    id, type: type.ours, title: translateExpr(title), width: Math.min(12, Math.max(1, Math.round(width))),
    ...(panel.description ? { description: panel.description } : {}),
    // A row of Grafana's grid is 30 pixels and the gap 8.
    ...(panel.gridPos?.h !== undefined ? { height: Math.max(2, Math.round((panel.gridPos.h * 38 - 46) / 40)) } : {}),
    ...(queries.length > 0 ? { queries } : {}),
    ...(asks ? looks(panel, type.ours, differences) : {}),
    ...ownRange(panel), ...(own.length > 0 ? { overrides: own } : {}), ...(steps.length > 0 ? { transformations: steps } : {}), ...(links.length > 0 ? { links } : {}),
    ...(panel.repeat ? { repeat: { variable: panel.repeat, ...(panel.repeatDirection === "v" ? { down: true } : {}), ...(numberOf(panel.maxPerRow) ? { most: numberOf(panel.maxPerRow) as number } : {}) } } : {}),
  };
  const all = { ...options, ...(points !== undefined && points > 0 && asks ? { points } : {}) };
  if (Object.keys(all).length > 0) made.options = all;
  return { panel: made, report: report(differences.size > 0 ? "differs" : "drawn", [...differences]) };
}
