import { describe, expect, it } from "vitest";
import { attained, healthWord, judge, substitute, type Goal } from "./goals";

const below: Goal = { name: "", expr: "", db: "", target: 1, direction: "below", unit: "ms", tolerance: 0.1 };
const above: Goal = { ...below, target: 100, direction: "above" };

describe("judge", () => {
  it.each([
    [below, 0.9, "OK"], [below, 1, "WARN"], [below, 1.05, "WARN"], [below, 1.2, "MISSED"], [below, undefined, "NO DATA"],
    [above, 101, "OK"], [above, 95, "WARN"], [above, 89, "MISSED"], [above, Number.NaN, "NO DATA"],
    [{ ...below, tolerance: 0 }, 1, "MISSED"],
  ] as const)("%o %s", (goal, value, word) => expect(judge(goal, value)).toBe(word));
});

describe("healthWord", () => {
  it("is the word of `tidemark demo goals`", () => {
    expect(healthWord(["OK", "OK"])).toBe("OPTIMAL");
    expect(healthWord(["OK", "WARN"])).toBe("GOOD");
    expect(healthWord(["NO DATA", "MISSED"])).toBe("DEGRADED");
    expect(healthWord(["NO DATA", "WARN"])).toBe("UNKNOWN");
    expect(healthWord([])).toBe("UNKNOWN");
  });
});

describe("attained", () => {
  it("passes 1 where the target is met", () => {
    expect(attained(above, 124)).toBeCloseTo(1.24);
    expect(attained(below, 0.5)).toBe(2);
    expect(attained(below, 0)).toBe(1);
  });
});

describe("substitute", () => {
  it("puts numbers in, negative ones in parentheses", () => {
    expect(substitute("100 * (a - b) / a", { a: 2, b: -1 })).toBe("100 * (2 - (-1)) / 2");
  });
  it("says when a number is missing", () => {
    expect(substitute("a + c", { a: 1, c: undefined })).toBeUndefined();
    expect(substitute("a + constructor", { a: 1 })).toBeUndefined();
  });
});
