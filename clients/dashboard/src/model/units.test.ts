import { describe, expect, it } from "vitest";
import { formatValue } from "./units";

describe("formatValue", () => {
  it.each([
    [0, "short", undefined, "0"],
    [2450, "short", undefined, "2.45 K"],
    [999_999, "short", undefined, "1 M"],
    [7.2, "x", 1, "7.2×"],
    [0.912, "percentunit", undefined, "91.2 %"],
    [78, "percent", 0, "78 %"],
    [0.9999, "percentunit", undefined, "99.99 %"],
    [99.96, "percent", undefined, "99.96 %"],
    [-99.999, "%", undefined, "−99.999 %"],
    [1, "percentunit", undefined, "100 %"],
    [99.99999999, "percent", undefined, "100 %"],
    [99.6, "percent", 0, "100 %"],
    [0.034, "s", undefined, "34 ms"],
    [0.0000023, "s", undefined, "2.3 µs"],
    [12.4, "s", undefined, "12.4 s"],
    [300, "s", undefined, "5 min"],
    [0, "s", undefined, "0 s"],
    [1536, "bytes", undefined, "1.5 KiB"],
    [561e6, "decbytes", undefined, "561 MB"],
    [245e6, "Bps", undefined, "245 MB/s"],
    [12_450, "currencyUSD", undefined, "$12,450"],
    [-0.86, "change", 0, "−86 %"],
    [620, "changepercent", undefined, "+620 %"],
    [156_789, "grouped", undefined, "156,789"],
    [-5, "widgets", undefined, "-5 widgets"],
    [Number.NaN, "s", undefined, "–"],
    [null, "s", undefined, "–"],
    [Infinity, "s", undefined, "+∞"],
    [2449.7, "cps", undefined, "2,450 cmd/s"],
    [0.0000003, "percentunit", 1, "<0.1 %"],
    [0, "percentunit", 1, "0.0 %"],
    [5, "constructor", undefined, "5 constructor"],
    [5, "constructor-like", undefined, "5 constructor-like"],
  ])("%s %s", (value, unit, decimals, text) => {
    expect(formatValue(value, unit, decimals)).toBe(text);
  });
});
