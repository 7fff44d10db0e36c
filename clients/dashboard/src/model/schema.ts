// Dashboards as data: what SCHEMA.md documents, as types, and the check of a file before it is drawn.

import { parseDuration } from "./time";

export const SCHEMA = 1;

export type QueryMode = "instant" | "range" | "events" | "alerts" | "rules";

export interface Query {
  // Names the query within its panel: "A". Columns, comparisons and tests refer to it.
  id: string;
  db?: string;
  expr: string;
  mode?: QueryMode;
  // What series are called: text with {{label}} in it. Without, what tells them apart.
  legend?: string;
  unit?: string;
  decimals?: number;
  // Spacing of the samples, as a duration: for $__rate_interval, and the smallest step. Default 1s.
  interval?: string;
  // A fixed step in place of the one that the width gives.
  step?: string;
  // The number at the full length of a bar.
  max?: number;
  // The name of the goal that its number is judged by.
  goal?: string;
  // Of events: follow new ones as they come. `limit`: how many are kept.
  follow?: boolean;
  limit?: number;
  // A word for what the number says, shown beside it.
  note?: string;
  mappings?: Mapping[];
  thresholds?: Threshold[];
  // Of tables and transformations: one table with a column for each label, in place of one for each series.
  format?: "table";
}

export interface Threshold {
  // Values from here on; null for all below the next.
  from: number | null;
  color: ColorName;
}

export type ColorName = "good" | "warn" | "bad" | "info" | "dim" | "accent";
export const COLOR_NAMES: readonly ColorName[] = ["good", "warn", "bad", "info", "dim", "accent"];

// A word for a value, by one of: the value, a range with both ends, a pattern of its text, or what it is.
export interface Mapping {
  value?: number | string;
  from?: number | null;
  to?: number | null;
  pattern?: string;
  special?: "null" | "nan" | "null+nan" | "empty" | "true" | "false";
  text: string;
  color?: ColorName;
}

// A colour of a series: a name, "#rrggbb", or "thresholds": that of its last value.
export type SeriesColor = string;

// How single series or columns look, where that differs from the rest of the panel.
export interface FieldLook {
  color?: SeriesColor;
  unit?: string;
  title?: string;
  decimals?: number;
  min?: number;
  max?: number;
  thresholds?: Threshold[];
  mappings?: Mapping[];
  links?: Link[];
  // Of lines. `fill`: 0 to 100; `stack`: the stack it is part of, "" for none; `between`: the series down to which it is filled;
  // `negative`: drawn below zero.
  draw?: "lines" | "bars" | "points";
  fill?: number;
  lineWidth?: number;
  dash?: number[];
  stack?: string;
  between?: string;
  negative?: boolean;
  axis?: "left" | "right" | "hidden";
  hideFrom?: ("chart" | "legend" | "tooltip")[];
  // Of columns. `width`: in pixels.
  align?: "left" | "center" | "right";
  width?: number;
  hidden?: boolean;
  cell?: "text" | "color" | "background" | "gauge";
}

export type FieldMatch =
  | { by: "all" }
  | { by: "name" | "pattern" | "query"; is: string }
  | { by: "names"; is: string[] }
  | { by: "type"; is: "number" | "time" | "text" }
  // A reducer of its values compared with a number.
  | { by: "value"; is: { reducer: string; op: string; value: number } };

export interface Override {
  match: FieldMatch;
  set: FieldLook;
}

export interface Transformation {
  id: string;
  options?: Record<string, unknown>;
}

export interface Link {
  title: string;
  // An address, or the id of a page.
  href?: string;
  page?: string;
}

export interface Panel {
  id: string;
  type: string;
  title: string;
  description?: string;
  // Of 12 columns.
  width?: number;
  // In rows of 40 pixels; without, what the type asks for.
  height?: number;
  queries?: Query[];
  unit?: string;
  decimals?: number;
  min?: number;
  max?: number;
  thresholds?: Threshold[];
  mappings?: Mapping[];
  // What would give the panel data, as a command; shown while it has none.
  empty?: string;
  // The shortest time between two refreshes, as a duration, for what is large and changes seldom.
  every?: string;
  // Figures that cannot be had, and why.
  missing?: { title: string; why: string }[];
  links?: Link[];
  // How single series or columns look; later ones win.
  overrides?: Override[];
  // Its own range in place of the page's: the last of so long, and so much earlier; durations. `rangeHidden`: its head does not say so.
  last?: string;
  earlier?: string;
  rangeHidden?: boolean;
  // What is done with the answers before they are drawn, in this order; see tables/transform.ts.
  transformations?: Transformation[];
  // Once for each chosen value of the variable; `most`: side by side.
  repeat?: { variable: string; down?: boolean; most?: number };
  // What the panel's type takes; see its folder.
  options?: Record<string, unknown>;
}

export interface Row {
  title?: string;
  collapsed?: boolean;
  // Once for each chosen value of this variable.
  repeat?: string;
  panels: Panel[];
}

export type VariableKind = "query" | "constant" | "custom" | "text" | "filters";
export const VARIABLE_KINDS: readonly VariableKind[] = ["query", "constant", "custom", "text", "filters"];

export interface Variable {
  name: string;
  label?: string;
  kind: VariableKind;
  db?: string;
  // query: label_values(SELECTOR, LABEL), label_names(PATTERN), metrics(PATTERN) or query_result(EXPR); constant: its text, with
  // other variables in it; custom: values, comma-separated, each may be "text : value"; filters: label="value", ...
  query: string;
  // Several with `multi`.
  default?: string | string[];
  // What stands for all values together, such as ".*"; true: the values one by one. Offered as "All", whose value is ALL.
  all?: string | true;
  // Several may be chosen.
  multi?: boolean;
  // Which part of each answer is a value: a pattern, its first group or those called "value" and "text".
  regex?: string;
  sort?: "name" | "number" | "-name" | "-number";
  // Not offered as a value although it is there.
  hidden?: boolean;
  // Of custom: offers "auto" before the others: the range by `count` (default 30), at least `least` (default 10s), as a duration.
  auto?: { count?: number; least?: string };
}

// What happened, marked on the charts over time.
export interface Annotation {
  name: string;
  // query: PromQL whose samples above zero are marks, those at most a step apart one stretch; events: a selector of string points.
  kind: "query" | "events";
  expr: string;
  db?: string;
  // Of query, a duration; default 1m.
  step?: string;
  color?: SeriesColor;
  // Texts with {{label}} in them, and labels whose values are shown. Without: the alert's or metric's name, and an event's text.
  title?: string;
  text?: string;
  tags?: string[];
  // The samples are the times, in milliseconds since 1970.
  timeOfValue?: boolean;
  // Not drawn until somebody chooses it.
  off?: boolean;
  // No switch is offered.
  hidden?: boolean;
  // The ids of the panels on which it is drawn, or with `except` of those on which it is not.
  panels?: string[];
  except?: boolean;
}

export interface Dashboard {
  schema: number;
  id: string;
  title: string;
  description?: string;
  range?: { from: string; to: string };
  refresh?: string;
  variables?: Variable[];
  annotations?: Annotation[];
  links?: Link[];
  rows: Row[];
  // What it was imported from, whole: what is not drawn survives, and can be had again.
  grafana?: unknown;
}

type Report = (place: string, what: string) => void;

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const KEYS = {
  dashboard: ["schema", "id", "title", "description", "range", "refresh", "variables", "annotations", "links", "rows", "grafana"],
  row: ["title", "collapsed", "repeat", "panels"],
  panel: ["id", "type", "title", "description", "width", "height", "queries", "unit", "decimals", "min", "max", "thresholds", "mappings",
    "empty", "every", "missing", "links", "overrides", "last", "earlier", "rangeHidden", "transformations", "repeat", "options"],
  query: ["id", "db", "expr", "mode", "legend", "unit", "decimals", "interval", "step", "max", "goal", "follow", "limit", "note", "mappings",
    "thresholds", "format"],
  variable: ["name", "label", "kind", "db", "query", "default", "all", "multi", "regex", "sort", "hidden", "auto"],
  annotation: ["name", "kind", "expr", "db", "step", "color", "title", "text", "tags", "timeOfValue", "off", "hidden", "panels", "except"],
  override: ["match", "set"],
  look: ["color", "unit", "title", "decimals", "min", "max", "thresholds", "mappings", "links", "draw", "fill", "lineWidth", "dash", "stack", "between",
    "negative", "axis", "hideFrom", "align", "width", "hidden", "cell"],
};

const MATCHES = ["all", "name", "names", "pattern", "query", "type", "value"];

function checkKeys(value: Record<string, unknown>, keys: string[], place: string, report: Report): void {
  for (const key of Object.keys(value)) if (!keys.includes(key)) report(place, `"${key}" is not known here`);
}

function need(value: Record<string, unknown>, key: string, type: "string" | "number", place: string, report: Report): void {
  if (typeof value[key] !== type) report(place, `"${key}" must be a ${type}`);
}

function listOf(value: unknown, place: string, report: Report): Record<string, unknown>[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || !value.every(isRecord)) {
    report(place, "must be a list of objects");
    return [];
  }
  return value;
}

function checkQuery(query: Record<string, unknown>, place: string, report: Report): void {
  checkKeys(query, KEYS.query, place, report);
  need(query, "id", "string", place, report);
  need(query, "expr", "string", place, report);
  const mode = query.mode ?? "instant";
  if (!["instant", "range", "events", "alerts", "rules"].includes(String(mode))) report(place, `mode "${String(mode)}" is not known`);
}

function checkPanel(panel: Record<string, unknown>, types: readonly string[], place: string, report: Report): void {
  checkKeys(panel, KEYS.panel, place, report);
  for (const key of ["id", "type", "title"]) need(panel, key, "string", place, report);
  if (typeof panel.type === "string" && !types.includes(panel.type)) report(place, `there is no panel type "${panel.type}"`);
  if (panel.width !== undefined && !(typeof panel.width === "number" && panel.width >= 1 && panel.width <= 12)) {
    report(place, '"width" must be from 1 to 12');
  }
  for (const key of ["last", "earlier"]) if (panel[key] !== undefined && parseDuration(String(panel[key])) === undefined) report(place, `"${key}" must be a duration such as 6h`);
  const ids = new Set<string>();
  listOf(panel.queries, `${place}.queries`, report).forEach((query, i) => {
    checkQuery(query, `${place}.queries[${i}]`, report);
    if (ids.has(String(query.id))) report(place, `two queries are called "${String(query.id)}"`);
    ids.add(String(query.id));
  });
  listOf(panel.overrides, `${place}.overrides`, report).forEach((override, i) => {
    const here = `${place}.overrides[${i}]`;
    checkKeys(override, KEYS.override, here, report);
    if (!isRecord(override.match) || !MATCHES.includes(String(override.match.by))) report(here, `"match" must have "by": ${MATCHES.join(", ")}`);
    if (isRecord(override.set)) checkKeys(override.set, KEYS.look, here, report);
    else report(here, '"set" must be an object');
  });
  listOf(panel.transformations, `${place}.transformations`, report).forEach((step, i) => need(step, "id", "string", `${place}.transformations[${i}]`, report));
  for (const threshold of listOf(panel.thresholds, `${place}.thresholds`, report)) {
    if (!COLOR_NAMES.includes(threshold.color as ColorName)) report(place, `colour "${String(threshold.color)}" is not known`);
  }
}

// All that is wrong with it, one line each; empty when it can be drawn. `types`: the panel types there are.
export function faultsOf(value: unknown, types: readonly string[]): string[] {
  const faults: string[] = [];
  const report: Report = (place, what) => faults.push(`${place}: ${what}`);
  if (!isRecord(value)) return ["a dashboard is a JSON object"];
  checkKeys(value, KEYS.dashboard, "dashboard", report);
  if (value.schema !== SCHEMA) report("dashboard", `schema ${String(value.schema)} is not known; this page reads schema ${SCHEMA}`);
  need(value, "id", "string", "dashboard", report);
  need(value, "title", "string", "dashboard", report);
  const names = new Set<string>();
  listOf(value.variables, "variables", report).forEach((variable, i) => {
    const place = `variables[${i}]`;
    checkKeys(variable, KEYS.variable, place, report);
    need(variable, "name", "string", place, report);
    need(variable, "query", "string", place, report);
    if (!VARIABLE_KINDS.includes(variable.kind as VariableKind)) report(place, `kind "${String(variable.kind)}" is not known`);
    if (names.has(String(variable.name))) report(place, `two variables are called "${String(variable.name)}"`);
    names.add(String(variable.name));
  });
  const marks = new Set<string>();
  listOf(value.annotations, "annotations", report).forEach((annotation, i) => {
    const place = `annotations[${i}]`;
    checkKeys(annotation, KEYS.annotation, place, report);
    for (const key of ["name", "expr"]) need(annotation, key, "string", place, report);
    if (annotation.kind !== "query" && annotation.kind !== "events") report(place, `kind "${String(annotation.kind)}" is not known`);
    if (annotation.step !== undefined && parseDuration(String(annotation.step)) === undefined) report(place, `step "${String(annotation.step)}" is no duration`);
    if (marks.has(String(annotation.name))) report(place, `two annotations are called "${String(annotation.name)}"`);
    marks.add(String(annotation.name));
  });
  if (!Array.isArray(value.rows)) report("dashboard", '"rows" must be a list');
  const ids = new Set<string>();
  listOf(value.rows, "rows", report).forEach((row, r) => {
    checkKeys(row, KEYS.row, `rows[${r}]`, report);
    listOf(row.panels, `rows[${r}].panels`, report).forEach((panel, p) => {
      const place = `rows[${r}].panels[${p}]`;
      checkPanel(panel, types, place, report);
      if (ids.has(String(panel.id))) report(place, `two panels are called "${String(panel.id)}"`);
      ids.add(String(panel.id));
    });
  });
  return faults;
}
