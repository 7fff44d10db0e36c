import { expect, it } from "vitest";
import { slicesOf } from "./slices";

it("slices share the whole; one alone is a ring", () => {
  expect(slicesOf([1, 3, 0, -2], 0, 1).map((slice) => slice.share)).toEqual([0.25, 0.75, 0, 0]);
  expect(slicesOf([1, 3], 0, 1)[0]?.path).toBe("M 0.000 -1.000 A 1 1 0 0 1 1.000 0.000 L 0.000 0.000 A 0 0 0 0 0 0.000 0.000 Z");
  expect(slicesOf([5], 0.5, 1)[0]?.path).toMatch(/^M 0\.000 -1\.000 A 1 1 0 1 1 0\.000 -1\.000/);
  expect(slicesOf([0], 0, 1)[0]?.path).toBe("");
});
