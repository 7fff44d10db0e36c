// Ticks of value axes. Those of bytes stand on multiples of powers of 1024, which uPlot does not know.

// Steps for the ticks of an axis, smallest first, as uPlot takes them.
export function valueSteps(binary: boolean): number[] {
  const out: number[] = [];
  if (binary) {
    for (let power = 0; power < 7; power++) for (const m of [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]) out.push(m * 1024 ** power);
    return [0.25, 0.5, ...out];
  }
  for (let power = -9; power < 16; power++) for (const m of [1, 2, 2.5, 5]) out.push(Number((m * 10 ** power).toPrecision(6)));
  return out;
}

// The largest value that an axis shows: the data's, or a mark that lies not far above them.
export function withMarks(high: number | null, marks: readonly number[]): number | null {
  if (high === null) return null;
  return Math.max(high, ...marks.filter((mark) => mark <= high * 2));
}

// The range of a value axis that shows `low` to `high`: from 0 unless there are negative values, with some room above.
export function valueRange(low: number | null, high: number | null, min: number | undefined, max: number | undefined): [number, number] {
  const bottom = min ?? Math.min(0, low ?? 0);
  let top = max ?? (high ?? 1) + Math.abs((high ?? 1) - bottom) * 0.08;
  if (max !== undefined && high !== null && high > max) top = high * 1.02;
  if (!(top > bottom)) top = bottom + 1;
  return [min === undefined && bottom < 0 ? bottom * 1.08 : bottom, top];
}
