// Variables in texts: $name, ${name}, [[name]] are not told apart; unknown names stay as they are.

export type Values = Record<string, string>;

// The choice of all values together, as Grafana writes it.
export const ALL = "$__all";

const REFERENCE = /\$(?:\{(\w+)\}|(\w+))/g;

// Text with the values in place of the names. A value may refer to others (constants do), at most eight deep. The value
// of a variable that people choose is data: within "..." its quotes and backslashes are escaped.
export function interpolate(text: string, values: Values): string {
  let out = text;
  for (let depth = 0; depth < 8 && out.includes("$"); depth++) {
    const next = out.replace(REFERENCE, (whole, braced: string | undefined, plain: string | undefined) => {
      const name = (braced ?? plain) as string;
      return Object.hasOwn(values, name) ? (values[name] as string) : whole;
    });
    if (next === out) break;
    out = next;
  }
  return out;
}

// What may stand between the quotes of a PromQL string.
export function escapeForString(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n").replaceAll("$", "\\x24");
}

// The names that a text refers to.
export function referencesOf(text: string): string[] {
  return [...text.matchAll(REFERENCE)].map((match) => (match[1] ?? match[2]) as string);
}

// label_values(SELECTOR, LABEL) or label_values(LABEL).
export function parseLabelValues(query: string): { match: string | undefined; label: string } | undefined {
  const whole = /^\s*label_values\(\s*(?:(.+),\s*)?([a-zA-Z_]\w*)\s*\)\s*$/s.exec(query);
  return whole ? { match: whole[1]?.trim(), label: whole[2] as string } : undefined;
}
