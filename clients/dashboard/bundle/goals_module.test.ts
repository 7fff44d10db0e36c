import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readGoals } from "./goals_module";

it("has a value for each name in the formulas of the file that ships", () => {
  const file = readGoals(readFileSync(process.env.TIDEMARK_GOALS ?? new URL("../../../tools/demo/goals.yaml", import.meta.url), "utf8"));
  const known = new Set([...file.values.map((value) => value.name), ...Object.keys(file.prices)]);
  for (const { name, formula, as } of file.savings) {
    for (const [word] of formula.matchAll(/[A-Za-z_]\w*/g)) expect(known, `${word} of ${name}`).toContain(word);
    if (as !== undefined) known.add(as);
  }
});

describe("readGoals", () => {
  it("reads what tools/demo/goals.h describes", () => {
    const file = readGoals(`
database: d
goals:
  - {name: a, query: x, target: 1, direction: below, unit: ms, tolerance: 10%}
  - {name: b, query: y, target: 2, direction: above, database: e}
values: [{name: v, query: z}]
prices: {p: 0.5}
savings: [{name: s, formula: v * p, unit: USD, as: t}]
`);
    expect(file.goals).toEqual([
      { name: "a", expr: "x", db: "d", target: 1, direction: "below", unit: "ms", tolerance: 0.1 },
      { name: "b", expr: "y", db: "e", target: 2, direction: "above", unit: "", tolerance: 0 },
    ]);
    expect(file.values).toEqual([{ name: "v", expr: "z", db: "d" }]);
    expect(file.savings).toEqual([{ name: "s", formula: "v * p", unit: "USD", as: "t" }]);
  });
  it("refuses a direction that is none", () => {
    expect(() => readGoals("goals: [{name: a, query: x, target: 1, direction: up}]")).toThrow("a: target, direction");
  });
});
