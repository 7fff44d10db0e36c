// importGrafana: a dashboard of Grafana as one of ours, and for each panel whether it is drawn, drawn with these
// differences, or not drawn because. Pure: asks nobody and keeps nothing.
//
// Panel types: timeseries, graph, stat, singlestat, table, piechart, gauge, bargauge, text; rows of both forms.
import { SCHEMA, type Dashboard, type Panel, type Query, type Row, type Variable } from "../schema";
import { ALL, parseLabelValues } from "../variables";
import { isKnownUnit, mappingsOf, numberOf, oldThresholdsOf, plainText, thresholdsOf, unitOf } from "./fields";
import type { GrafanaDashboard, GrafanaPanel, GrafanaVariable } from "./types";

export interface PanelReport {
  title: string;
  type: string;
  result: "drawn" | "differs" | "not drawn";
  // What differs, or why it is not drawn; empty when it is drawn as it is.
  because: string[];
}

export interface Imported {
  dashboard: Dashboard;
  panels: PanelReport[];
  // What concerns the dashboard and no panel alone.
  remarks: string[];
}

// Old panel types are newer ones with other names for the same things.
const TYPES: Record<string, string> = {
  timeseries: "timeseries", graph: "timeseries", stat: "stat", singlestat: "stat", table: "table", "table-old": "table", piechart: "bars",
  "grafana-piechart-panel": "bars", gauge: "gauge", bargauge: "bars", text: "text",
};

const INSTANT = new Set(["stat", "table", "bars", "gauge"]);

// Which number of a range stands for it. Those that are not here are the last one.
const REDUCERS: Record<string, string> = { mean: "avg_over_time", avg: "avg_over_time", max: "max_over_time", min: "min_over_time", sum: "sum_over_time", total: "sum_over_time" };

function reducerOf(panel: GrafanaPanel): string | undefined {
  const options = panel.options?.reduceOptions as { calcs?: string[] } | undefined;
  const name = options?.calcs?.[0] ?? panel.valueName;
  return name !== undefined && Object.hasOwn(REDUCERS, name) ? REDUCERS[name] : undefined;
}

// Our built-in names for Grafana's.
export function translateExpr(expr: string): string {
  return expr
    .replace(/\[\[(\w+)\]\]/g, "$${$1}")
    .replace(/\$\{(\w+):[\w-]+\}/g, "$${$1}")
    .replace(/\$__range_s\b/g, "$$__range")
    .replace(/\$\{__(interval|range|rate_interval)\}/g, "$$__$1");
}

function queriesOf(panel: GrafanaPanel, type: string, differences: Set<string>): Query[] {
  const taken = new Set<string>();
  const out: Query[] = [];
  for (const target of panel.targets ?? []) {
    if (target.hide === true) continue;
    if (typeof target.expr !== "string" || target.expr.trim() === "") {
      differences.add("a query without PromQL is left out");
      continue;
    }
    // Names are missing or given twice in many files.
    let id = target.refId && !taken.has(target.refId) ? target.refId : "";
    for (let n = 0; id === ""; n++) {
      const name = n < 26 ? String.fromCharCode(65 + n) : `Q${n}`;
      if (!taken.has(name)) id = name;
    }
    taken.add(id);
    let expr = translateExpr(target.expr);
    const reducer = INSTANT.has(type) && target.instant !== true ? reducerOf(panel) : undefined;
    if (reducer) expr = `${reducer}((${expr})[$__range:])`;
    const legend = target.legendFormat;
    out.push({
      id, expr, mode: INSTANT.has(type) ? "instant" : "range",
      ...(legend && legend !== "__auto" ? { legend } : {}),
      ...(target.interval && !target.interval.includes("$") ? { interval: target.interval.replace(/^>/, "") } : {}),
    });
  }
  return out;
}

function looks(panel: GrafanaPanel, type: string, differences: Set<string>): Partial<Panel> {
  const defaults = panel.fieldConfig?.defaults ?? {};
  const custom = defaults.custom ?? {};
  const axis = panel.yaxes?.[0];
  const unit = unitOf(defaults.unit ?? axis?.format ?? panel.format);
  if (!isKnownUnit(unit)) differences.add(`the unit "${unit}" is put behind the numbers as it is`);
  const decimals = numberOf(defaults.decimals);
  const min = numberOf(defaults.min ?? axis?.min ?? (panel.gauge?.show ? panel.gauge.minValue : undefined));
  const max = numberOf(defaults.max ?? axis?.max ?? (panel.gauge?.show ? panel.gauge.maxValue : undefined));
  const fixed = type !== "timeseries" || (custom.thresholdsStyle as { mode?: string } | undefined)?.mode !== undefined;
  if (defaults.thresholds?.mode === "percentage") differences.add("thresholds in percent are left out");
  const thresholds = typeof panel.thresholds === "string" ? oldThresholdsOf(panel.thresholds, panel.colors)
    : defaults.thresholds?.mode === "percentage" || !fixed ? undefined : thresholdsOf(defaults.thresholds?.steps);
  const { mappings, lost } = mappingsOf([...(defaults.mappings ?? []), ...(panel.valueMaps ?? []).map((map) => ({ type: 1, value: map.value, text: map.text }))]);
  if (lost > 0) differences.add("value mappings of ranges, texts and special values are left out");
  if ((panel.fieldConfig?.overrides ?? []).length > 0 || (panel.seriesOverrides ?? []).length > 0) differences.add("overrides of single series are left out");
  if ((panel.transformations ?? []).length > 0) differences.add("transformations are left out");
  if (panel.repeat) differences.add(`it is not repeated for each value of $${panel.repeat}`);
  if ((axis?.logBase ?? 1) !== 1 || (custom.scaleDistribution as { type?: string } | undefined)?.type === "log") differences.add("its axis is not logarithmic");
  if (panel.postfix || panel.prefix) differences.add("texts before and behind the number are left out");
  return {
    ...(unit ? { unit } : {}), ...(decimals !== undefined ? { decimals } : {}), ...(min !== undefined ? { min } : {}), ...(max !== undefined ? { max } : {}),
    ...(thresholds ? { thresholds } : {}), ...(mappings.length > 0 ? { mappings } : {}),
  };
}

function optionsOf(panel: GrafanaPanel, type: string): Record<string, unknown> {
  if (type === "text") {
    const content = String(panel.options?.content ?? panel.content ?? "");
    return { text: plainText(content, panel.options?.mode === "html" || /<\/?[a-z][^>]*>/i.test(content)) };
  }
  if (type !== "timeseries") return {};
  const custom = panel.fieldConfig?.defaults?.custom ?? {};
  const stacking = (custom.stacking as { mode?: string } | undefined)?.mode;
  const legend = (panel.options?.legend ?? {}) as { displayMode?: string; showLegend?: boolean };
  const hidden = legend.showLegend === false || legend.displayMode === "hidden" || panel.legend?.show === false;
  return {
    ...(panel.stack === true || (stacking !== undefined && stacking !== "none") ? { stack: true } : {}),
    ...((numberOf(custom.fillOpacity) ?? numberOf(panel.fill) ?? 0) > 0 ? { fill: true } : {}),
    ...(custom.drawStyle === "bars" || (panel.bars === true && panel.lines === false) ? { draw: "bars" } : {}),
    ...(hidden ? { legend: "none" } : legend.displayMode === "table" || panel.legend?.alignAsTable === true ? { legend: "table" } : {}),
  };
}

function importPanel(panel: GrafanaPanel, id: string): { panel: Panel | undefined; report: PanelReport } {
  const title = panel.title ?? "";
  const wanted = panel.type ?? "";
  const report = (result: PanelReport["result"], because: string[]): PanelReport => ({ title, type: wanted, result, because });
  const type = Object.hasOwn(TYPES, wanted) ? (TYPES[wanted] as string) : undefined;
  if (type === undefined) return { panel: undefined, report: report("not drawn", [`panels of type "${wanted}" are not drawn yet`]) };
  const differences = new Set<string>();
  if (wanted.includes("pie")) differences.add("shares are bars, not a circle");
  if ((panel.fieldConfig?.defaults?.custom?.stacking as { mode?: string } | undefined)?.mode === "percent") differences.add("stacked values are not shares of 100 %");
  const queries = type === "text" ? [] : queriesOf(panel, type, differences);
  if (type !== "text" && queries.length === 0) return { panel: undefined, report: report("not drawn", ["none of its queries is PromQL"]) };
  const width = panel.gridPos?.w !== undefined ? panel.gridPos.w / 2 : (numberOf(panel.span) ?? 12);
  const made: Panel = {
    id, type, title, width: Math.min(12, Math.max(1, Math.round(width))),
    ...(panel.description ? { description: panel.description } : {}),
    // A row of Grafana's grid is 30 pixels and the gap 8.
    ...(panel.gridPos?.h !== undefined ? { height: Math.max(2, Math.round((panel.gridPos.h * 38 - 46) / 40)) } : {}),
    ...(queries.length > 0 ? { queries } : {}),
    ...looks(panel, type, differences),
  };
  const options = { ...optionsOf(panel, type), ...(type === "bars" && wanted.includes("pie") ? { sort: "value" } : {}) };
  if (Object.keys(options).length > 0) made.options = options;
  return { panel: made, report: report(differences.size > 0 ? "differs" : "drawn", [...differences]) };
}

// Rows of version 16 and later are panels between others; what stands before the first has no title.
function rowsOf(source: GrafanaDashboard): { title: string | undefined; collapsed: boolean; panels: GrafanaPanel[] }[] {
  if (source.rows && source.rows.length > 0) {
    return source.rows.map((row) => ({ title: row.title || undefined, collapsed: row.collapse === true, panels: row.panels ?? [] }));
  }
  const sorted = [...(source.panels ?? [])].sort((a, b) => (a.gridPos?.y ?? 0) - (b.gridPos?.y ?? 0) || (a.gridPos?.x ?? 0) - (b.gridPos?.x ?? 0));
  const rows: { title: string | undefined; collapsed: boolean; panels: GrafanaPanel[] }[] = [{ title: undefined, collapsed: false, panels: [] }];
  for (const panel of sorted) {
    if (panel.type === "row") rows.push({ title: panel.title || undefined, collapsed: panel.collapsed === true, panels: [...(panel.panels ?? [])] });
    else rows[rows.length - 1]?.panels.push(panel);
  }
  return rows.filter((row) => row.panels.length > 0);
}

function importVariable(variable: GrafanaVariable, remarks: string[]): Variable | undefined {
  const name = variable.name;
  if (!name) return undefined;
  const text = typeof variable.query === "string" ? variable.query : (variable.query?.query ?? "");
  const chosen = variable.current?.value;
  // Of several chosen ones the first. Where all may be chosen and nothing is, Grafana chooses all.
  const first: unknown = Array.isArray(chosen) ? chosen[0] : chosen;
  const all = variable.includeAll === true && (variable.type === "query" || variable.type === "custom");
  const current = all && (first === undefined || first === "" || first === ALL) ? ALL : first;
  const shown = { name, ...(variable.label ? { label: variable.label } : {}), ...(variable.hide === 2 ? { hidden: true } : {}),
    ...(typeof current === "string" && (current === ALL ? all : !current.startsWith("$__")) ? { default: current } : {}),
    ...(all ? { all: variable.allValue || ".*" } : {}) };
  switch (variable.type) {
    case "datasource":
      return undefined;
    case "query":
      if (variable.multi) remarks.push(`$${name}: one value is chosen at a time${all ? ", or all" : ""}`);
      if (parseLabelValues(translateExpr(text))) return { ...shown, kind: "query", query: translateExpr(text) };
      remarks.push(`$${name}: its query is not label_values(...), so its value is written by hand`);
      return { ...shown, kind: "text", query: "" };
    case "custom": case "interval":
      return { ...shown, kind: "custom", query: text.split(",").map((part) => part.split(" : ").pop()?.trim() ?? "").join(",") };
    case "constant":
      return { name, kind: "constant", query: text };
    case "textbox":
      return { ...shown, kind: "text", query: "", ...(shown.default === undefined && text ? { default: text } : {}) };
    default:
      remarks.push(`$${name}: variables of type "${String(variable.type)}" are not known`);
      return undefined;
  }
}

// `id` names the dashboard in the address.
export function importGrafana(file: GrafanaDashboard, id: string): Imported {
  const source = file.dashboard ?? file;
  const remarks: string[] = [];
  const panels: PanelReport[] = [];
  let count = 0;
  const rows = rowsOf(source).flatMap((row): Row[] => {
    const made = row.panels.flatMap((panel) => {
      count += 1;
      const one = importPanel(panel, `p${count}`);
      panels.push(one.report);
      return one.panel ? [one.panel] : [];
    });
    return made.length === 0 ? [] : [{ ...(row.title ? { title: row.title } : {}), ...(row.collapsed ? { collapsed: true } : {}), panels: made }];
  });
  const variables = (source.templating?.list ?? []).flatMap((variable) => importVariable(variable, remarks) ?? []);
  const refresh = typeof source.refresh === "string" && source.refresh !== "" ? source.refresh : undefined;
  return {
    dashboard: {
      schema: SCHEMA, id, title: source.title ?? id,
      ...(source.description ? { description: source.description } : {}),
      ...(source.time?.from && source.time.to ? { range: { from: source.time.from, to: source.time.to } } : {}),
      refresh: refresh ?? "0s",
      ...(variables.length > 0 ? { variables } : {}),
      rows,
    },
    panels, remarks,
  };
}
