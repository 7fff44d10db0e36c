// Taken: what each token and each database with quotas has taken of the server: /api/v1/admin/usage as rows, with what each takes now.

import type { Usage } from "../../api";

// An answer and when it came, milliseconds of Date.now().
export interface Taken {
  at: number;
  rows: Usage[];
}

export interface Rates {
  points: number;
  bytes: number;
  queries: number;
}

export const keyOf = ({ kind, name }: Usage): string => `${kind} ${name}`;

// What each row took a second from `before` to `after`, by keyOf. A row that was not there before, or counts less than then (the server
// was started anew), has none.
export function ratesOf(before: Taken | undefined, after: Taken): Map<string, Rates> {
  const out = new Map<string, Rates>();
  const seconds = before ? (after.at - before.at) / 1000 : 0;
  if (!before || seconds <= 0) return out;
  const then = new Map(before.rows.map((row) => [keyOf(row), row]));
  for (const row of after.rows) {
    const old = then.get(keyOf(row));
    if (!old || old.points > row.points || old.bytes > row.bytes || old.queries > row.queries) continue;
    out.set(keyOf(row), { points: (row.points - old.points) / seconds, bytes: (row.bytes - old.bytes) / seconds, queries: (row.queries - old.queries) / seconds });
  }
  return out;
}

// "2 writes, 30 rows, 1 query"; "" for nothing.
export function refusedText({ refusedWrites, refusedRows, refusedQueries }: Usage): string {
  const counted = (count: number, one: string, many: string) => (count === 0 ? [] : [`${count} ${count === 1 ? one : many}`]);
  return [...counted(refusedWrites, "write", "writes"), ...counted(refusedRows, "row", "rows"), ...counted(refusedQueries, "query", "queries")].join(", ");
}
