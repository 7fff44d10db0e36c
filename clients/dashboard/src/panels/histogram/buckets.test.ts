import { expect, it } from "vitest";
import { bucketSize, bucketsOf } from "./buckets";

it("buckets have round bounds and hold each value once", () => {
  expect([bucketSize(0, 30), bucketSize(0, 0.9), bucketSize(0, 4000), bucketSize(5, 5)]).toEqual([1, 0.05, 200, 1]);
  expect(bucketsOf([0, 0.5, 1, 2.9], 1)).toEqual([{ from: 0, to: 1, count: 2 }, { from: 1, to: 2, count: 1 }, { from: 2, to: 3, count: 1 }]);
  expect(bucketsOf([3, 3, 3]).map((bucket) => bucket.count)).toEqual([3]);
  expect(bucketsOf([Number.NaN])).toEqual([]);
  const many = bucketsOf(Array.from({ length: 1000 }, (_, i) => i / 7), 1e-9);
  expect(many.length).toBeLessThanOrEqual(201);
  expect(many.reduce((sum, bucket) => sum + bucket.count, 0)).toBe(1000);
});
