// Answers as tables and back. As Grafana does it: a query of format "table" is one table with a column for each label, any other one
// table for each series.
import type { Frame, Series } from "../frames";
import { columnNames, rowCount, type Cell, type Column, type Table } from "./table";

// `alone`: whether no other query of the panel is a table; then its numbers are called "Value" and not "Value #A".
function tableOf(frame: Frame, alone: boolean): Table {
  const names = [...new Set(frame.series.flatMap((series) => Object.keys(series.labels)))].sort();
  const rows = frame.series.flatMap((series) => series.times.map((time, i) => ({ series, time, value: series.values[i] ?? null })));
  const column = (name: string, kind: Column["kind"], value: (row: (typeof rows)[number]) => Cell): Column => ({ name, kind, labels: {}, query: frame.query.id, values: rows.map(value) });
  return {
    query: frame.query.id,
    columns: [
      column("Time", "time", (row) => row.time),
      ...names.map((name) => column(name, "text", (row) => row.series.labels[name] ?? null)),
      column(alone ? "Value" : `Value #${frame.query.id}`, "number", (row) => row.value),
    ],
  };
}

function tablesOfSeries(frame: Frame): Table[] {
  return frame.series.map((series) => ({
    query: frame.query.id,
    name: series.name,
    columns: [
      { name: "Time", kind: "time", values: series.times, labels: {}, query: frame.query.id },
      { name: "Value", title: series.name, kind: "number", values: series.values, labels: series.labels, query: frame.query.id },
    ],
  }));
}

export function tablesOf(frames: readonly Frame[]): Table[] {
  const alone = frames.filter((frame) => frame.query.format === "table").length < 2;
  return frames.flatMap((frame) => (frame.query.format === "table" ? (frame.series.length > 0 ? [tableOf(frame, alone)] : []) : tablesOfSeries(frame)));
}

// Times have to ascend, and those of a table that was sorted may not.
function inTime(times: number[], values: (number | null)[]): { times: number[]; values: (number | null)[] } {
  const order = times.map((_, i) => i).sort((a, b) => (times[a] as number) - (times[b] as number));
  return { times: order.map((i) => times[i] as number), values: order.map((i) => values[i] as number | null) };
}

const numberOrNull = (value: Cell | undefined): number | null => (typeof value === "number" ? value : typeof value === "boolean" ? Number(value) : null);

// A column of numbers over time is a series; without times each row is one, called after its texts.
function seriesOf(table: Table, at: number): Series[] {
  const names = columnNames(table);
  const time = table.columns.find((column) => column.kind === "time");
  const texts = table.columns.flatMap((column, i) => (column.kind === "text" ? [{ column, name: names[i] as string }] : []));
  const numbers = table.columns.flatMap((column, i) => (column.kind === "number" ? [{ column, name: names[i] as string }] : []));
  const several = rowCount(table) > 1 && texts.length > 0;
  return numbers.flatMap(({ column, name }): Series[] => {
    if (time && !several) {
      const values = column.values.map(numberOrNull);
      return [{ key: `${column.query} ${name}`, name, labels: column.labels, ...inTime(time.values.map((value) => Number(value)), values) }];
    }
    return column.values.map((value, row) => {
      const words = texts.map((text) => String(text.column.values[row] ?? "")).filter((word) => word !== "");
      const own = words.join(" ");
      const called = own === "" ? name : numbers.length > 1 ? `${own} ${name}` : own;
      const labels = Object.fromEntries(texts.map((text) => [text.name, String(text.column.values[row] ?? "")]));
      return { key: `${column.query} ${called} ${row}`, name: called, labels: { ...column.labels, ...labels }, times: [Number(time?.values[row] ?? at)], values: [numberOrNull(value)] };
    });
  });
}

// The tables as frames to draw, with the queries that their columns came from. `at`: the time of what has none.
export function framesOf(tables: readonly Table[], frames: readonly Frame[], at: number): Frame[] {
  const first = frames[0];
  if (!first) return [];
  const byQuery = new Map<string, Series[]>();
  for (const table of tables) {
    for (const series of seriesOf(table, at)) {
      const query = frames.some((frame) => series.key.startsWith(`${frame.query.id} `)) ? (series.key.split(" ")[0] as string) : first.query.id;
      byQuery.set(query, [...(byQuery.get(query) ?? []), series]);
    }
  }
  return frames.map((frame) => ({ ...frame, series: byQuery.get(frame.query.id) ?? [] }));
}
