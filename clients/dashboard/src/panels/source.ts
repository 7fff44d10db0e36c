// PanelSource: asks a panel's queries and keeps the last answer. When a query fails the frames stay as they were, with
// the error and their age beside them.
import { signal } from "@preact/signals";
import { api, ApiError, homeDatabase } from "../api";
import { FILTERS, withFilters } from "../model/filters";
import { emptyFrame, framesSeries, type Frame, type Series } from "../model/frames";
import type { Panel, Query } from "../model/schema";
import type { Table } from "../model/tables/table";
import { alignSpan, alignToEnd, chooseStep, durationText, parseDuration, rateInterval, type Span } from "../model/time";
import { interpolate, interpolateShown, type Values } from "../model/variables";

export interface PanelData {
  frames: Frame[];
  // What the panel's transformations made of them, where it has any.
  tables?: Table[];
  // The moment that instant queries were asked for, seconds since 1970; 0 before the first answer.
  at: number;
  // What was asked for, to the second; a chart shows it until it has the data of another, so that a change of the range is one redraw.
  asked: Span;
  // Of range queries, on the grid of `step` seconds.
  span: Span;
  step: number;
  // Milliseconds of Date.now() at which the frames came.
  loadedAt: number;
  error: string | undefined;
}

export interface LoadContext {
  span: Span;
  points: number;
  values: Values;
}

export const NOTHING: PanelData = { frames: [], at: 0, asked: { start: 0, end: 1 }, span: { start: 0, end: 1 }, step: 1, loadedAt: 0, error: undefined };

// Equal questions that are under way are asked once.
const underWay = new Map<string, Promise<Frame>>();

function shared(key: string, ask: () => Promise<Frame>): Promise<Frame> {
  const there = underWay.get(key);
  if (there) return there;
  const made = ask().finally(() => underWay.delete(key));
  underWay.set(key, made);
  return made;
}

const EVENTS_SHOWN = 200;

interface Moment {
  // What is seen, to the second: events lie on no grid, and the newest is what a reader waits for.
  asked: Span;
  span: Span;
  step: number;
  at: number;
}

async function askQuery(query: Query, expr: string, db: string, moment: Moment): Promise<Frame> {
  const frame = emptyFrame(query, expr);
  const { asked, span, step, at } = moment;
  switch (query.mode ?? "instant") {
    case "instant":
      frame.series = framesSeries(await api.batch.query(db, expr, at), query);
      break;
    case "range":
      frame.series = framesSeries(await api.batch.queryRange(db, expr, span.start, span.end, step), query);
      break;
    case "events":
      frame.events = await api.batch.events(db, expr, asked.start, asked.end, query.limit ?? EVENTS_SHOWN);
      break;
    case "alerts":
      frame.alerts = await api.batch.alerts();
      break;
    case "rules":
      frame.groups = await api.batch.rules();
      break;
  }
  return frame;
}

// The step of a panel's range queries: one for all of them, so that they share their times.
export function panelStep(panel: Panel, span: Span, points: number): number {
  let least = 1;
  for (const query of panel.queries ?? []) {
    const fixed = query.step === undefined ? undefined : parseDuration(query.step);
    if (fixed !== undefined) return fixed;
    least = Math.max(least, parseDuration(query.interval ?? "1s") ?? 1);
  }
  return chooseStep(span, points, least);
}

// The query as it is asked: variables and the built-in times put in.
export function resolveExpr(query: Query, values: Values, span: Span, step: number): string {
  const expr = interpolate(query.expr, { ...values, ...builtIns(query, span, step) });
  const filters = values[FILTERS];
  return typeof filters === "object" && query.mode !== "alerts" && query.mode !== "rules" ? withFilters(expr, filters.list) : expr;
}

// The names that every query may use beside the dashboard's own. Times are milliseconds since 1970.
export function builtIns(query: Query | undefined, span: Span, step: number): Values {
  const scrape = parseDuration(query?.interval ?? "1s") ?? 1;
  const range = span.end - span.start;
  return {
    __interval: durationText(step),
    __interval_ms: String(Math.round(step * 1000)),
    __rate_interval: durationText(rateInterval(step, scrape)),
    __rate_interval_ms: String(Math.round(rateInterval(step, scrape) * 1000)),
    __range: durationText(range),
    __range_s: String(Math.round(range)),
    __range_ms: String(Math.round(range * 1000)),
    __from: String(Math.round(span.start * 1000)),
    __to: String(Math.round(span.end * 1000)),
  };
}

// A figure may be so many seconds old.
const NEAR_ENOUGH = 10;

// The steps of a range lie on a grid, whose last one may be hours ago: a number that stands for now is asked for by itself.
export function withNewest(series: Series[], newest: readonly Series[]): Series[] {
  const byKey = new Map(newest.map((one) => [one.key, one]));
  const known = new Set(series.map((one) => one.key));
  const ended = series.map((one) => {
    const last = byKey.get(one.key);
    return last ? { ...one, times: [...one.times, ...last.times], values: [...one.values, ...last.values] } : one;
  });
  return [...ended, ...newest.filter((one) => !known.has(one.key))];
}

export class PanelSource {
  readonly data = signal<PanelData>(NOTHING);

  // `newest`: whether the panel shows the newest value of each series as a number.
  constructor(private readonly panel: Panel, private readonly newest = false) {}

  // Once `given` is aborted no answer is taken.
  async load(context: LoadContext, given: AbortSignal): Promise<void> {
    const queries = this.panel.queries ?? [];
    const step = panelStep(this.panel, context.span, context.points);
    const fixed = queries.some((query) => query.step !== undefined);
    const span = fixed ? alignToEnd(context.span, step) : alignSpan(context.span, step);
    const at = context.span.end;
    const answers = await Promise.allSettled(
      queries.map((query) => {
        const expr = resolveExpr(query, context.values, context.span, step);
        const named = query.legend === undefined ? query : { ...query, legend: interpolateShown(query.legend, context.values) };
        const db = interpolate(query.db ?? homeDatabase, context.values);
        const when = query.mode === "range" ? [span, step] : query.mode === "events" ? context.span : at;
        const key = JSON.stringify([db, expr, query.mode, when, query.limit, query.id, named.legend]);
        // Who asked the same first may show it otherwise.
        const frame = shared(key, () => askQuery(named, expr, db, { asked: context.span, span, step, at })).then((got) => ({ ...got, query: named }));
        if (query.mode !== "range" || !this.newest || at - span.end < NEAR_ENOUGH) return frame;
        return Promise.all([frame, shared(JSON.stringify([db, expr, "instant", at, query.id, named.legend]), () => askQuery({ ...named, mode: "instant" }, expr, db, { asked: context.span, span, step, at }))])
          .then(([ranged, instant]) => ({ ...ranged, series: withNewest(ranged.series, instant.series) }));
      }),
    );
    if (given.aborted) return;
    const before = this.data.value;
    const failed = answers.find((answer) => answer.status === "rejected");
    if (failed) {
      const error = (failed as PromiseRejectedResult).reason as unknown;
      const text = error instanceof ApiError ? error.message : String(error);
      // The first answer may be a part: what is there is better than nothing.
      if (before.at !== 0) {
        this.data.value = { ...before, error: text };
        return;
      }
      const frames = answers.map((a, i) => (a.status === "fulfilled" ? a.value : emptyFrame(queries[i] as Query, (queries[i] as Query).expr)));
      this.data.value = { frames, at: 0, asked: context.span, span, step, loadedAt: Date.now(), error: text };
      return;
    }
    const frames = answers.map((a) => (a as PromiseFulfilledResult<Frame>).value);
    this.data.value = { frames, at, asked: context.span, span, step, loadedAt: Date.now(), error: undefined };
  }
}
