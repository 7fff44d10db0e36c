// Stacking: each series stands on those before it that are shown. What is missing counts as nothing.

export function stacked(columns: (number | null)[][], shown: boolean[]): (number | null)[][] {
  const length = columns[0]?.length ?? 0;
  const base = new Array<number>(length).fill(0);
  return columns.map((column, s) => {
    if (!shown[s]) return column;
    return column.map((value, i) => {
      if (value === null) return null;
      base[i] = (base[i] as number) + value;
      return base[i] as number;
    });
  });
}
