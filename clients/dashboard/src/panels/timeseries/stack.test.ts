import { expect, it } from "vitest";
import { stacked } from "./stack";

it("stands series on each other, without those that are hidden", () => {
  const columns = [[1, 2], [10, null], [100, 100]];
  expect(stacked(columns, [true, true, true])).toEqual([[1, 2], [11, null], [111, 102]]);
  expect(stacked(columns, [true, false, true])).toEqual([[1, 2], [10, null], [101, 102]]);
});

it("keeps stacks apart, and shares are of each", () => {
  const columns = [[1, 2], [3, 2], [-4, null], [9, 9]];
  const stacks = ["all", "all", "below", ""];
  expect(stacked(columns, [true, true, true, true], stacks)).toEqual([[1, 2], [4, 4], [-4, null], [9, 9]]);
  expect(stacked(columns, [true, true, true, true], stacks, true)).toEqual([[0.25, 0.5], [1, 1], [-1, null], [9, 9]]);
});
