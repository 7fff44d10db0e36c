// Looks: how one series or one column is shown: the panel's words, then those of the overrides that match it.
import type { FieldLook, FieldMatch, Panel, Query } from "./schema";
import { patternOf } from "./tables/columns";
import { reduce } from "./tables/reducers";
import type { Cell, ColumnKind } from "./tables/table";

export interface Field {
  name: string;
  // Of its series, for titles that are made of them.
  labels?: Readonly<Record<string, string>>;
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

// A title with the field's own words in it: Grafana's ${__field.name}, ${__field.labels}, ${__field.labels.NAME}, ${__series.name}. Empty
// where nothing of it is known.
export function titleOf(title: string, field: Field): string {
  return title.replace(/\$\{__(field|series)\.([\w.]+|labels\[["'][^"'\]]+["']\])\}|\$__(field|series)_(\w+)/g, (_, kind?: string, path?: string, oldKind?: string, old?: string) => {
    const word = path ?? old ?? "";
    if ((kind ?? oldKind) === "series" || word === "name" || word === "displayName" || word === "display_name") return field.name;
    if (word === "labels" || word === "formattedLabels") return Object.entries(field.labels ?? {}).filter(([name]) => name !== "__name__").map(([name, value]) => `${name}="${value}"`).join(", ");
    const label = /^labels(?:\.([\w.]+)|\[["']([^"'\]]+)["']\])$/.exec(word);
    const name = label?.[1] ?? label?.[2] ?? "";
    return field.labels && Object.hasOwn(field.labels, name) ? (field.labels[name] as string) : "";
  }).trim();
}

const defined = <T extends object>(value: T): Partial<T> => Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as Partial<T>;

// All of it: the panel, the query, the overrides.
export function lookOf(panel: Panel, query: Query | undefined, field: Field): FieldLook {
  const own = (from: Panel | Query | undefined) => defined({ unit: from?.unit, decimals: from?.decimals, thresholds: from?.thresholds, mappings: from?.mappings });
  const look = { ...defined({ min: panel.min, max: panel.max }), ...own(panel), ...own(query), ...overridden(panel, field) } as FieldLook;
  return look.title?.includes("$") ? { ...look, title: titleOf(look.title, field) || field.name } : look;
}
