// Addresses of links with variables and times in them.
import type { Link } from "../model/schema";
import type { Span } from "../model/time";
import { FILTERS } from "../model/filters";
import { interpolate, type Values } from "../model/variables";
import { builtIns } from "./source";
import { safeHref } from "./text/text";

// Those that the reader chose, as an address has them.
function chosenOnes(values: Values): string {
  return Object.entries(values).flatMap(([name, value]) => (typeof value === "string" || name === FILTERS ? [] : value.list.map((one) => `var-${encodeURIComponent(name)}=${encodeURIComponent(one)}`))).join("&");
}

// undefined for one that leads nowhere or would run a script.
export function hrefOf(link: Link, values: Values, span: Span): string | undefined {
  const time = `from=${Math.round(span.start * 1000)}&to=${Math.round(span.end * 1000)}`;
  return safeHref(interpolate((link.href ?? "").replace(/\$\{?__url_time_range\}?/g, time).replace(/\$\{?__all_variables\}?/g, chosenOnes(values)), { ...builtIns(undefined, span, 1), ...values }));
}
