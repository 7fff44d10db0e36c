import { describe, expect, it } from "vitest";
import { emptyFrame, type Frame } from "../frames";
import { framesOf, tablesOf } from "./convert";
import { reduce } from "./reducers";
import { columnNames, rowCount, type Cell, type Table } from "./table";
import { lackOf, transform, TRANSFORMATIONS } from "./transform";

const frame = (id: string, format: "table" | undefined, rows: [Record<string, string>, [number, number][]][]): Frame => ({
  ...emptyFrame({ id, expr: id, ...(format ? { format } : {}) }, id),
  series: rows.map(([labels, samples]) => ({ key: `${id} ${JSON.stringify(labels)}`, name: Object.values(labels).join(" ") || id, labels, times: samples.map(([time]) => time), values: samples.map(([, value]) => value) })),
});
// A table as rows of texts: its head first.
const rowsOf = (table: Table | undefined): Cell[][] => (table ? [columnNames(table), ...Array.from({ length: rowCount(table) }, (_, row) => table.columns.map((column) => column.values[row] ?? null))] : []);
const apply = (frames: Frame[], ...steps: [string, object?][]) => transform(tablesOf(frames), steps.map(([id, options]) => ({ id, options: (options ?? {}) as Record<string, unknown> })));

const USED = frame("A", "table", [[{ host: "a" }, [[10, 1]]], [{ host: "b" }, [[10, 2]]]]);
const SIZE = frame("B", "table", [[{ host: "b" }, [[10, 20]]], [{ host: "c" }, [[10, 30]]]]);
const OVER_TIME = frame("A", undefined, [[{ host: "a", job: "x" }, [[10, 1], [20, 2]]], [{ host: "b", job: "x" }, [[10, 3], [20, 5]]]]);

describe("tables", () => {
  it("have Grafana's names", () => {
    expect(rowsOf(tablesOf([USED])[0])).toEqual([["Time", "host", "Value"], [10, "a", 1], [10, "b", 2]]);
    expect(tablesOf([USED, SIZE]).map((table) => columnNames(table)[2])).toEqual(["Value #A", "Value #B"]);
    expect(tablesOf([OVER_TIME]).map((table) => columnNames(table))).toEqual([["Time", "a x"], ["Time", "b x"]]);
  });
  it("become series again", () => {
    const series = framesOf(tablesOf([OVER_TIME]), [OVER_TIME], 99)[0]?.series;
    expect(series?.map((one) => [one.name, one.times, one.values])).toEqual([["a x", [10, 20], [1, 2]], ["b x", [10, 20], [3, 5]]]);
    const rows = framesOf(tablesOf([USED]), [USED], 99)[0]?.series;
    expect(rows?.map((one) => [one.name, one.values])).toEqual([["a", [1]], ["b", [2]]]);
  });
});

describe("transformations", () => {
  it("merge", () => {
    expect(rowsOf(apply([USED, SIZE], ["merge"])[0])).toEqual([["Time", "host", "Value #A", "Value #B"], [10, "a", 1, null], [10, "b", 2, 20], [10, "c", null, 30]]);
    // Two rows that agree in what all have, and differ elsewhere, stay two.
    const twice = frame("B", "table", [[{ host: "b", disk: "1" }, [[10, 20]]], [{ host: "b", disk: "2" }, [[10, 21]]]]);
    expect(rowsOf(apply([USED, twice], ["merge"])[0])).toEqual([["Time", "host", "Value #A", "disk", "Value #B"], [10, "a", 1, null, null], [10, "b", 2, "1", 20], [10, "b", null, "2", 21]]);
  });
  it("joinByField and its older name, outer and inner; columns of one name are told apart", () => {
    for (const id of ["joinByField", "seriesToColumns"]) {
      expect(rowsOf(apply([USED, SIZE], [id, { byField: "host" }])[0])).toEqual([["host", "Time 1", "Value #A", "Time 2", "Value #B"], ["a", 10, 1, null, null], ["b", 10, 2, 10, 20], ["c", null, null, 10, 30]]);
    }
    expect(rowsOf(apply([USED, SIZE], ["joinByField", { byField: "host", mode: "inner" }])[0])).toEqual([["host", "Time 1", "Value #A", "Time 2", "Value #B"], ["b", 10, 2, 10, 20]]);
    expect(rowsOf(apply([OVER_TIME], ["joinByField"])[0])).toEqual([["Time", "a x", "b x"], [10, 1, 3], [20, 2, 5]]);
  });
  it("organize: leaves out, orders, renames", () => {
    const table = apply([USED, SIZE], ["joinByField", { byField: "host" }], ["organize", { excludeByName: { "Time 1": true, "Time 2": true }, indexByName: { "Value #B": 0, host: 1 }, renameByName: { host: "Host", "Value #B": "Size" } }])[0];
    expect(rowsOf(table)).toEqual([["Size", "Host", "Value #A"], [null, "a", 1], [20, "b", 2], [30, "c", null]]);
  });
  it("renameByRegex", () => {
    expect(apply([OVER_TIME], ["renameByRegex", { regex: "/(.*) x/", renamePattern: "host $1" }]).map((table) => columnNames(table)[1])).toEqual(["host a", "host b"]);
  });
  it("filterFieldsByName", () => {
    expect(columnNames(apply([USED, SIZE], ["merge"], ["filterFieldsByName", { include: { pattern: "^Value|host" }, exclude: { names: ["Value #B"] } }])[0] as Table)).toEqual(["host", "Value #A"]);
  });
  it("groupBy", () => {
    const all = frame("A", "table", [[{ host: "a", cpu: "0" }, [[10, 1]]], [{ host: "a", cpu: "1" }, [[10, 3]]], [{ host: "b", cpu: "0" }, [[10, 7]]]]);
    expect(rowsOf(apply([all], ["groupBy", { fields: { host: { operation: "groupby", aggregations: [] }, Value: { operation: "aggregate", aggregations: ["sum", "count"] } } }])[0]))
      .toEqual([["host", "Value (sum)", "Value (count)"], ["a", 4, 2], ["b", 7, 1]]);
  });
  it("reduce in both modes", () => {
    expect(rowsOf(apply([OVER_TIME], ["reduce", { reducers: ["max", "lastNotNull"], labelsToFields: true }])[0])).toEqual([["Field", "host", "job", "Max", "Last *"], ["a x", "a", "x", 2, 2], ["b x", "b", "x", 5, 5]]);
    expect(apply([OVER_TIME], ["reduce", { mode: "reduceFields", reducers: ["mean"] }]).map(rowsOf)).toEqual([[["a x"], [1.5]], [["b x"], [4]]]);
  });
  it("calculateField in its modes", () => {
    const wide: [string, object?] = ["joinByField"];
    const last = (options: object) => rowsOf(apply([OVER_TIME], wide, ["calculateField", options])[0]).map((row) => row[row.length - 1]);
    expect(last({ mode: "binary", binary: { left: "b x", operator: "-", right: "a x" } })).toEqual(["b x - a x", 2, 3]);
    expect(last({ mode: "binary", alias: "Twice", binary: { left: { matcher: { id: "byName", options: "a x" } }, operator: "*", right: { fixed: "2" } } })).toEqual(["Twice", 2, 4]);
    expect(last({ mode: "reduceRow", reduce: { reducer: "sum" } })).toEqual(["Total", 4, 7]);
    expect(rowsOf(apply([OVER_TIME], wide, ["calculateField", { mode: "index", replaceFields: true }])[0])).toEqual([["Time", "Row"], [10, 0], [20, 1]]);
  });
  it("sortBy, limit, filterByValue, filterByRefId", () => {
    expect(rowsOf(apply([USED, SIZE], ["merge"], ["sortBy", { sort: [{ field: "Value #A", desc: true }] }], ["limit", { limitField: 2 }])[0]).map((row) => row[1])).toEqual(["host", "c", "b"]);
    const filters = [{ fieldName: "Value", config: { id: "greater", options: { value: 1 } } }];
    expect(rowsOf(apply([USED], ["filterByValue", { filters, type: "include", match: "any" }])[0])).toEqual([["Time", "host", "Value"], [10, "b", 2]]);
    expect(rowsOf(apply([USED], ["filterByValue", { filters, type: "exclude", match: "any" }])[0])).toEqual([["Time", "host", "Value"], [10, "a", 1]]);
    expect(apply([USED, SIZE], ["filterByRefId", { include: "B" }]).map((table) => table.query)).toEqual(["B"]);
  });
  it("labelsToFields and seriesToRows", () => {
    expect(rowsOf(apply([OVER_TIME], ["labelsToFields", { keepLabels: ["host"] }])[0])).toEqual([["Time", "host", "Value"], [10, "a", 1], [20, "a", 2], [10, "b", 3], [20, "b", 5]]);
    expect(rowsOf(apply([OVER_TIME], ["seriesToRows"])[0])).toEqual([["Time", "Metric", "Value"], [20, "a x", 2], [20, "b x", 5], [10, "a x", 1], [10, "b x", 3]]);
  });
  it("prepareTimeSeries", () => {
    expect(rowsOf(apply([OVER_TIME], ["prepareTimeSeries", { format: "wide" }])[0])).toEqual([["Time", "a x", "b x"], [10, 1, 3], [20, 2, 5]]);
    expect(apply([USED], ["prepareTimeSeries", { format: "many" }]).map((table) => table.columns[1]?.labels)).toEqual([{ host: "a" }, { host: "b" }]);
  });
  it("say what they do not do", () => {
    expect(Object.keys(TRANSFORMATIONS).flatMap((id) => lackOf({ id }) ?? [])).toEqual([]);
    expect(lackOf({ id: "filterByValue", options: { filters: [{ config: { id: "weather" } }] } })).toBe('of the transformation "filterByValue" the test "weather" is left out');
  });
});

describe("reducers", () => {
  it.each([
    ["lastNotNull", [1, null], 1], ["last", [1, null], null], ["mean", [1, 3, null], 2], ["median", [5, 1, 3], 3], ["range", [2, 9], 7], ["delta", [1, 5, 2, 4], 8], ["diffperc", [2, 3], 0.5], ["logmin", [0, 4, 2], 2],
    ["changeCount", [1, 1, 2], 1], ["distinctCount", [1, 1, 2], 2], ["p95", [0, 100], 95], ["avg", [2, 4], 3], ["sum", [], 0], ["max", [], null], ["nothing", [1], null],
  ] as [string, Cell[], Cell][])("%s", (name, values, want) => expect(reduce(name, values)).toBe(want));
});
