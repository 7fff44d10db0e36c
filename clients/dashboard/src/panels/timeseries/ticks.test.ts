import { describe, expect, it } from "vitest";
import { valueRange, valueSteps, withMarks } from "./ticks";

describe("valueSteps", () => {
  it("ascend", () => {
    for (const binary of [true, false]) {
      const steps = valueSteps(binary);
      for (let i = 1; i < steps.length; i++) expect(steps[i] as number).toBeGreaterThan(steps[i - 1] as number);
    }
  });
  it("of bytes are powers of two", () => {
    for (const step of valueSteps(true)) expect(Number.isInteger(Math.log2(step))).toBe(true);
  });
});

describe("withMarks", () => {
  it("shows a goal that is near", () => {
    expect(withMarks(0.9, [1])).toBe(1);
    expect(withMarks(0.9, [50])).toBe(0.9);
    expect(withMarks(null, [1])).toBeNull();
  });
});

describe("valueRange", () => {
  it("begins at 0 and has room", () => expect(valueRange(20, 100, undefined, undefined)).toEqual([0, 108]));
  it("keeps a fixed top that holds the data", () => expect(valueRange(0, 80, 0, 100)).toEqual([0, 100]));
  it("shows what is above a fixed top", () => expect(valueRange(0, 200, 0, 100)[1]).toBeGreaterThan(200));
  it("has a height without data", () => expect(valueRange(null, null, undefined, undefined)).toEqual([0, 1.08]));
});
