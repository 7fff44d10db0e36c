// HeldRanges: the last answers of range queries, so that the server needs to send only the steps that changed.
import type { Labels, QueryData, Sample } from "./types";

interface Held {
  // The server's word for what it sent.
  since: string;
  series: Map<string, { metric: Labels; values: Sample[] }>;
  samples: number;
}

type Matrix = Extract<QueryData, { resultType: "matrix" }>;

// More samples than this are not kept, of all queries together: about 60 MB.
const MOST_SAMPLES = 500_000;

const keyOf = (db: string, expr: string, step: number): string => JSON.stringify([db, step, expr]);

function labelsKey(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}

export class HeldRanges {
  // Those used last come last.
  private readonly all = new Map<string, Held>();
  private samples = 0;

  constructor(private readonly mostSamples = MOST_SAMPLES) {}

  find(db: string, expr: string, step: number): Held | undefined {
    return this.all.get(keyOf(db, expr, step));
  }

  // The whole answer, out of what was held when it was asked for and what came; keeps it for the next time.
  keep(asked: { db: string; expr: string; start: number; step: number }, before: Held | undefined, data: QueryData): QueryData {
    if (data.resultType !== "matrix") return data;
    const series = new Map<string, { metric: Labels; values: Sample[] }>();
    if (data.changedFrom !== undefined && before) {
      const until = data.changedFrom;
      for (const [key, { metric, values }] of before.series) {
        const still = values.filter(([time]) => time >= asked.start && time < until);
        if (still.length > 0) series.set(key, { metric, values: still });
      }
    }
    for (const { metric, values } of data.result) {
      const key = labelsKey(metric);
      const old = series.get(key);
      series.set(key, { metric, values: old ? old.values.concat(values) : values });
    }
    const whole: Matrix = { resultType: "matrix", result: [...series.values()] };
    this.forget(keyOf(asked.db, asked.expr, asked.step));
    if (data.since !== undefined) this.add(keyOf(asked.db, asked.expr, asked.step), data.since, series);
    return whole;
  }

  private add(key: string, since: string, series: Held["series"]): void {
    let samples = 0;
    for (const { values } of series.values()) samples += values.length;
    this.all.set(key, { since, series, samples });
    this.samples += samples;
    for (const oldest of this.all.keys()) {
      if (this.samples <= this.mostSamples) break;
      this.forget(oldest);
    }
  }

  private forget(key: string): void {
    this.samples -= this.all.get(key)?.samples ?? 0;
    this.all.delete(key);
  }
}
