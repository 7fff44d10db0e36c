import { expect, it } from "vitest";
import { faultPlace, offsetOf } from "./rule_place";

it("finds the place of a fault in the text", () => {
  const text = "name: g\nrules:\n  - alert: A\n    expr: sum(\n";
  const place = faultPlace("mine:4:11: parse error: unclosed left parenthesis");
  expect(place).toEqual({ line: 4, column: 11 });
  expect(text.slice(offsetOf(text, place as { line: number; column: number }))).toBe("sum(\n");
  expect(offsetOf(text, { line: 99, column: 1 })).toBe(text.length);
  expect(faultPlace("no such group")).toBeUndefined();
});
