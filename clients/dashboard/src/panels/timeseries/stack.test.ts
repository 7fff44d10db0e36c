import { expect, it } from "vitest";
import { stacked } from "./stack";

it("stands series on each other, without those that are hidden", () => {
  const columns = [[1, 2], [10, null], [100, 100]];
  expect(stacked(columns, [true, true, true])).toEqual([[1, 2], [11, null], [111, 102]]);
  expect(stacked(columns, [true, false, true])).toEqual([[1, 2], [10, null], [101, 102]]);
});
