import { expect, it } from "vitest";
import type { Usage } from "../../api";
import { ratesOf, refusedText } from "./taken";

const row = (name: string, change: Partial<Usage> = {}): Usage => ({
  kind: "token", name, quotas: [], points: 0, bytes: 0, newSeries: 0, newFields: 0, series: 0, queries: 0, runningQueries: 0, queryMemoryBytes: 0, refusedWrites: 0, refusedRows: 0, refusedQueries: 0, ...change,
});

it("what is taken a second is the difference of two answers", () => {
  const rates = ratesOf({ at: 1000, rows: [row("a", { points: 10, bytes: 100, queries: 1 })] }, { at: 3000, rows: [row("a", { points: 30, bytes: 500, queries: 2 })] });
  expect(rates.get("token a")).toEqual({ points: 10, bytes: 200, queries: 0.5 });
});

it("one answer, a new row and a server that began anew say nothing", () => {
  const now = { at: 3000, rows: [row("a", { points: 5 }), row("b"), row("a", { kind: "database", points: 9 })] };
  expect(ratesOf(undefined, now).size).toBe(0);
  expect(ratesOf({ at: 3000, rows: now.rows }, now).size).toBe(0);
  expect([...ratesOf({ at: 1000, rows: [row("a", { points: 7 })] }, now).keys()]).toEqual([]);
});

it("refusals are counted by what was refused", () => {
  expect(refusedText(row("a"))).toBe("");
  expect(refusedText(row("a", { refusedWrites: 1, refusedRows: 30, refusedQueries: 2 }))).toBe("1 write, 30 rows, 2 queries");
});
