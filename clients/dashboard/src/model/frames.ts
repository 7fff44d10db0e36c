// Frames: what a query answered, as series with names, ready to draw.
import type { Alert, EventRow, Labels, QueryData, RuleGroup, Sample } from "../api";
import type { Query } from "./schema";
import type { Span } from "./time";
import { byText } from "./order";

export interface Series {
  // The same series has the same key in the next answer.
  key: string;
  name: string;
  labels: Labels;
  // Seconds since 1970, ascending.
  times: number[];
  values: (number | null)[];
}

export interface Frame {
  query: Query;
  // What was asked, with the variables' values in it.
  expr: string;
  series: Series[];
  events: EventRow[];
  alerts: Alert[];
  groups: RuleGroup[];
}

export function emptyFrame(query: Query, expr: string): Frame {
  return { query, expr, series: [], events: [], alerts: [], groups: [] };
}

function labelsKey(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}

// Text with {{label}} in it. Without one, or where it says nothing: the labels that differ between the series, else the metric, else `fallback`.
export function seriesNames(all: Labels[], legend: string | undefined, fallback: string): string[] {
  if (legend !== undefined) {
    const named = all.map((labels) => legend.replace(/\{\{\s*([\w.]+)\s*\}\}/g, (_, name: string) => (Object.hasOwn(labels, name) ? (labels[name] as string) : "")).trim());
    if (named.every((name) => name !== "")) return named;
    const plain = seriesNames(all, undefined, "all");
    return named.map((name, i) => name || (plain[i] as string));
  }
  const names = new Set(all.flatMap((labels) => Object.keys(labels)));
  const differing = [...names].filter((name) => new Set(all.map((labels) => labels[name])).size > 1).sort();
  return all.map((labels) => {
    if (differing.length > 0) {
      return differing.filter((n) => labels[n] !== undefined).map((n) => (n === "__name__" || differing.length === 1 ? labels[n] : `${n}=${labels[n]}`)).join(" ") || fallback;
    }
    return labels.__name__ ?? (all.length === 1 ? fallback : labelsKey(labels));
  });
}

function numbers(samples: Sample[]): { times: number[]; values: (number | null)[] } {
  const times = new Array<number>(samples.length);
  const values = new Array<number | null>(samples.length);
  for (let i = 0; i < samples.length; i++) {
    const sample = samples[i] as Sample;
    times[i] = sample[0];
    values[i] = parseNumber(sample[1]);
  }
  return { times, values };
}

// A value as Prometheus writes it: "+Inf", "NaN", "1.5e3".
export function parseNumber(text: string): number {
  const value = Number(text);
  if (!Number.isNaN(value)) return value;
  return text === "+Inf" || text === "Inf" ? Infinity : text === "-Inf" ? -Infinity : NaN;
}

// In the order of the labels, whatever order the server chose: series keep their colours. Numbers in labels count.
export function framesSeries(data: QueryData, query: Query): Series[] {
  let rows: { metric: Labels; samples: Sample[] }[];
  switch (data.resultType) {
    case "vector": rows = data.result.map((r) => ({ metric: r.metric, samples: [r.value] })); break;
    case "matrix": rows = data.result.map((r) => ({ metric: r.metric, samples: r.values })); break;
    case "scalar": rows = [{ metric: {}, samples: [data.result] }]; break;
    case "string": rows = []; break;
  }
  const names = seriesNames(rows.map((r) => r.metric), query.legend, query.id);
  return rows
    .map((row, i) => ({ key: `${query.id} ${labelsKey(row.metric)}`, name: names[i] as string, labels: row.metric, ...numbers(row.samples) }))
    .sort((a, b) => byText(a.name, b.name) || (a.key < b.key ? -1 : 1));
}

// The newest value; undefined without any.
export function lastValue(series: Series | undefined): number | undefined {
  for (let i = (series?.values.length ?? 0) - 1; i >= 0; i--) {
    const value = series?.values[i];
    if (value !== null && value !== undefined && !Number.isNaN(value)) return value;
  }
  return undefined;
}

// The values on the grid of the span: null where a step has no sample, so that gaps stay gaps.
export function onGrid(series: Series, span: Span, step: number): (number | null)[] {
  const count = Math.max(0, Math.floor((span.end - span.start) / step + 1e-6) + 1);
  const out = new Array<number | null>(count).fill(null);
  for (let i = 0; i < series.times.length; i++) {
    const at = Math.round(((series.times[i] as number) - span.start) / step);
    const value = series.values[i];
    if (at >= 0 && at < count && value !== undefined && value !== null && Number.isFinite(value)) out[at] = value;
  }
  return out;
}

export function gridTimes(span: Span, step: number): number[] {
  const count = Math.max(0, Math.floor((span.end - span.start) / step + 1e-6) + 1);
  return Array.from({ length: count }, (_, i) => span.start + i * step);
}

export interface Summary {
  last: number | null;
  mean: number | null;
  min: number | null;
  max: number | null;
}

export function summarize(values: readonly (number | null | undefined)[]): Summary {
  let last: number | null = null;
  let min: number | null = null;
  let max: number | null = null;
  let sum = 0;
  let count = 0;
  for (const value of values) {
    if (value === null || value === undefined || Number.isNaN(value)) continue;
    last = value;
    min = min === null || value < min ? value : min;
    max = max === null || value > max ? value : max;
    sum += value;
    count += 1;
  }
  return { last, mean: count > 0 ? sum / count : null, min, max };
}
