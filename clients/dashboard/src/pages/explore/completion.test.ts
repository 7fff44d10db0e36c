import { expect, it } from "vitest";
import { selectorOf } from "./completion";

it("asks with names and values in quotes, whatever is in them", () => {
  expect(selectorOf("up", [{ name: "a", value: 'x"y', text: "=" }, { name: "b", value: "", text: "=" }])).toBe('{__name__="up",a="x\\"y"}');
  expect(selectorOf(undefined, [])).toBe("{}");
});
