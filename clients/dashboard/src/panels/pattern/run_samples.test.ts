import { expect, it } from "vitest";
import { newestRun } from "./run_samples";

const series = (name: string, times: number[], values: number[]) => ({ key: name, name, labels: {}, times, values });

it("takes the newest run alone, by its own clock", () => {
  const after = series("after", [1, 2, 3, 10, 11], [0.1, 1.1, 2.1, 0.1, 1.1]);
  const cpu = series("CPU", [1, 2, 3, 10, 11, 12], [5, 6, 7, 50, 60, 70]);
  expect(newestRun(after, [cpu])).toEqual([{ name: "CPU", x: [0.1, 1.1], y: [50, 60] }]);
  expect(newestRun(undefined, [cpu])).toEqual([]);
});
