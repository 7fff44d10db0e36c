// Variables of Grafana's dashboards as ours.
import { patternOf } from "../tables/columns";
import type { Variable } from "../schema";
import { ALL, customChoices, parseVariableQuery } from "../variables";
import { translateExpr } from "./queries";
import type { GrafanaVariable } from "./types";

const SORTS: Record<number, Variable["sort"]> = { 1: "name", 2: "-name", 3: "number", 4: "-number", 5: "name", 6: "-name", 7: "name", 8: "-name" };
const texts = (value: unknown): string[] => (Array.isArray(value) ? value : value === undefined || value === null ? [] : [value]).map(String);

// Choices of an interval variable, without "auto".
function intervals(text: string): string {
  return customChoices(text).map((choice) => choice.value).filter((value) => value !== "auto").join(",");
}

function common(variable: GrafanaVariable & { name: string }): Omit<Variable, "kind" | "query"> {
  const offered = variable.type === "query" || variable.type === "custom";
  const all = variable.includeAll === true && offered;
  const multi = variable.multi === true && offered;
  // Where all may be chosen and nothing is, Grafana chooses all.
  const chosen = texts(variable.current?.value).filter((one) => one !== "" && (one === ALL || !one.startsWith("$__")));
  const current = all && (chosen.length === 0 || chosen.includes(ALL)) ? [ALL] : chosen.filter((one) => one !== ALL);
  const initial = multi && current.length > 1 ? current : current[0];
  const sort = variable.sort === undefined ? undefined : SORTS[variable.sort];
  return {
    name: variable.name, ...(variable.label ? { label: variable.label } : {}), ...(variable.hide === 2 ? { hidden: true } : {}),
    ...(initial !== undefined ? { default: initial } : {}), ...(all ? { all: variable.allValue || (true as const) } : {}), ...(multi ? { multi } : {}),
    ...(variable.regex && variable.type === "query" ? { regex: translateExpr(variable.regex) } : {}), ...(sort !== undefined && variable.type === "query" ? { sort } : {}),
  };
}

function fromQuery(variable: GrafanaVariable & { name: string }, text: string, remarks: string[]): Variable {
  const query = translateExpr(text);
  const { regex, ...shown } = common(variable);
  const usable = regex !== undefined && patternOf(regex) === undefined ? {} : regex !== undefined ? { regex } : {};
  if (regex !== undefined && Object.keys(usable).length === 0) remarks.push(`$${variable.name}: its pattern cannot be read, so all values are offered`);
  if (parseVariableQuery(query)) return { ...shown, ...usable, kind: "query", query };
  // A selector alone: its series as texts, out of which the pattern takes what it wants.
  if (/^[a-zA-Z_:][\w:]*(\{[\s\S]*\})?$/.test(query.trim())) return { ...shown, ...usable, kind: "query", query: `query_result(${query.trim()})` };
  remarks.push(`$${variable.name}: its query is none of label_values, label_names, metrics and query_result, so its value is written by hand`);
  const { all: _all, multi: _multi, sort: _sort, ...plain } = shown;
  return { ...plain, kind: "text", query: "", ...(plain.default === ALL ? { default: ".*" } : {}) };
}

// undefined for one that no query can name.
export function importVariable(variable: GrafanaVariable, remarks: string[]): Variable | undefined {
  const name = variable.name;
  if (!name) return undefined;
  const named = { ...variable, name };
  const text = typeof variable.query === "string" ? variable.query : (variable.query?.query ?? variable.definition ?? "");
  switch (variable.type) {
    case "datasource":
      // Every source is this server.
      return { name, kind: "constant", query: "Tidemark" };
    case "query":
      return fromQuery(named, text, remarks);
    case "custom":
      return { ...common(named), kind: "custom", query: text };
    case "interval": {
      const shown = common(named);
      const auto = variable.auto === true ? { auto: { ...(variable.auto_count ? { count: Number(variable.auto_count) } : {}), ...(variable.auto_min ? { least: variable.auto_min } : {}) } } : {};
      const chosen = texts(variable.current?.value)[0] ?? "";
      return { ...shown, ...auto, ...(variable.auto === true && /^(auto|\$__auto_interval.*)$/.test(chosen) ? { default: "auto" } : {}), kind: "custom", query: intervals(text) };
    }
    case "constant":
      return { name, kind: "constant", query: text };
    case "textbox": {
      const shown = common(named);
      return { ...shown, kind: "text", query: "", ...(shown.default === undefined && text ? { default: text } : {}) };
    }
    case "adhoc":
      return {
        name, ...(variable.label ? { label: variable.label } : {}), ...(variable.hide === 2 ? { hidden: true } : {}), kind: "filters",
        query: (variable.filters ?? []).flatMap(({ key, operator = "=", value = "" }) => (key ? [`${key}${operator}"${value.replace(/["\\]/g, "\\$&")}"`] : [])).join(", "),
      };
    default:
      remarks.push(`$${name}: variables of type "${String(variable.type)}" are not known`);
      return undefined;
  }
}
