// Spark: the course of a series, small and without axes. It says nothing that the number above does not, so readers of screens skip it.
import type { Series } from "../../model/frames";

const WIDE = 200;
const HIGH = 30;

// The points of a line through the values that are there, from 0 to WIDE and, upside down as SVG counts, from 0 to HIGH.
export function sparkPoints(series: Series): [number, number][] {
  const known = series.times.flatMap((time, i): [number, number][] => { const value = series.values[i]; return value === null || value === undefined || !Number.isFinite(value) ? [] : [[time, value]]; });
  const [start, end] = [known[0]?.[0] ?? 0, known[known.length - 1]?.[0] ?? 1];
  const values = known.map(([, value]) => value);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return known.map(([time, value]) => [end === start ? 0 : ((time - start) / (end - start)) * WIDE, high === low ? HIGH / 2 : 1 + (1 - (value - low) / (high - low)) * (HIGH - 2)]);
}

export function Spark({ series, color }: { series: Series; color: string }) {
  const points = sparkPoints(series);
  if (points.length < 2) return null;
  const line = points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");
  return (
    <svg class="spark" viewBox={`0 0 ${WIDE} ${HIGH}`} preserveAspectRatio="none" aria-hidden="true">
      <polygon points={`0,${HIGH} ${line} ${WIDE},${HIGH}`} fill={color} opacity="0.16" />
      <polyline points={line} fill="none" stroke={color} stroke-width="1.5" vector-effect="non-scaling-stroke" />
    </svg>
  );
}
