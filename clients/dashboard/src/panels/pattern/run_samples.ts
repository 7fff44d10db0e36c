// The samples of the newest run: those since the seconds after its start began anew.
import type { Series } from "../../model/frames";

export interface RunLine {
  name: string;
  // Seconds after the start of the run, ascending.
  x: number[];
  y: number[];
}

// `after`: seconds since the start of a run, falling where another begins.
export function newestRun(after: Series | undefined, lines: Series[]): RunLine[] {
  if (!after) return [];
  let begin = 0;
  for (let i = 1; i < after.values.length; i++) {
    if ((after.values[i] ?? 0) < (after.values[i - 1] ?? 0)) begin = i;
  }
  const offset = new Map<number, number>();
  for (let i = begin; i < after.times.length; i++) offset.set(after.times[i] as number, after.values[i] ?? 0);
  return lines.map((line) => {
    const x: number[] = [];
    const y: number[] = [];
    line.times.forEach((time, i) => {
      const at = offset.get(time);
      const value = line.values[i];
      if (at === undefined || value === null || value === undefined || !Number.isFinite(value)) return;
      x.push(at);
      y.push(value);
    });
    return { name: line.name, x, y };
  });
}
