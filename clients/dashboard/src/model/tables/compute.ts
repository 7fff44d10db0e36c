// Transformations that compute: groups, sums of rows and columns, one column from others.
import { reduce as reduced, reducerNamed } from "./reducers";
import { columnNamed, columnNames, rowCount, type Cell, type Column, type Options, type Table } from "./table";

type Words = Record<string, unknown>;
const record = (value: unknown): Words => (typeof value === "object" && value !== null ? (value as Words) : {});
const texts = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);

const kindOf = (values: readonly Cell[], was: Column["kind"]): Column["kind"] => (values.every((value) => value === null || typeof value === "number") ? (was === "time" ? "time" : "number") : "text");
// Reducers that answer with how many there are, whatever was counted.
const COUNTS = new Set(["count", "distinctCount", "changeCount"]);

// Rows with the same values of the columns of operation "groupby" become one, the others what their reducers make of them:
// "Value (sum)".
export function groupBy(tables: Table[], options: Options): Table[] {
  const fields = record(options.fields);
  return tables.map((table) => {
    const names = columnNames(table);
    const of = (i: number) => record(fields[names[i] as string] ?? fields[table.columns[i]?.name ?? ""]);
    const keys = table.columns.filter((_, i) => of(i).operation === "groupby");
    if (keys.length === 0) return table;
    const groups = new Map<string, number[]>();
    for (let row = 0; row < rowCount(table); row++) {
      const key = JSON.stringify(keys.map((column) => column.values[row]));
      groups.set(key, [...(groups.get(key) ?? []), row]);
    }
    const all = [...groups.values()];
    const computed = table.columns.flatMap((column, i) => (of(i).operation !== "aggregate" ? [] : texts(of(i).aggregations).map((reducer): Column => {
      const values = all.map((rows) => reduced(reducer, rows.map((row) => column.values[row] ?? null)));
      return { name: `${names[i]} (${reducer})`, kind: COUNTS.has(reducer) ? "number" : kindOf(values, column.kind), labels: column.labels, query: column.query, values };
    })));
    return { ...table, columns: [...keys.map((column) => ({ ...column, values: all.map((rows) => column.values[rows[0] as number] ?? null) })), ...computed] };
  });
}

// mode "seriesToRows" (default): a row for each column of numbers, a column for each reducer; "reduceFields": each column becomes one number.
export function reduceFields(tables: Table[], options: Options): Table[] {
  const reducers = texts(options.reducers).filter((name) => reducerNamed(name) !== undefined);
  if (reducers.length === 0) reducers.push("max");
  const takes = (column: Column) => column.kind === "number" || (column.kind === "time" && options.includeTimeField === true);
  if (options.mode === "reduceFields") {
    return tables.map((table) => ({
      ...table,
      columns: table.columns.filter(takes).flatMap((column) => reducers.map((name): Column => ({ ...column, ...(reducers.length > 1 ? { title: `${column.title ?? column.name} ${reducerNamed(name)?.title ?? name}` } : {}), values: [reduced(name, column.values)] }))),
    }));
  }
  const rows = tables.flatMap((table) => {
    const names = columnNames(table);
    return table.columns.flatMap((column, i) => (takes(column) ? [{ name: names[i] as string, column }] : []));
  });
  const labels = options.labelsToFields === true ? [...new Set(rows.flatMap((row) => Object.keys(row.column.labels)))].sort() : [];
  const query = rows[0]?.column.query ?? "";
  return [{
    query: "",
    columns: [
      { name: "Field", kind: "text", labels: {}, query, values: rows.map((row) => row.name) },
      ...labels.map((label): Column => ({ name: label, kind: "text", labels: {}, query, values: rows.map((row) => row.column.labels[label] ?? null) })),
      ...reducers.map((name): Column => {
        const values = rows.map((row) => reduced(name, row.column.values));
        return { name: reducerNamed(name)?.title ?? name, kind: kindOf(values, "number"), labels: {}, query, values };
      }),
    ],
  }];
}

const OPERATORS: Record<string, (a: number, b: number) => number> = {
  "+": (a, b) => a + b, "-": (a, b) => a - b, "*": (a, b) => a * b, "/": (a, b) => a / b, "%": (a, b) => a % b, "**": (a, b) => a ** b, "^": (a, b) => a ** b,
};
const FUNCTIONS: Record<string, (a: number) => number> = { abs: Math.abs, exp: Math.exp, ln: Math.log, log2: Math.log2, log10: Math.log10, floor: Math.floor, ceil: Math.ceil, round: Math.round, sqrt: Math.sqrt, sign: Math.sign };

// A side of a calculation: a column's name, also as {matcher: {options}}, or a number.
function sideOf(table: Table, side: unknown): { name: string; at: (row: number) => Cell } {
  const matcher = record(record(side).matcher);
  const fixed = record(side).fixed;
  const name = String(matcher.options ?? fixed ?? (typeof side === "object" ? "" : side) ?? "");
  const column = columnNamed(table, name);
  const number = name.trim() === "" ? Number.NaN : Number(name);
  return { name, at: (row) => (column ? (column.values[row] ?? null) : Number.isNaN(number) ? null : number) };
}

interface Calculation {
  name: string;
  values: Cell[];
}

type Mode = (table: Table, options: Words, rows: number[]) => Calculation | undefined;

const MODES: Record<string, Mode> = {
  reduceRow: (table, options, rows) => {
    const { include, reducer } = record(options.reduce) as { include?: unknown; reducer?: unknown };
    const names = columnNames(table);
    const wanted = texts(include);
    const columns = table.columns.filter((column, i) => column.kind === "number" && (wanted.length === 0 || wanted.includes(names[i] as string)));
    const name = String(reducer ?? "sum");
    return { name: reducerNamed(name)?.title ?? name, values: rows.map((row) => reduced(name, columns.map((column) => column.values[row] ?? null))) };
  },
  binary: (table, options, rows) => {
    const { left, right, operator } = record(options.binary);
    const [a, b] = [sideOf(table, left), sideOf(table, right)];
    const operate = OPERATORS[String(operator ?? "+")];
    if (!operate) return undefined;
    const one = (x: Cell, y: Cell) => (typeof x === "number" && typeof y === "number" ? operate(x, y) : null);
    return { name: `${a.name} ${String(operator ?? "+")} ${b.name}`, values: rows.map((row) => one(a.at(row), b.at(row))) };
  },
  unary: (table, options, rows) => {
    const { operator, fieldName } = record(options.unary);
    const compute = FUNCTIONS[String(operator ?? "abs")];
    const side = sideOf(table, fieldName);
    if (!compute) return undefined;
    return { name: `${String(operator ?? "abs")}(${side.name})`, values: rows.map((row) => { const value = side.at(row); return typeof value === "number" ? compute(value) : null; }) };
  },
  index: (_table, options, rows) => ({ name: "Row", values: rows.map((row) => (record(options.index).asPercentile === true ? (row / Math.max(1, rows.length - 1)) : row)) }),
  cumulativeFunctions: (table, options, rows) => {
    const { field, reducer } = record(options.cumulative);
    const side = sideOf(table, field);
    let sum = 0;
    return { name: `cumulative ${String(reducer ?? "sum")}(${side.name})`, values: rows.map((row, i) => { sum += Number(side.at(row) ?? 0); return reducer === "mean" ? sum / (i + 1) : sum; }) };
  },
};

export const knownCalculation = (mode: string): boolean => Object.hasOwn(MODES, mode);

// One more column: of each row a reducer over columns, or two columns with an operator between. replaceFields: it and the time alone.
export function calculateField(tables: Table[], options: Options): Table[] {
  const mode = MODES[String(options.mode ?? "reduceRow")];
  if (!mode) return tables;
  return tables.map((table) => {
    const made = mode(table, options, Array.from({ length: rowCount(table) }, (_, i) => i));
    if (!made) return table;
    const alias = typeof options.alias === "string" && options.alias !== "" ? options.alias : made.name;
    const column: Column = { name: alias, kind: "number", labels: {}, query: table.columns.find((one) => one.kind === "number")?.query ?? table.query, values: made.values };
    const rest = options.replaceFields === true ? table.columns.filter((one) => one.kind === "time") : table.columns;
    return { ...table, columns: [...rest, column] };
  });
}
