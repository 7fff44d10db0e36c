import { describe, expect, it } from "vitest";
import { framesSeries, onGrid, parseNumber, seriesNames, summarize } from "./frames";

describe("seriesNames", () => {
  it("puts labels into the legend, and nothing for what is not there", () => {
    expect(seriesNames([{ a: "1", b: "<i>" }], "{{a}} {{ b }} {{constructor}}", "A")).toEqual(["1 <i>"]);
  });
  it("does without a legend that says nothing", () => {
    expect(seriesNames([{ mode: "parallel" }, { mode: "sequential", era: "v1" }], "{{era}}", "A")).toEqual(["mode=parallel", "v1"]);
    expect(seriesNames([{}], "{{era}}", "A")).toEqual(["all"]);
  });
  it("names what differs", () => {
    expect(seriesNames([{ __name__: "m", cpu: "0", host: "h" }, { __name__: "m", cpu: "1", host: "h" }], undefined, "A")).toEqual(["0", "1"]);
    expect(seriesNames([{ __name__: "m" }], undefined, "A")).toEqual(["m"]);
    expect(seriesNames([{}], undefined, "A")).toEqual(["A"]);
  });
});

describe("framesSeries", () => {
  it("keeps keys and order whatever order the server answers in", () => {
    const row = (agent: string) => ({ metric: { agent }, value: [1, "2"] as [number, string] });
    const query = { id: "A", expr: "" };
    const one = framesSeries({ resultType: "vector", result: [row("Agent-10"), row("Agent-2")] }, query);
    const two = framesSeries({ resultType: "vector", result: [row("Agent-2"), row("Agent-10")] }, query);
    expect(one.map((s) => s.name)).toEqual(["Agent-2", "Agent-10"]);
    expect(one.map((s) => s.key)).toEqual(two.map((s) => s.key));
  });
});

describe("onGrid", () => {
  it("leaves gaps as null", () => {
    const series = { key: "", name: "", labels: {}, times: [10, 20, 50], values: [1, 2, 5] };
    expect(onGrid(series, { start: 10, end: 50 }, 10)).toEqual([1, 2, null, null, 5]);
  });
});

describe("summarize", () => {
  it("skips what is not there", () => {
    expect(summarize([1, null, 3, Number.NaN])).toEqual({ last: 3, mean: 2, min: 1, max: 3 });
    expect(summarize([])).toEqual({ last: null, mean: null, min: null, max: null });
  });
});

describe("parseNumber", () => {
  it("reads Prometheus' words", () => {
    expect(parseNumber("+Inf")).toBe(Infinity);
    expect(parseNumber("-Inf")).toBe(-Infinity);
    expect(parseNumber("NaN")).toBeNaN();
    expect(parseNumber("1.5e3")).toBe(1500);
  });
});
