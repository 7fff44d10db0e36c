// Buckets of a histogram: how many of the values lie between round numbers.

export interface Bucket {
  // Included.
  from: number;
  // Not included.
  to: number;
  count: number;
}

const MOST = 200;

// The size that is 1, 2 or 5 of a power of ten and gives about `wanted` buckets.
export function bucketSize(low: number, high: number, wanted = 30): number {
  const rough = (high - low) / wanted;
  if (!(rough > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  return ([1, 2, 5, 10].find((step) => step * power >= rough * 0.999) ?? 10) * power;
}

// All buckets from the smallest to the largest value; `size` and `offset` as a panel gives them.
export function bucketsOf(values: readonly number[], size?: number, offset = 0): Bucket[] {
  const known = values.filter(Number.isFinite);
  if (known.length === 0) return [];
  const low = known.reduce((a, b) => Math.min(a, b), Infinity);
  const high = known.reduce((a, b) => Math.max(a, b), -Infinity);
  let wide = size !== undefined && size > 0 ? size : bucketSize(low, high);
  if ((high - low) / wide > MOST) wide = bucketSize(low, high, MOST / 2);
  const first = Math.floor((low - offset) / wide + 1e-9);
  const count = Math.floor((high - offset) / wide + 1e-9) - first + 1;
  const at = (i: number) => Number((offset + (first + i) * wide).toPrecision(12));
  const out = Array.from({ length: count }, (_, i): Bucket => ({ from: at(i), to: at(i + 1), count: 0 }));
  for (const value of known) {
    const bucket = out[Math.floor((value - offset) / wide + 1e-9) - first];
    if (bucket) bucket.count += 1;
  }
  return out;
}
