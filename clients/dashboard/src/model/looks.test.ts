import { describe, expect, it } from "vitest";
import { mappingOf } from "./colors";
import { lookOf, matches, titleOf, type Field } from "./looks";
import type { Mapping, Panel } from "./schema";

const field: Field = { name: "eth0 out", plain: "Value", query: "B", kind: "number", values: [1, 5] };

describe("overrides", () => {
  it.each([
    [{ by: "all" as const }, true], [{ by: "name" as const, is: "eth0 out" }, true], [{ by: "name" as const, is: "Value" }, true], [{ by: "name" as const, is: "out" }, false], [{ by: "pattern" as const, is: "/OUT/i" }, true],
    [{ by: "pattern" as const, is: "(" }, false], [{ by: "query" as const, is: "B" }, true], [{ by: "type" as const, is: "text" as const }, false], [{ by: "names" as const, is: ["x", "eth0 out"] }, true],
    [{ by: "value" as const, is: { reducer: "max", op: ">=", value: 5 } }, true], [{ by: "value" as const, is: { reducer: "max", op: "lt", value: 5 } }, false],
  ])("%j", (match, want) => expect(matches(match, field)).toBe(want));
  it("go over the query's words and the panel's; later ones win", () => {
    const panel: Panel = {
      id: "p", type: "stat", title: "", unit: "bytes", decimals: 1, max: 9,
      overrides: [{ match: { by: "all" }, set: { color: "#000000", unit: "s" } }, { match: { by: "query", is: "B" }, set: { color: "#ffffff" } }, { match: { by: "query", is: "C" }, set: { decimals: 5 } }],
    };
    expect(lookOf(panel, { id: "B", expr: "", decimals: 2 }, field)).toEqual({ unit: "s", decimals: 2, max: 9, color: "#ffffff" });
  });
});

it.each([
  ["${__field.labels.instance}", "a:1"], ["${__field.name} of ${__field.labels.job}", "up of api"], ["${__series.name}", "up"], ["$__field_name", "up"], ["${__field.labels[\"job\"]}", "api"], ["${__field.labels.none}", ""],
  ["${__field.labels}", 'job="api", instance="a:1"'], ["plain $job", "plain $job"],
])("a title of %s", (title, want) => expect(titleOf(title, { ...field, name: "up", labels: { __name__: "up", job: "api", instance: "a:1" } })).toBe(want));

describe("mappingOf", () => {
  const mappings: Mapping[] = [
    { value: 0, text: "zero" }, { value: "up", text: "UP" }, { from: 1, to: 2, text: "some" }, { from: 3, to: null, text: "many" }, { pattern: "/^x/", text: "X" }, { special: "null+nan", text: "none" }, { special: "true", text: "yes" }, { special: "empty", text: "blank" },
  ];
  it.each([[0, "zero"], ["0", "zero"], ["up", "UP"], [1, "some"], [2, "some"], [2.5, undefined], [99, "many"], ["xy", "X"], [null, "none"], [undefined, "none"], [Number.NaN, "none"], [true, "yes"], ["", "blank"]])(
    "%s", (value, want) => expect(mappingOf(value, mappings)?.text).toBe(want));
});
