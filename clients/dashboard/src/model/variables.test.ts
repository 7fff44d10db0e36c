import { describe, expect, it } from "vitest";
import { escapeForString, interpolate, parseLabelValues, referencesOf } from "./variables";

describe("interpolate", () => {
  it("takes both forms and leaves unknown names", () => {
    expect(interpolate("a{x=\"$x\",y=\"${y}z\"}[$__range] $other", { x: "1", y: "2", __range: "5m" })).toBe('a{x="1",y="2z"}[5m] $other');
  });
  it("follows constants", () => {
    expect(interpolate("m{$run}", { run: 'pipeline="$pipeline",mode="parallel"', pipeline: "ci" })).toBe('m{pipeline="ci",mode="parallel"}');
  });
  it("ends where a value names itself", () => expect(interpolate("$a", { a: "$a" })).toBe("$a"));
  it("does not take the prototype's names for values", () => expect(interpolate("$constructor", {})).toBe("$constructor"));
});

describe("escapeForString", () => {
  it("keeps a value inside of its quotes", () => {
    const value = '"} or {x="$b\\';
    const text = interpolate('{a="$v"}', { v: escapeForString(value), b: "leaked" });
    expect(text).toBe('{a="\\"} or {x=\\"\\x24b\\\\"}');
  });
});

describe("parseLabelValues", () => {
  it.each([
    ["label_values(job)", undefined, "job"],
    ['label_values(up{a="b, c"}, job)', 'up{a="b, c"}', "job"],
  ])("%s", (text, match, label) => expect(parseLabelValues(text)).toEqual({ match, label }));
  it("refuses other functions", () => expect(parseLabelValues("metrics(.*)")).toBeUndefined());
});

describe("referencesOf", () => {
  it("names them", () => expect(referencesOf("$a ${b}")).toEqual(["a", "b"]));
});
