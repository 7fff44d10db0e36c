// Matchers of a silence as people write and read them: host="a", job=~"x.*".
import type { Labels, Matcher } from "../../api";

const OPERATORS: Record<string, Pick<Matcher, "isRegex" | "isEqual">> = {
  "=": { isRegex: false, isEqual: true }, "!=": { isRegex: false, isEqual: false }, "=~": { isRegex: true, isEqual: true }, "!~": { isRegex: true, isEqual: false },
};
const ONE = /^\s*([a-zA-Z_]\w*)\s*(=~|!~|!=|=)\s*(?:"((?:\\.|[^"\\])*)"|([^",\s]+))\s*(?:,|$)/;
// What tells a kind of alert from others; the rest names where a rule stands.
const PLUMBING = new Set(["rule_group", "rule_file"]);

export function matcherText({ name, value, isRegex, isEqual }: Matcher): string {
  const operator = isRegex ? (isEqual ? "=~" : "!~") : isEqual ? "=" : "!=";
  return `${name}${operator}"${value.replace(/["\\]/g, "\\$&")}"`;
}

export const matchersText = (matchers: readonly Matcher[]): string => matchers.map(matcherText).join(", ");

// The matchers of a text, or what is wrong with it.
export function parseMatchers(text: string): { matchers: Matcher[] } | { fault: string } {
  const matchers: Matcher[] = [];
  let rest = text.trim();
  while (rest !== "") {
    const match = ONE.exec(rest);
    if (!match) return { fault: `"${rest.slice(0, 40)}" is no matcher: write name="value", with =, !=, =~ or !~, and commas between.` };
    matchers.push({ name: match[1] as string, value: (match[3] ?? match[4] ?? "").replace(/\\(.)/g, "$1"), ...(OPERATORS[match[2] as string] as Pick<Matcher, "isRegex" | "isEqual">) });
    rest = rest.slice(match[0].length).trim();
  }
  return matchers.length > 0 ? { matchers } : { fault: "A silence needs a matcher, such as alertname=\"NAME\"." };
}

// Whether it matches; a label that is not there is empty, and patterns are of the whole value.
export function matchesLabels({ name, value, isRegex, isEqual }: Matcher, labels: Labels): boolean {
  const own = Object.hasOwn(labels, name) ? (labels[name] as string) : "";
  if (!isRegex) return (own === value) === isEqual;
  try {
    return new RegExp(`^(?:${value})$`, "s").test(own) === isEqual;
  } catch {
    return false;
  }
}

// Those that match an alert and nothing less.
export function matchersFor(labels: Labels): Matcher[] {
  return Object.entries(labels).filter(([name]) => !PLUMBING.has(name)).map(([name, value]) => ({ name, value, isRegex: false, isEqual: true }));
}
