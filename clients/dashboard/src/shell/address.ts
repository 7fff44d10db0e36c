// The address: which page, range, refresh and variables. All that a link must carry to show the same to somebody else.

export interface Address {
  page: string;
  // undefined: the page's own.
  from: string | undefined;
  to: string | undefined;
  // Seconds; 0: off; undefined: the page's own.
  refresh: number | undefined;
  zone: "utc" | undefined;
  // Panel that fills the page.
  panel: string | undefined;
  // What was chosen of each, by name; several where several may be.
  variables: Record<string, string[]>;
  // Whatever else a page keeps, such as Explore's queries.
  rest: Record<string, string[]>;
}

const VARIABLE = "var-";

export function parseAddress(search: string): Address {
  const params = new URLSearchParams(search);
  const out: Address = {
    page: params.get("page") ?? "",
    from: params.get("from") ?? undefined,
    to: params.get("to") ?? undefined,
    refresh: undefined,
    zone: params.get("tz") === "utc" ? "utc" : undefined,
    panel: params.get("panel") ?? undefined,
    variables: {},
    rest: {},
  };
  const refresh = params.get("refresh");
  if (refresh === "off") out.refresh = 0;
  else if (refresh !== null && /^\d+s?$/.test(refresh)) out.refresh = Math.min(86_400, Number.parseInt(refresh, 10));
  for (const [name, value] of params) {
    if (name.startsWith(VARIABLE)) (out.variables[name.slice(VARIABLE.length)] ??= []).push(value);
    else if (!["page", "from", "to", "refresh", "tz", "panel"].includes(name)) (out.rest[name] ??= []).push(value);
  }
  return out;
}

// "" or "?page=...": names that say nothing are left out.
export function formatAddress(address: Address): string {
  const params = new URLSearchParams();
  if (address.page) params.set("page", address.page);
  if (address.from !== undefined) params.set("from", address.from);
  if (address.to !== undefined) params.set("to", address.to);
  if (address.refresh !== undefined) params.set("refresh", address.refresh === 0 ? "off" : `${address.refresh}s`);
  if (address.zone) params.set("tz", address.zone);
  if (address.panel !== undefined) params.set("panel", address.panel);
  for (const [name, values] of Object.entries(address.variables)) for (const value of values) params.append(VARIABLE + name, value);
  for (const [name, values] of Object.entries(address.rest)) for (const value of values) params.append(name, value);
  const text = params.toString();
  return text ? `?${text}` : "";
}
