// The values of a dashboard's variables: what the reader chose, else the default, else the first that there is.
import { api, homeDatabase } from "../api";
import type { Dashboard, Variable } from "../model/schema";
import { ALL, escapeForString, interpolate, parseLabelValues, type Values } from "../model/variables";

export interface Resolved {
  values: Values;
  // What is chosen, by variable: its value before it was made fit for a query.
  chosen: Record<string, string>;
  // What may be chosen, by variable.
  choices: Record<string, string[]>;
  error: string | undefined;
}

const CHOICES_MOST = 1000;

async function choicesOf(variable: Variable, values: Values): Promise<string[]> {
  if (variable.kind === "custom") return variable.query.split(",").map((value) => value.trim());
  const parsed = parseLabelValues(variable.query);
  if (!parsed) return [];
  const match = parsed.match === undefined ? [] : [interpolate(parsed.match, values)];
  return api.batch.labelValues(variable.db ?? homeDatabase, parsed.label, match, CHOICES_MOST);
}

// What stands in queries for a choice. All values together are an expression of the dashboard's, others are data.
function valueOf(variable: Variable, choice: string): string {
  return choice === ALL && variable.all !== undefined ? variable.all : escapeForString(choice);
}

// In the order of the file: a variable may refer to those before it.
export async function resolveVariables(dashboard: Dashboard, chosen: Record<string, string>): Promise<Resolved> {
  const values: Values = {};
  const shown: Record<string, string> = {};
  const choices: Record<string, string[]> = {};
  let error: string | undefined;
  for (const variable of dashboard.variables ?? []) {
    const wanted = Object.hasOwn(chosen, variable.name) ? chosen[variable.name] : undefined;
    if (variable.kind === "constant") {
      values[variable.name] = variable.query;
      continue;
    }
    if (variable.kind === "text") {
      shown[variable.name] = wanted ?? variable.default ?? "";
      values[variable.name] = escapeForString(wanted ?? variable.default ?? "");
      continue;
    }
    try {
      const there = [...(variable.all !== undefined ? [ALL] : []), ...(await choicesOf(variable, values))];
      choices[variable.name] = there;
      const fallback = variable.default !== undefined && there.includes(variable.default) ? variable.default : (there[0] ?? "");
      shown[variable.name] = wanted ?? fallback;
      values[variable.name] = valueOf(variable, wanted ?? fallback);
    } catch (failure) {
      error = failure instanceof Error ? failure.message : String(failure);
      shown[variable.name] = wanted ?? variable.default ?? "";
      values[variable.name] = valueOf(variable, wanted ?? variable.default ?? "");
      choices[variable.name] = [];
    }
  }
  return { values, chosen: shown, choices, error };
}
