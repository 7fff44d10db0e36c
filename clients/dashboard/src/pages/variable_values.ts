// The values of a dashboard's variables: what the reader chose, else the default, else the first that there is.
import { api, homeDatabase } from "../api";
import type { Variable, Dashboard } from "../model/schema";
import { patternOf } from "../model/tables/columns";
import { FILTERS, parseFilters } from "../model/filters";
import { chooseStep, durationText, parseDuration, type Span } from "../model/time";
import {
  ALL, choicesBy, customChoices, escapeForPattern, escapeForString, inOrder, interpolate, parseVariableQuery, sortChoices, type Choice, type Value, type Values,
} from "../model/variables";

export interface Resolved {
  values: Values;
  // What is chosen, by variable: its values before they were made fit for a query.
  chosen: Record<string, string[]>;
  // What may be chosen, by variable.
  choices: Record<string, Choice[]>;
  error: string | undefined;
}

const CHOICES_MOST = 1000;

// What query_result's answers look like to a pattern: metric{label="value"} number time.
function resultTexts(data: Awaited<ReturnType<typeof api.batch.query>>): string[] {
  if (data.resultType !== "vector") return [];
  return data.result.map(({ metric: { __name__: name = "", ...labels }, value }) =>
    `${name}{${Object.entries(labels).map(([label, one]) => `${label}="${one}"`).join(",")}} ${value[1]} ${Math.round(value[0] * 1000)}`);
}

async function foundFor(variable: Variable, values: Values, at: number): Promise<string[]> {
  const wanted = parseVariableQuery(variable.query);
  const db = interpolate(variable.db ?? homeDatabase, values);
  switch (wanted?.ask) {
    case undefined: return [];
    case "values": return api.batch.labelValues(db, interpolate(wanted.label, values), wanted.match === undefined ? [] : [interpolate(wanted.match, values)], CHOICES_MOST);
    case "names": return api.labelNames(db, wanted.match === undefined ? [] : [`{__name__=~"${interpolate(wanted.match, values)}"}`]);
    case "metrics": return api.batch.labelValues(db, "__name__", [`{__name__=~".*(?:${interpolate(wanted.pattern, values)}).*"}`], CHOICES_MOST);
    case "result": return resultTexts(await api.batch.query(db, interpolate(wanted.expr, values), at));
  }
}

// What "auto" stands for: the range by so many, at least so long.
function autoText(auto: NonNullable<Variable["auto"]>, span: Span): string {
  const wanted = Math.max(parseDuration(auto.least ?? "10s") ?? 10, (span.end - span.start) / Math.max(1, auto.count ?? 30));
  return durationText(chooseStep({ start: 0, end: wanted }, 1));
}

const AUTO = "auto";

async function choicesOf(variable: Variable, values: Values, at: number): Promise<Choice[]> {
  if (variable.auto) return [{ value: AUTO, text: AUTO }, ...customChoices(interpolate(variable.query, values))];
  if (variable.kind === "custom") return customChoices(interpolate(variable.query, values));
  const regex = variable.regex ? patternOf(interpolate(variable.regex, values)) : undefined;
  return sortChoices(choicesBy(regex, await foundFor(variable, values, at)), variable.sort);
}

// What stands in queries for the chosen ones. All values together are an expression of the dashboard's, others are data.
export function valueOf(variable: Variable, chosen: readonly string[], choices: readonly Choice[]): Value {
  const real = choices.filter((choice) => choice.value !== ALL);
  const all = chosen.includes(ALL) && variable.all !== undefined;
  const list = all ? real.map((choice) => choice.value) : chosen.filter((one) => one !== ALL);
  const byValue = new Map(real.map((choice) => [choice.value, choice.text]));
  const texts = list.map((one) => byValue.get(one) ?? one);
  const called = all ? { called: "All" } : {};
  if (all && typeof variable.all === "string") return { query: variable.all, pattern: variable.all, list, texts, ...called };
  const patterns = list.map((one) => escapeForString(escapeForPattern(one)));
  const several = variable.multi === true || variable.all !== undefined;
  return {
    query: list.map(escapeForString).join("|"), list, texts, ...called,
    ...(several ? { pattern: patterns.length === 1 ? (patterns[0] as string) : patterns.length === 0 ? "" : `(${patterns.join("|")})` } : {}),
  };
}

const listOf = (value: string | string[] | undefined): string[] => (value === undefined ? [] : Array.isArray(value) ? value : [value]);

// What is chosen of these: what the reader wants, else the default, else the first.
function chosenOf(variable: Variable, wanted: string[] | undefined, choices: readonly Choice[]): string[] {
  if (wanted && wanted.length > 0) return variable.multi ? wanted : wanted.slice(0, 1);
  const there = listOf(variable.default).filter((one) => choices.some((choice) => choice.value === one));
  if (there.length > 0) return variable.multi ? there : there.slice(0, 1);
  return choices[0] ? [choices[0].value] : [""];
}

// Those first that others refer to, wherever they stand in the file. `span`: the range that is shown.
export async function resolveVariables(dashboard: Dashboard, chosen: Record<string, string[]>, span: Span): Promise<Resolved> {
  const values: Values = {};
  const out: Resolved = { values, chosen: {}, choices: {}, error: undefined };
  const filters: string[] = [];
  for (const variable of inOrder(dashboard.variables ?? [])) {
    const { name } = variable;
    const wanted = Object.hasOwn(chosen, name) ? chosen[name] : undefined;
    if (variable.kind === "constant") {
      values[name] = variable.query;
    } else if (variable.kind === "text" || variable.kind === "filters") {
      const text = wanted?.[0] ?? listOf(variable.default)[0] ?? (variable.kind === "filters" ? variable.query : "");
      out.chosen[name] = [text];
      values[name] = { query: escapeForString(text), list: [text] };
      if (variable.kind === "filters") filters.push(...parseFilters(text));
    } else {
      let there: Choice[] = [];
      try {
        there = await choicesOf(variable, values, span.end);
      } catch (failure) {
        out.error = failure instanceof Error ? failure.message : String(failure);
      }
      const choices = [...(variable.all !== undefined ? [{ value: ALL, text: "All" }] : []), ...there];
      out.choices[name] = choices;
      out.chosen[name] = chosenOf(variable, wanted, there.length === 0 && out.error !== undefined ? listOf(variable.default).map((value) => ({ value, text: value })) : choices);
      const auto = variable.auto !== undefined && out.chosen[name]?.[0] === AUTO ? autoText(variable.auto, span) : undefined;
      values[name] = auto !== undefined ? { query: auto, list: [auto], texts: [AUTO] } : valueOf(variable, out.chosen[name] as string[], choices);
    }
  }
  if (filters.length > 0) values[FILTERS] = { query: "", list: filters };
  return out;
}
