import { describe, expect, it } from "vitest";
import { safeHref } from "./text";

describe("safeHref", () => {
  it.each(["https://example.org/x", "?page=live", "/dashboard", "#a"])("takes %s", (href) => expect(safeHref(href)).toBe(href));
  it.each(["javascript:alert(1)", "JAVASCRIPT:alert(1)", " javascript:alert(1)", "data:text/html,x", "//elsewhere.org"])(
    "refuses %s", (href) => expect(safeHref(href)).toBeUndefined());
});
