import { expect, it } from "vitest";
import { heatRows } from "./cells";

const series = (le: string, values: number[]) => ({ key: le, name: le, labels: { le }, times: [0, 1], values });

it("takes cumulative buckets apart, in the order of their bounds", () => {
  const rows = heatRows([series("+Inf", [9, 9]), series("0.5", [4, 2]), series("0.1", [1, 3])], { start: 0, end: 1 }, 1, true);
  expect(rows).toEqual([
    { name: "0.1", values: [1, 3] },
    // A scrape between two counters can make a bucket smaller than the one below it.
    { name: "0.5", values: [3, 0] },
    { name: "+Inf", values: [5, 7] },
  ]);
});
