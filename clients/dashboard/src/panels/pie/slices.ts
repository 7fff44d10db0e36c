// Slices of a circle: paths of rings, beginning at the top and going on clockwise.

export interface Slice {
  // Of the whole, 0 to 1.
  share: number;
  path: string;
}

const text = (number: number): string => number.toFixed(3).replace("-0.000", "0.000");
const point = (turn: number, radius: number): string => `${text(radius * Math.sin(turn * 2 * Math.PI))} ${text(-radius * Math.cos(turn * 2 * Math.PI))}`;

// A ring from `inner` to `outer`, in the unit of both. What is not above zero has no slice.
export function slicesOf(values: readonly number[], inner: number, outer: number): Slice[] {
  const whole = values.reduce((sum, value) => sum + Math.max(0, value), 0);
  let from = 0;
  return values.map((value) => {
    const share = whole > 0 ? Math.max(0, value) / whole : 0;
    // A whole circle would end where it begins, which is no arc.
    const to = from + Math.min(share, 0.99999);
    const large = share > 0.5 ? 1 : 0;
    const path = share === 0 ? ""
      : `M ${point(from, outer)} A ${outer} ${outer} 0 ${large} 1 ${point(to, outer)} L ${point(to, inner)} A ${inner} ${inner} 0 ${large} 0 ${point(from, inner)} Z`;
    from += share;
    return { share, path };
  });
}
