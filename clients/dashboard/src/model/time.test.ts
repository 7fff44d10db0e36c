import { describe, expect, it } from "vitest";
import { alignSpan, alignToEnd, chooseStep, durationText, parseDuration, pointsFor, rateInterval, resolveRange, resolveTime, timeTicks } from "./time";

describe("durations", () => {
  it.each([["90s", 90], ["1h30m", 5400], ["6w", 3_628_800], ["250ms", 0.25], ["", undefined], ["5", undefined], ["-5m", undefined]])(
    "%s", (text, seconds) => expect(parseDuration(text)).toBe(seconds));
  it("are written as they are read", () => {
    for (const text of ["1s", "90s", "5m", "1h30m", "1d", "6w"]) {
      expect(parseDuration(durationText(parseDuration(text) as number))).toBe(parseDuration(text));
    }
  });
});

describe("ranges", () => {
  it("are relative or absolute", () => {
    expect(resolveTime("now-15m", 1000)).toBe(100);
    expect(resolveTime("1700000000000", 0)).toBe(1_700_000_000);
    expect(resolveTime("2024-01-15T14:32:18Z", 0)).toBe(1_705_329_138);
    expect(resolveTime("yesterday", 0)).toBeUndefined();
    expect(resolveTime("now-5", 0)).toBeUndefined();
  });
  it("do not run backwards", () => expect(resolveRange({ from: "now", to: "now-1h" }, 5000)).toBeUndefined());
});

describe("steps", () => {
  it("fit into the width and are at least what is asked", () => {
    expect(chooseStep({ start: 0, end: 900 }, 480)).toBe(2);
    expect(chooseStep({ start: 0, end: 86_400 }, 480)).toBe(300);
    expect(chooseStep({ start: 0, end: 900 }, 480, 15)).toBe(15);
    expect(chooseStep({ start: 0, end: 10 * 31_536_000 }, 100)).toBe(37 * 86_400);
  });
  it("do not change with a few pixels", () => expect(pointsFor(800)).toBe(pointsFor(820)));
  it("begin and end on the grid", () => expect(alignSpan({ start: 7, end: 23 }, 5)).toEqual({ start: 5, end: 20 }));
  it("that are fixed end with the range", () => expect(alignToEnd({ start: 7, end: 23 }, 5)).toEqual({ start: 13, end: 23 }));
  it("give rates four samples", () => {
    expect(rateInterval(15, 15)).toBe(60);
    expect(rateInterval(300, 15)).toBe(315);
  });
});

describe("timeTicks", () => {
  it("are whole days in UTC", () => {
    const ticks = timeTicks({ start: 1_700_000_000, end: 1_700_000_000 + 5 * 86_400 }, 6, "utc");
    expect(ticks.length).toBe(5);
    for (const tick of ticks) expect(tick % 86_400).toBe(0);
  });
  it("are evenly spaced at an hour", () => {
    const ticks = timeTicks({ start: 1_700_000_000, end: 1_700_003_600 }, 6, "utc");
    expect(ticks.length).toBeGreaterThan(3);
    for (let i = 1; i < ticks.length; i++) expect((ticks[i] as number) - (ticks[i - 1] as number)).toBe(600);
  });
});
