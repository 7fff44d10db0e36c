// Stacking: each series stands on those before it in its stack that are shown. What is missing counts as nothing.

// `stacks`: the stack of each column, "" for none; without, all are in one. `share`: the whole of a stack is 1.
export function stacked(columns: (number | null)[][], shown: boolean[], stacks?: readonly string[], share = false): (number | null)[][] {
  const length = columns[0]?.length ?? 0;
  const stackOf = (s: number) => (stacks ? (stacks[s] ?? "") : "all");
  const sums = (): Map<string, number[]> => new Map([...new Set(columns.map((_, s) => stackOf(s)))].map((name) => [name, new Array<number>(length).fill(0)]));
  const whole = sums();
  if (share) columns.forEach((column, s) => { if (shown[s]) column.forEach((value, i) => { const sum = whole.get(stackOf(s)) as number[]; sum[i] = (sum[i] as number) + Math.abs(value ?? 0); }); });
  const base = sums();
  return columns.map((column, s) => {
    const name = stackOf(s);
    if (!shown[s] || name === "") return column;
    const below = base.get(name) as number[];
    return column.map((value, i) => {
      if (value === null) return null;
      const all = whole.get(name)?.[i] ?? 0;
      below[i] = (below[i] as number) + (share ? (all === 0 ? 0 : value / all) : value);
      return below[i] as number;
    });
  });
}
