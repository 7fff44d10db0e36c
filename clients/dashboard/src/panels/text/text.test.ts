import { describe, expect, it } from "vitest";
import { blocksOf, safeHref } from "./text";

it("parts paragraphs and lists, also where no line is between them", () => {
  expect(blocksOf("**Head**\nOne\ntwo\n- a\n- b\nafter\n\nlast")).toEqual([
    { list: false, lines: ["**Head**"] }, { list: false, lines: ["One", "two"] }, { list: true, lines: ["a", "b"] }, { list: false, lines: ["after"] }, { list: false, lines: ["last"] },
  ]);
});

describe("safeHref", () => {
  it.each(["https://example.org/x", "?page=live", "/dashboard", "#a"])("takes %s", (href) => expect(safeHref(href)).toBe(href));
  it.each(["javascript:alert(1)", "JAVASCRIPT:alert(1)", " javascript:alert(1)", "data:text/html,x", "//elsewhere.org"])(
    "refuses %s", (href) => expect(safeHref(href)).toBeUndefined());
});
