// Transformations that make one table of several, or several rows of one.
import { columnNamed, columnNames, compareCells, rowCount, type Cell, type Column, type Options, type Table } from "./table";

const keyOf = (cells: readonly (Cell | undefined)[]): string => JSON.stringify(cells.map((cell) => cell ?? null));

// Side by side, rows with one value of the column together. mode "outer" (default) keeps all values, "inner" those that all tables have.
// Without a column: by the time.
export function joinByField(tables: Table[], options: Options): Table[] {
  const wanted = typeof options.byField === "string" && options.byField !== "" ? options.byField : undefined;
  const by = (table: Table): Column | undefined => (wanted === undefined ? table.columns.find((column) => column.kind === "time") : columnNamed(table, wanted));
  const joined = tables.filter((table) => by(table) !== undefined);
  const first = joined[0];
  if (!first || joined.length < 2) return joined.length > 0 ? joined : tables;
  const places = joined.map((table) => {
    const out = new Map<string, number[]>();
    by(table)?.values.forEach((value, row) => out.set(keyOf([value]), [...(out.get(keyOf([value])) ?? []), row]));
    return out;
  });
  const values = new Map<string, Cell>();
  for (const table of joined) for (const value of by(table)?.values ?? []) values.set(keyOf([value]), value);
  let keys = [...values.keys()];
  if (options.mode === "inner") keys = keys.filter((key) => places.every((place) => place.has(key)));
  const key = by(first) as Column;
  if (key.kind !== "text") keys.sort((a, b) => compareCells(values.get(a), values.get(b)));
  // A value that a table has several times is as many rows.
  const rows = keys.flatMap((one) => {
    const most = Math.max(...places.map((place) => place.get(one)?.length ?? 0));
    return Array.from({ length: most }, (_, n) => ({ key: one, at: places.map((place) => place.get(one)?.[n] ?? (place.get(one)?.length === 1 ? place.get(one)?.[0] : undefined)) }));
  });
  return [{
    query: "",
    columns: [
      { ...key, values: rows.map((row) => values.get(row.key) ?? null) },
      ...joined.flatMap((table, t) => table.columns.filter((column) => column !== by(table)).map((column) => ({
        ...column,
        values: rows.map((row) => { const at = row.at[t]; return at === undefined ? null : (column.values[at] ?? null); }),
      }))),
    ],
  }];
}

// One below the other. Rows that agree in all columns that every table has become one, unless another column differs.
export function merge(tables: Table[]): Table[] {
  const filled = tables.filter((table) => rowCount(table) > 0);
  if (filled.length < 2) return filled.length > 0 ? filled : tables;
  const columns = new Map<string, Column>();
  const counts = new Map<string, number>();
  const named = filled.map((table) => columnNames(table));
  filled.forEach((table, t) => table.columns.forEach((column, i) => {
    const name = named[t]?.[i] as string;
    if (!columns.has(name)) columns.set(name, { ...column, values: [] });
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }));
  const names = [...columns.keys()];
  const shared = names.filter((name) => counts.get(name) === filled.length);
  const rows: Map<string, Cell>[] = [];
  const byKey = new Map<string, Map<string, Cell>[]>();
  filled.forEach((table, t) => {
    for (let row = 0; row < rowCount(table); row++) {
      const cells = new Map(table.columns.map((column, i) => [named[t]?.[i] as string, column.values[row] ?? null]));
      const key = keyOf(shared.map((name) => cells.get(name)));
      const same = shared.length > 0 ? (byKey.get(key) ?? []) : [];
      const fits = same.find((there) => [...cells].every(([name, value]) => !there.has(name) || there.get(name) === value));
      if (fits) {
        for (const [name, value] of cells) fits.set(name, value);
        continue;
      }
      rows.push(cells);
      byKey.set(key, [...same, cells]);
    }
  });
  return [{ query: "", columns: names.map((name) => ({ ...(columns.get(name) as Column), values: rows.map((cells) => cells.get(name) ?? null) })) }];
}

// A column for each label, or with mode "rows" a row for each; valueLabel: the label whose value is the name of the numbers.
export function labelsToFields(tables: Table[], options: Options): Table[] {
  const kept = Array.isArray(options.keepLabels) && options.keepLabels.length > 0 ? new Set(options.keepLabels.map(String)) : undefined;
  const valueLabel = typeof options.valueLabel === "string" && options.valueLabel !== "" ? options.valueLabel : undefined;
  const labelsOf = (column: Column) => Object.entries(column.labels).filter(([name]) => (!kept || kept.has(name)) && name !== valueLabel);
  if (options.mode === "rows") {
    return tables.flatMap((table) => table.columns.filter((column) => Object.keys(column.labels).length > 0).map((column) => ({
      query: table.query,
      columns: ([["label", labelsOf(column).map(([name]) => name)], ["value", labelsOf(column).map(([, value]) => value)]] as const)
        .map(([name, values]): Column => ({ name, kind: "text", labels: {}, query: column.query, values: [...values] })),
    })));
  }
  const wide = tables.map((table) => {
    const length = rowCount(table);
    const added = new Map<string, Column>();
    const rest = table.columns.map((column) => {
      for (const [name, value] of labelsOf(column)) added.set(name, { name, kind: "text", labels: {}, query: column.query, values: new Array<Cell>(length).fill(value) });
      const title = valueLabel === undefined ? undefined : column.labels[valueLabel];
      const { title: _legend, ...plain } = column;
      return column.kind === "time" ? column : { ...plain, labels: {}, ...(title !== undefined ? { name: title } : {}) };
    });
    const time = rest.filter((column) => column.kind === "time");
    return { ...table, columns: [...time, ...added.values(), ...rest.filter((column) => column.kind !== "time")] };
  });
  return merge(wide);
}

// All series in three columns: Time, Metric, Value, newest first.
export function seriesToRows(tables: Table[]): Table[] {
  const rows = tables.flatMap((table) => {
    const names = columnNames(table);
    const time = table.columns.find((column) => column.kind === "time");
    if (!time) return [];
    return table.columns.flatMap((column, i) => (column.kind === "number" ? column.values.map((value, row) => ({ time: time.values[row] ?? null, metric: names[i] as string, value })) : []));
  }).sort((a, b) => compareCells(b.time, a.time));
  const column = (name: string, kind: Column["kind"], values: Cell[]): Column => ({ name, kind, labels: {}, query: "", values });
  return [{ query: "", columns: [column("Time", "time", rows.map((row) => row.time)), column("Metric", "text", rows.map((row) => row.metric)), column("Value", "number", rows.map((row) => row.value))] }];
}

// format "wide": all in one table over time; "many" and "multi": a table for each column of numbers; "long": the labels as columns.
export function prepareTimeSeries(tables: Table[], options: Options): Table[] {
  if (options.format === "wide") return joinByField(tables, {});
  if (options.format === "long") return labelsToFields(tables, {});
  return tables.flatMap((table) => {
    const time = table.columns.find((column) => column.kind === "time");
    const texts = table.columns.filter((column) => column.kind === "text");
    if (!time) return [table];
    return table.columns.filter((column) => column.kind === "number").flatMap((column): Table[] => {
      const groups = new Map<string, number[]>();
      column.values.forEach((_, row) => { const key = keyOf(texts.map((text) => text.values[row])); groups.set(key, [...(groups.get(key) ?? []), row]); });
      return [...groups.values()].map((rows) => ({
        query: table.query,
        columns: [
          { ...time, values: rows.map((row) => time.values[row] ?? null) },
          { ...column, labels: { ...column.labels, ...Object.fromEntries(texts.map((text) => [text.name, String(text.values[rows[0] as number] ?? "")])) }, values: rows.map((row) => column.values[row] ?? null) },
        ],
      }));
    });
  });
}
