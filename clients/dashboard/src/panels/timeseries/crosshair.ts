// Crosshair: one moment on all charts of a page. The chart that has the pointer leads, the others follow. uPlot's own way to do that moves
// the pointer of each chart, with a layer for each of its series: two hundred of them are more than a frame takes.

export interface Crossed {
  // Shows `time`, seconds since 1970; undefined: nothing.
  follow(time: number | undefined): void;
}

const charts = new Set<Crossed>();
let leader: Crossed | undefined;
let shown: number | undefined;

// `chart` shows what the others point at, until it leaves.
export function joinCrosshair(chart: Crossed): void {
  charts.add(chart);
}

export function leaveCrosshair(chart: Crossed): void {
  release(chart);
  charts.delete(chart);
}

// `chart` has the pointer at `time`.
export function lead(chart: Crossed, time: number): void {
  if (leader === chart && shown === time) return;
  leader = chart;
  shown = time;
  for (const other of charts) if (other !== chart) other.follow(time);
}

// `chart` has it no more. Of a chart that did not lead this says nothing: charts that are drawn anew lose a pointer that they never had.
export function release(chart: Crossed): void {
  if (leader !== chart) return;
  leader = shown = undefined;
  for (const other of charts) if (other !== chart) other.follow(undefined);
}
