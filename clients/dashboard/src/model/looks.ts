// Looks: how one series or one column is shown: the panel's words, then those of the overrides that match it.
import type { FieldLook, FieldMatch, Panel, Query } from "./schema";
import { patternOf } from "./tables/columns";
import { reduce } from "./tables/reducers";
import type { Cell, ColumnKind } from "./tables/table";

export interface Field {
  name: string;
  // What it was called before something gave it another name.
  plain?: string;
  query: string;
  kind: ColumnKind;
  values: readonly Cell[];
}

const COMPARE: Record<string, (a: number, b: number) => boolean> = {
  ">": (a, b) => a > b, ">=": (a, b) => a >= b, "<": (a, b) => a < b, "<=": (a, b) => a <= b, "==": (a, b) => a === b, "!=": (a, b) => a !== b,
  gt: (a, b) => a > b, gte: (a, b) => a >= b, lt: (a, b) => a < b, lte: (a, b) => a <= b, eq: (a, b) => a === b, neq: (a, b) => a !== b,
};

export function matches(match: FieldMatch, field: Field): boolean {
  switch (match.by) {
    case "all": return true;
    case "name": return field.name === match.is || field.plain === match.is;
    case "names": return match.is.includes(field.name) || (field.plain !== undefined && match.is.includes(field.plain));
    case "pattern": return patternOf(match.is)?.test(field.name) === true;
    case "query": return field.query === match.is;
    case "type": return field.kind === match.is;
    case "value": {
      const value = reduce(match.is.reducer, field.values);
      return typeof value === "number" && COMPARE[match.is.op]?.(value, match.is.value) === true;
    }
  }
}

// What the overrides say of it; nothing where none matches.
export function overridden(panel: Panel, field: Field): FieldLook {
  let look: FieldLook = {};
  for (const { match, set } of panel.overrides ?? []) if (matches(match, field)) look = { ...look, ...set };
  return look;
}

const defined = <T extends object>(value: T): Partial<T> => Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as Partial<T>;

// All of it: the panel, the query, the overrides.
export function lookOf(panel: Panel, query: Query | undefined, field: Field): FieldLook {
  const own = (from: Panel | Query | undefined) => defined({ unit: from?.unit, decimals: from?.decimals, thresholds: from?.thresholds, mappings: from?.mappings });
  return { ...defined({ min: panel.min, max: panel.max }), ...own(panel), ...own(query), ...overridden(panel, field) } as FieldLook;
}
