// Reducers: one number for many. Names and what each is called in a column's head are Grafana's.
import type { Cell } from "./table";

export interface Reducer {
  title: string;
  // `numbers`: the values that are numbers; `all`: the values as they are.
  of: (numbers: readonly number[], all: readonly Cell[]) => Cell;
}

const last = (values: readonly Cell[]): Cell => values[values.length - 1] ?? null;
const known = (values: readonly Cell[]): Cell[] => values.filter((value) => value !== null && !(typeof value === "number" && Number.isNaN(value)));
const orNull = (numbers: readonly number[], compute: () => number): number | null => (numbers.length === 0 ? null : compute());
const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);
const mean = (numbers: readonly number[]): number => sum(numbers) / numbers.length;
const least = (numbers: readonly number[]): number => numbers.reduce((a, b) => Math.min(a, b), Infinity);
const most = (numbers: readonly number[]): number => numbers.reduce((a, b) => Math.max(a, b), -Infinity);

function variance(numbers: readonly number[]): number {
  const middle = mean(numbers);
  return sum(numbers.map((one) => (one - middle) ** 2)) / numbers.length;
}

function quantile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const low = sorted[Math.floor(at)] as number;
  return low + ((sorted[Math.ceil(at)] as number) - low) * (at - Math.floor(at));
}

// What a counter grew by: where it falls it began anew.
function growth(numbers: readonly number[]): number {
  return sum(numbers.slice(1).map((one, i) => (one >= (numbers[i] as number) ? one - (numbers[i] as number) : one)));
}

const change = (numbers: readonly number[]): number => (numbers[numbers.length - 1] as number) - (numbers[0] as number);

export const REDUCERS: Record<string, Reducer> = {
  lastNotNull: { title: "Last *", of: (_, all) => last(known(all)) },
  last: { title: "Last", of: (_, all) => last(all) },
  firstNotNull: { title: "First *", of: (_, all) => known(all)[0] ?? null },
  first: { title: "First", of: (_, all) => all[0] ?? null },
  min: { title: "Min", of: (n) => orNull(n, () => least(n)) },
  max: { title: "Max", of: (n) => orNull(n, () => most(n)) },
  mean: { title: "Mean", of: (n) => orNull(n, () => mean(n)) },
  median: { title: "Median", of: (n) => orNull(n, () => quantile(n, 0.5)) },
  sum: { title: "Total", of: (n) => sum(n) },
  count: { title: "Count", of: (_, all) => all.length },
  range: { title: "Range", of: (n) => orNull(n, () => most(n) - least(n)) },
  delta: { title: "Delta", of: (n) => orNull(n, () => growth(n)) },
  step: { title: "Step", of: (n) => (n.length < 2 ? null : least(n.slice(1).map((one, i) => one - (n[i] as number)))) },
  diff: { title: "Difference", of: (n) => orNull(n, () => change(n)) },
  diffperc: { title: "Difference percent", of: (n) => orNull(n, () => change(n) / (n[0] as number)) },
  logmin: { title: "Min (above zero)", of: (n) => { const above = n.filter((one) => one > 0); return orNull(above, () => least(above)); } },
  variance: { title: "Variance", of: (n) => orNull(n, () => variance(n)) },
  stdDev: { title: "StdDev", of: (n) => orNull(n, () => Math.sqrt(variance(n))) },
  allIsZero: { title: "All zeros", of: (n, all) => all.length > 0 && n.length === all.length && n.every((one) => one === 0) },
  allIsNull: { title: "All nulls", of: (_, all) => known(all).length === 0 },
  changeCount: { title: "Change count", of: (_, all) => all.slice(1).filter((one, i) => one !== all[i]).length },
  distinctCount: { title: "Distinct count", of: (_, all) => new Set(all).size },
  uniqueValues: { title: "All unique values", of: (_, all) => [...new Set(all)].join(", ") },
  allValues: { title: "All values", of: (_, all) => all.join(", ") },
  p1: { title: "1st %", of: (n) => orNull(n, () => quantile(n, 0.01)) },
  p5: { title: "5th %", of: (n) => orNull(n, () => quantile(n, 0.05)) },
  p25: { title: "25th %", of: (n) => orNull(n, () => quantile(n, 0.25)) },
  p75: { title: "75th %", of: (n) => orNull(n, () => quantile(n, 0.75)) },
  p90: { title: "90th %", of: (n) => orNull(n, () => quantile(n, 0.9)) },
  p95: { title: "95th %", of: (n) => orNull(n, () => quantile(n, 0.95)) },
  p99: { title: "99th %", of: (n) => orNull(n, () => quantile(n, 0.99)) },
};

// What older versions call them.
const OLDER: Record<string, string> = { current: "lastNotNull", avg: "mean", total: "sum" };

export function reducerNamed(name: string): Reducer | undefined {
  const now = Object.hasOwn(OLDER, name) ? (OLDER[name] as string) : name;
  return Object.hasOwn(REDUCERS, now) ? REDUCERS[now] : undefined;
}

// null for what cannot be had: no values, or a reducer that there is not.
export function reduce(name: string, values: readonly Cell[]): Cell {
  const numbers = values.filter((value): value is number => typeof value === "number" && !Number.isNaN(value));
  return reducerNamed(name)?.of(numbers, values) ?? null;
}
