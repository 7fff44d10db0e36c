// Transformations that choose, name and order columns and rows.
import { columnNamed, columnNames, compareCells, pickRows, rowCount, type Options, type Table } from "./table";

type Flags = Record<string, unknown>;
const record = (value: unknown): Flags => (typeof value === "object" && value !== null ? (value as Flags) : {});

// "/a.*b/i" or a pattern without slashes; undefined for one that is none.
export function patternOf(text: string): RegExp | undefined {
  const slashed = /^\/(.*)\/([a-z]*)$/s.exec(text);
  try {
    return slashed ? new RegExp(slashed[1] as string, (slashed[2] as string).replace(/[gy]/g, "")) : new RegExp(text);
  } catch {
    return undefined;
  }
}

// Leaves columns out, orders and renames them. By their names as shown, with one table as with many.
export function organize(tables: Table[], options: Options): Table[] {
  const [excluded, included, places, renamed] = [record(options.excludeByName), record(options.includeByName), record(options.indexByName), record(options.renameByName)];
  const chosen = Object.keys(included).some((name) => included[name] === true);
  return tables.map((table) => {
    const names = columnNames(table);
    const is = (flags: Flags, i: number) => flags[names[i] as string] ?? flags[table.columns[i]?.name ?? ""];
    const place = (i: number) => Number(is(places, i) ?? Number.MAX_SAFE_INTEGER);
    const kept = names.map((_, i) => i).filter((i) => is(excluded, i) !== true && (!chosen || is(included, i) === true)).sort((a, b) => place(a) - place(b));
    return {
      ...table,
      columns: kept.map((i) => {
        const column = table.columns[i] as Table["columns"][number];
        const name = is(renamed, i);
        // A name that told apart stays, also when the other column is gone.
        return typeof name === "string" && name !== "" ? { ...column, title: name } : names[i] === (column.title ?? column.name) ? column : { ...column, title: names[i] as string };
      }),
    };
  });
}

export function renameByRegex(tables: Table[], options: Options): Table[] {
  const pattern = patternOf(String(options.regex ?? ""));
  if (!pattern) return tables;
  const text = String(options.renamePattern ?? "");
  return tables.map((table) => {
    const names = columnNames(table);
    return { ...table, columns: table.columns.map((column, i) => (column.kind !== "time" && pattern.test(names[i] as string) ? { ...column, title: (names[i] as string).replace(pattern, text) } : column)) };
  });
}

// Columns by name or pattern; "include" and "exclude" may both be given.
export function filterFieldsByName(tables: Table[], options: Options): Table[] {
  const matcher = (side: unknown): ((name: string) => boolean) | undefined => {
    const { names, pattern } = record(side) as { names?: unknown; pattern?: unknown };
    const list = Array.isArray(names) ? names.map(String) : [];
    const regex = typeof pattern === "string" && pattern !== "" ? patternOf(pattern) : undefined;
    return list.length === 0 && !regex ? undefined : (name) => list.includes(name) || regex?.test(name) === true;
  };
  const [include, exclude] = [matcher(options.include), matcher(options.exclude)];
  return tables.flatMap((table) => {
    const names = columnNames(table);
    const columns = table.columns.filter((_, i) => (include ? include(names[i] as string) : true) && !exclude?.(names[i] as string));
    return columns.length > 0 ? [{ ...table, columns }] : [];
  });
}

export function filterByRefId(tables: Table[], options: Options): Table[] {
  const pattern = patternOf(`^(?:${String(options.include ?? ".*")})$`);
  return pattern ? tables.filter((table) => pattern.test(table.query)) : tables;
}

export function sortBy(tables: Table[], options: Options): Table[] {
  const { field, desc } = record(Array.isArray(options.sort) ? options.sort[0] : undefined) as { field?: string; desc?: boolean };
  return tables.map((table) => {
    const column = columnNamed(table, field ?? "");
    if (!column) return table;
    const turn = desc === true ? -1 : 1;
    const order = Array.from({ length: rowCount(table) }, (_, i) => i).sort((a, b) => compareCells(column.values[a], column.values[b]) * turn || a - b);
    return pickRows(table, order);
  });
}

export function limit(tables: Table[], options: Options): Table[] {
  const most = Number(options.limitField ?? 10);
  return tables.map((table) => pickRows(table, Array.from({ length: Math.min(rowCount(table), most) }, (_, i) => i)));
}

type Test = (value: unknown, wanted: Flags) => boolean;
const number = (value: unknown) => (value === null || value === "" ? Number.NaN : Number(value));
const TESTS: Record<string, Test> = {
  greater: (value, { value: than }) => number(value) > number(than),
  greaterOrEqual: (value, { value: than }) => number(value) >= number(than),
  lower: (value, { value: than }) => number(value) < number(than),
  lowerOrEqual: (value, { value: than }) => number(value) <= number(than),
  between: (value, { from, to }) => number(value) > number(from) && number(value) < number(to),
  equal: (value, { value: other }) => String(value) === String(other),
  notEqual: (value, { value: other }) => String(value) !== String(other),
  isNull: (value) => value === null,
  isNotNull: (value) => value !== null,
  regex: (value, { value: pattern }) => patternOf(String(pattern ?? ""))?.test(String(value)) === true,
  substring: (value, { value: part }) => String(value).toLowerCase().includes(String(part ?? "").toLowerCase()),
  notSubstring: (value, { value: part }) => !String(value).toLowerCase().includes(String(part ?? "").toLowerCase()),
};

// Rows whose cells pass all tests, or any of them.
export function filterByValue(tables: Table[], options: Options): Table[] {
  const filters = (Array.isArray(options.filters) ? options.filters : []).map(record);
  if (filters.length === 0) return tables;
  return tables.map((table) => {
    const tests = filters.flatMap((filter) => {
      const column = columnNamed(table, String(filter.fieldName ?? ""));
      const config = record(filter.config);
      const test = TESTS[String(config.id ?? "")];
      return column && test ? [(row: number) => test(column.values[row] ?? null, record(config.options))] : [];
    });
    if (tests.length === 0) return table;
    const passes = (row: number) => (options.match === "all" ? tests.every((test) => test(row)) : tests.some((test) => test(row)));
    return pickRows(table, Array.from({ length: rowCount(table) }, (_, i) => i).filter((row) => passes(row) === (options.type !== "exclude")));
  });
}

// What filterByValue knows to ask of a cell.
export const knownTest = (id: string): boolean => Object.hasOwn(TESTS, id);
