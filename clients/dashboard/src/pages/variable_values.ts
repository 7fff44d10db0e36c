// The values of a dashboard's variables: what the reader chose, else the default, else the first that there is.
import { api, homeDatabase } from "../api";
import type { Dashboard, Variable } from "../model/schema";
import { escapeForString, interpolate, parseLabelValues, type Values } from "../model/variables";

export interface Resolved {
  values: Values;
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
  const answer = await api.labelValues(variable.db ?? homeDatabase, parsed.label, match, CHOICES_MOST);
  return answer.data;
}

// In the order of the file: a variable may refer to those before it.
export async function resolveVariables(dashboard: Dashboard, chosen: Record<string, string>): Promise<Resolved> {
  const values: Values = {};
  const choices: Record<string, string[]> = {};
  let error: string | undefined;
  for (const variable of dashboard.variables ?? []) {
    const wanted = Object.hasOwn(chosen, variable.name) ? chosen[variable.name] : undefined;
    if (variable.kind === "constant") {
      values[variable.name] = variable.query;
      continue;
    }
    if (variable.kind === "text") {
      values[variable.name] = escapeForString(wanted ?? variable.default ?? "");
      continue;
    }
    try {
      const there = await choicesOf(variable, values);
      choices[variable.name] = there;
      const fallback = variable.default !== undefined && there.includes(variable.default) ? variable.default : (there[0] ?? "");
      values[variable.name] = escapeForString(wanted ?? fallback);
    } catch (failure) {
      error = failure instanceof Error ? failure.message : String(failure);
      values[variable.name] = escapeForString(wanted ?? variable.default ?? "");
      choices[variable.name] = [];
    }
  }
  return { values, choices, error };
}
