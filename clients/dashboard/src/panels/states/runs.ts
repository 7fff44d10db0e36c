// State timelines: neighbouring steps with one value are one piece.
export interface Piece {
  from: number;
  // Not included.
  to: number;
  value: number;
}

export function piecesOf(values: readonly (number | null)[]): Piece[] {
  const out: Piece[] = [];
  values.forEach((value, i) => {
    const last = out[out.length - 1];
    if (value === null) return;
    if (last && last.to === i && last.value === value) last.to = i + 1;
    else out.push({ from: i, to: i + 1, value });
  });
  return out;
}
