// The queries that were run here last, newest first, as they are kept in the browser.
const MOST = 50;

export function lastQueries(kept: string | null): string[] {
  try {
    const list: unknown = JSON.parse(kept ?? "[]");
    return Array.isArray(list) ? list.filter((one): one is string => typeof one === "string") : [];
  } catch {
    return [];
  }
}

export function rememberQuery(kept: string | null, query: string): string {
  return JSON.stringify([query, ...lastQueries(kept).filter((one) => one !== query)].slice(0, MOST));
}
