import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { formatValue, UNITS } from "./units";

// What each unit shows of these numbers. tests/unit/tools/cli/monitor holds the terminal's numbers to the same file.
// After a change that is meant: TIDEMARK_WRITE_UNITS=units_cases.json npx vitest run units writes it anew.
const CASES = fileURLToPath(new URL("./units_cases.json", import.meta.url));
const NUMBERS: [number, number | null][] = [
  [0, null], [1, null], [-1, null], [0.5, null], [0.125, null], [0.0123, null], [0.0996, null], [0.00042, null], [3e-8, null], [7.25, null], [12.345, null],
  [99.96, null], [119.9, null], [255, null], [999.9996, null], [1023.9, null], [-1536, null], [2449.7, null], [156789, null], [3.7e12, null], [2e15, null], [1700000000, null],
  [0, 1], [2.5, 0], [0.125, 2], [0.0004, 2], [-86.26, 1], [12450, 0],
];

function shownByUnit(): Record<string, string[]> {
  // What depends on the time of day is no case.
  const names = [...Object.keys(UNITS).filter((name) => UNITS[name]?.way !== "ago"), "apples"];
  return Object.fromEntries(names.map((name) => [name, NUMBERS.map(([value, decimals]) => formatValue(value, name, decimals ?? undefined))]));
}

it("every unit shows what units_cases.json has, as the terminal's do", () => {
  const made = { numbers: NUMBERS, shown: shownByUnit() };
  if (process.env.TIDEMARK_WRITE_UNITS) {
    const rows = Object.entries(made.shown).map(([name, texts]) => `    ${JSON.stringify(name)}: ${JSON.stringify(texts)}`);
    writeFileSync(process.env.TIDEMARK_WRITE_UNITS, `{\n  "numbers": ${JSON.stringify(NUMBERS)},\n  "shown": {\n${rows.join(",\n")}\n  }\n}\n`);
  }
  expect(JSON.parse(readFileSync(CASES, "utf8"))).toEqual(made);
});

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
    [-5, "widgets", undefined, "−5 widgets"],
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
