// Variables in texts: $name, ${name}, ${name:format}, [[name]]; unknown names stay as they are.

// A value that was chosen: as it stands in a query, in a regular expression of one where that is another, and one by one. `texts`:
// what they are called.
export interface Chosen {
  query: string;
  pattern?: string;
  list: readonly string[];
  texts?: readonly string[];
  // What all of them together are called.
  called?: string;
}

export type Value = string | Chosen;
export type Values = Record<string, Value>;

// The choice of all values together, as Grafana writes it.
export const ALL = "$__all";

const REFERENCE = /\$(?:\{(\w+)(?::(\w+))?\}|(\w+))|\[\[(\w+)(?::(\w+))?\]\]/g;

// Backslashes, so that what is data matches itself in a regular expression.
export function escapeForPattern(value: string): string {
  return value.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

// What may stand between the quotes of a PromQL string.
export function escapeForString(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n").replaceAll("$", "\\x24");
}

type Format = (value: Chosen) => string;

function shownAs({ list, texts, called }: Chosen): string {
  return called ?? (texts ?? list).join(" + ");
}

// Grafana's formats. Those that are for queries escape as the quotes around them ask.
const FORMATS: Record<string, Format> = {
  raw: ({ list }) => list.map(escapeForString).join(","),
  csv: ({ list }) => list.map(escapeForString).join(","),
  pipe: ({ list }) => list.map(escapeForString).join("|"),
  regex: ({ list }) => (list.length === 1 ? escapeForString(escapeForPattern(list[0] as string)) : `(${list.map((one) => escapeForString(escapeForPattern(one))).join("|")})`),
  glob: ({ list }) => (list.length === 1 ? escapeForString(list[0] as string) : `{${list.map(escapeForString).join(",")}}`),
  singlequote: ({ list }) => list.map((one) => `'${escapeForString(one).replaceAll("'", "\\'")}'`).join(","),
  doublequote: ({ list }) => list.map((one) => `"${escapeForString(one)}"`).join(","),
  json: ({ list }) => JSON.stringify(list.length === 1 ? list[0] : list),
  text: shownAs,
  percentencode: ({ list }) => encodeURIComponent(list.length === 1 ? (list[0] as string) : `{${list.join(",")}}`),
};

export const knownFormat = (name: string): boolean => Object.hasOwn(FORMATS, name) || name === "queryparam" || name === "date";

// Whether what comes after this text is within the quotes of =~"..." or !~"...".
function withinPattern(before: string): boolean {
  return /[=!]~\s*(?:"(?:[^"\\]|\\.)*|'(?:[^'\\]|\\.)*|`[^`]*)$/.test(before);
}

function inText(name: string, value: Value, format: string | undefined, before: string): string {
  if (typeof value === "string") return value;
  if (format === undefined && value.pattern !== undefined && withinPattern(before)) return value.pattern;
  if (format === "queryparam") return value.list.map((one) => `var-${name}=${encodeURIComponent(one)}`).join("&");
  return format !== undefined && Object.hasOwn(FORMATS, format) ? (FORMATS[format] as Format)(value) : value.query;
}

function replaced(text: string, values: Values, of: (name: string, value: Value, format: string | undefined, before: string) => string): string {
  let out = text;
  for (let depth = 0; depth < 8 && (out.includes("$") || out.includes("[[")); depth++) {
    const now = out;
    const next = now.replace(REFERENCE, (whole, braced?: string, format?: string, plain?: string, old?: string, oldFormat?: string, at?: number) => {
      const name = (braced ?? plain ?? old) as string;
      return Object.hasOwn(values, name) ? of(name, values[name] as Value, format ?? oldFormat, now.slice(0, at)) : whole;
    });
    if (next === out) break;
    out = next;
  }
  return out;
}

// Text with the values in place of the names. A value may refer to others (constants do), at most eight deep. The value
// of a variable that people choose is data: within "..." its quotes and backslashes are escaped.
export function interpolate(text: string, values: Values): string {
  return replaced(text, values, inText);
}

// As above for what people read, such as titles: values as they are called, nothing escaped.
export function interpolateShown(text: string, values: Values): string {
  return replaced(text, values, (_name, value) => (typeof value === "string" ? value : shownAs(value)));
}

// The values with one of them chosen alone, for what is drawn once for each.
export function withOnly(values: Values, name: string, index: number): Values {
  const value = values[name];
  if (typeof value !== "object") return values;
  const [one, text] = [value.list[index] ?? "", value.texts?.[index]];
  return { ...values, [name]: { query: escapeForString(one), pattern: escapeForString(escapeForPattern(one)), list: [one], ...(text !== undefined ? { texts: [text] } : {}) } };
}

// The names that a text refers to.
export function referencesOf(text: string): string[] {
  return [...text.matchAll(REFERENCE)].map((match) => (match[1] ?? match[3] ?? match[4]) as string);
}

// The variables so that each comes after those that its texts refer to, and otherwise as in the file. Those that refer to each other in a
// ring stay where they are.
export function inOrder<T extends { name: string; query: string; regex?: string; db?: string }>(variables: readonly T[]): T[] {
  const byName = new Map(variables.map((one) => [one.name, one]));
  const out = new Set<T>();
  const under = new Set<T>();
  const put = (one: T): void => {
    if (out.has(one) || under.has(one)) return;
    under.add(one);
    for (const name of [one.query, one.regex ?? "", one.db ?? ""].flatMap(referencesOf)) {
      const other = byName.get(name);
      if (other) put(other);
    }
    out.add(one);
  };
  variables.forEach(put);
  return [...out];
}

// label_values(SELECTOR, LABEL) or label_values(LABEL).
export function parseLabelValues(query: string): { match: string | undefined; label: string } | undefined {
  const whole = /^\s*label_values\(\s*(?:(.+),\s*)?([a-zA-Z_$][\w${}:]*)\s*\)\s*$/s.exec(query);
  return whole ? { match: whole[1]?.trim(), label: whole[2] as string } : undefined;
}

export type VariableQuery =
  | { ask: "values"; match: string | undefined; label: string }
  | { ask: "names"; match: string | undefined }
  | { ask: "metrics"; pattern: string }
  | { ask: "result"; expr: string };

// What a variable's query asks for; undefined where it is none that is known.
export function parseVariableQuery(query: string): VariableQuery | undefined {
  const values = parseLabelValues(query);
  if (values) return { ask: "values", ...values };
  const call = /^\s*(label_names|metrics|query_result)\(([\s\S]*)\)\s*$/.exec(query);
  const inside = call?.[2]?.trim() ?? "";
  if (call?.[1] === "label_names") return { ask: "names", match: inside || undefined };
  if (call?.[1] === "metrics") return { ask: "metrics", pattern: inside || ".*" };
  if (call?.[1] === "query_result" && inside !== "") return { ask: "result", expr: inside };
  return undefined;
}

export interface Choice {
  value: string;
  text: string;
}

// "a,b" or "text : value,b"; a backslash before a comma keeps it.
export function customChoices(query: string): Choice[] {
  return query.split(/(?<!\\),/).map((part) => part.replaceAll("\\,", ",").trim()).filter((part) => part !== "").map((part) => {
    const pair = /^(.*\S)\s+:\s+(\S.*)$/.exec(part);
    return pair ? { text: pair[1] as string, value: pair[2] as string } : { text: part, value: part };
  });
}

// The part of each answer that the pattern names: its groups "value" and "text", else its first group, else the whole match. What does not match is no value.
export function choicesBy(regex: RegExp | undefined, found: readonly string[]): Choice[] {
  const out = new Map<string, Choice>();
  for (const one of found) {
    let choice: Choice = { value: one, text: one };
    if (regex) {
      const match = regex.exec(one);
      if (!match) continue;
      const value = match.groups?.value ?? match.groups?.text ?? match[1] ?? match[0];
      choice = { value, text: match.groups?.text ?? value };
    }
    if (!out.has(choice.value)) out.set(choice.value, choice);
  }
  return [...out.values()];
}

// Digits count one by one here, as Grafana sorts by name.
const plainly = new Intl.Collator("en").compare;

export function sortChoices(choices: Choice[], sort: string | undefined): Choice[] {
  if (sort === undefined) return choices;
  const number = (choice: Choice) => Number(/\d+(\.\d+)?/.exec(choice.text)?.[0] ?? -1);
  const turn = sort.startsWith("-") ? -1 : 1;
  return [...choices].sort((a, b) => turn * (sort.endsWith("number") ? number(a) - number(b) : plainly(a.text, b.text)));
}
