// Ad hoc filters: matchers that are put into every selector of an expression.

// The name under which the values of a dashboard keep the filters of all its variables.
export const FILTERS = "__filters";

const KEYWORDS = new Set(["by", "without", "on", "ignoring", "group_left", "group_right", "offset", "bool", "and", "or", "unless", "atan2", "inf", "nan", "start", "end"]);
const WITH_LABELS = new Set(["by", "without", "on", "ignoring", "group_left", "group_right"]);
const TOKEN = /"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`|#[^\n]*|\[[^\]]*\]|[a-zA-Z_:][\w:]*|\d[\w.]*|\s+|[\s\S]/g;

// label="value", label!~"value": what people write, without what is none.
export function parseFilters(text: string): string[] {
  return [...text.matchAll(/([a-zA-Z_]\w*)\s*(=~|!~|!=|=)\s*"((?:\\.|[^"\\])*)"/g)].map(([, label, operator, value]) => `${label}${operator}"${value}"`);
}

// The expression with the matchers in each of its selectors.
export function withFilters(expr: string, filters: readonly string[]): string {
  if (filters.length === 0) return expr;
  const added = filters.join(",");
  const tokens = expr.match(TOKEN) ?? [];
  const nextOf = (at: number): string => tokens.slice(at + 1).find((token) => token.trim() !== "" && !token.startsWith("#")) ?? "";
  let out = "";
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i] as string;
    const next = nextOf(i);
    if (token === "{") {
      out += `{${added}${next === "}" ? "" : ","}`;
      // What stands between the braces holds no selector.
      while (i + 1 < tokens.length && tokens[i + 1] !== "}") out += tokens[++i];
      continue;
    }
    out += token;
    if (!/^[a-zA-Z_:]/.test(token)) continue;
    if (WITH_LABELS.has(token.toLowerCase()) && next === "(") {
      while (i + 1 < tokens.length && tokens[i] !== ")") out += tokens[++i];
    } else if (next !== "(" && next !== "{" && next !== "by" && next !== "without" && !KEYWORDS.has(token.toLowerCase())) {
      out += `{${added}}`;
    }
  }
  return out;
}
