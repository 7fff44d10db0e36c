// What a heat map shows: rows of cells over time. Cumulative buckets (label le) become one row for each bucket.
import { onGrid, type Series } from "../../model/frames";
import type { Span } from "../../model/time";

export interface HeatRow {
  name: string;
  values: (number | null)[];
}

export function heatRows(series: Series[], span: Span, step: number, buckets: boolean): HeatRow[] {
  if (!buckets) return series.map((one) => ({ name: one.name, values: onGrid(one, span, step) }));
  const bound = (one: Series) => (one.labels.le === "+Inf" ? Infinity : Number(one.labels.le));
  const sorted = series.filter((one) => one.labels.le !== undefined && !Number.isNaN(bound(one))).sort((a, b) => bound(a) - bound(b));
  let below: (number | null)[] = [];
  return sorted.map((one) => {
    const values = onGrid(one, span, step);
    const own = values.map((value, i) => (value === null ? null : Math.max(0, value - (below[i] ?? 0))));
    below = values;
    return { name: one.labels.le as string, values: own };
  });
}
