// Transformations: the one table of what may be done with the tables of an answer before it is drawn. Ids and options are Grafana's.
import { filterByRefId, filterByValue, filterFieldsByName, knownTest, limit, organize, renameByRegex, sortBy } from "./columns";
import { calculateField, groupBy, knownCalculation, reduceFields } from "./compute";
import { joinByField, labelsToFields, merge, prepareTimeSeries, seriesToRows } from "./joins";
import type { Transformation } from "../schema";
import type { Options, Table } from "./table";

interface Row {
  apply: (tables: Table[], options: Options) => Table[];
  // What of these options it does not do; undefined: it does all.
  lacks?: (options: Options) => string | undefined;
}

const list = (value: unknown): Record<string, unknown>[] => (Array.isArray(value) ? value.filter((one): one is Record<string, unknown> => typeof one === "object" && one !== null) : []);

export const TRANSFORMATIONS: Record<string, Row> = {
  organize: { apply: organize },
  merge: { apply: merge },
  joinByField: { apply: joinByField },
  seriesToColumns: { apply: joinByField },
  renameByRegex: { apply: renameByRegex },
  groupBy: { apply: groupBy },
  filterFieldsByName: { apply: filterFieldsByName, lacks: (options) => (options.byVariable === true ? "columns chosen by a variable" : undefined) },
  calculateField: { apply: calculateField, lacks: (options) => { const mode = String(options.mode ?? "reduceRow"); return knownCalculation(mode) ? undefined : `the calculation "${mode}"`; } },
  reduce: { apply: reduceFields },
  sortBy: { apply: sortBy },
  labelsToFields: { apply: labelsToFields },
  seriesToRows: { apply: seriesToRows },
  filterByValue: {
    apply: filterByValue,
    lacks: (options) => {
      const unknown = list(options.filters).map((filter) => String((filter.config as Options | undefined)?.id ?? "")).find((id) => !knownTest(id));
      return unknown === undefined ? undefined : `the test "${unknown}"`;
    },
  },
  prepareTimeSeries: { apply: prepareTimeSeries },
  filterByRefId: { apply: filterByRefId },
  limit: { apply: limit },
};

export function transform(tables: Table[], steps: readonly Transformation[]): Table[] {
  return steps.reduce((now, step) => TRANSFORMATIONS[step.id]?.apply(now, step.options ?? {}) ?? now, tables);
}

// What of a transformation is not done, in words; undefined when all is.
export function lackOf(step: Transformation): string | undefined {
  const row = Object.hasOwn(TRANSFORMATIONS, step.id) ? TRANSFORMATIONS[step.id] : undefined;
  if (!row) return `the transformation "${step.id}" is left out`;
  const lack = row.lacks?.(step.options ?? {});
  return lack === undefined ? undefined : `of the transformation "${step.id}" ${lack} is left out`;
}
