// Tables: what transformations work on. A table is columns of equal length, each with the labels and the query it came from. Names of
// columns are Grafana's ("Time", "Value #A", "label 1" where two have one name), since transformations and overrides name them.
import type { Labels } from "../../api";
import { byText } from "../order";

export type Cell = number | string | boolean | null;
// What a transformation is told.
export type Options = Record<string, unknown>;

export type ColumnKind = "time" | "number" | "text";

export interface Column {
  name: string;
  // What it is called where something gave it a name of its own: a legend, or a renaming.
  title?: string;
  // Times are seconds since 1970.
  kind: ColumnKind;
  values: Cell[];
  labels: Labels;
  // The id of the query; "" for what was computed from several.
  query: string;
}

export interface Table {
  // The query that it answers; "" where it was put together from several.
  query: string;
  name?: string;
  columns: Column[];
}

export const rowCount = (table: Table): number => table.columns[0]?.values.length ?? 0;

function plainName(column: Column): string {
  return column.title ?? column.name;
}

// The names of a table's columns as they are shown. Columns with one name are told apart by " 1", " 2".
export function columnNames(table: Table): string[] {
  const plain = table.columns.map(plainName);
  const seen = new Map<string, number>();
  return plain.map((name) => {
    if (plain.indexOf(name) === plain.lastIndexOf(name)) return name;
    const n = (seen.get(name) ?? 0) + 1;
    seen.set(name, n);
    return `${name} ${n}`;
  });
}

// The column of that name, as shown or, where none is shown so, as it came.
export function columnNamed(table: Table, name: string): Column | undefined {
  const at = columnNames(table).indexOf(name);
  return table.columns[at] ?? table.columns.find((column) => column.name === name);
}

// The same table with the rows at these places, in this order.
export function pickRows(table: Table, rows: readonly number[]): Table {
  return { ...table, columns: table.columns.map((column) => ({ ...column, values: rows.map((row) => column.values[row] ?? null) })) };
}

// Numbers by size, texts by their letters and the numbers in them, nothing last.
export function compareCells(a: Cell | undefined, b: Cell | undefined): number {
  const none = (value: Cell | undefined) => value === null || value === undefined || (typeof value === "number" && Number.isNaN(value));
  if (none(a) || none(b)) return Number(none(a)) - Number(none(b));
  if (typeof a === "number" && typeof b === "number") return a < b ? -1 : Number(a > b);
  return byText(String(a), String(b));
}
