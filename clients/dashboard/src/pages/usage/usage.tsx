// Usage: what each token and each database with quotas takes of the server, and how much it may.
import { useEffect, useRef } from "preact/hooks";
import { api, ApiError, type Usage as Row } from "../../api";
import { formatValue } from "../../model/units";
import { Grid, numberCell, textCell, type GridRow } from "../../panels/table/grid";
import { pageDefaults } from "../../shell/state";
import { useLoaded } from "../loaded";
import { keyOf, ratesOf, refusedText, type Rates, type Taken } from "./taken";
import "../coded.css";

const REFRESH = { range: { from: "now-1h", to: "now" }, refresh: 5 };
// Answers that are nearer than this say little about a second.
const LEAST_MS = 900;

const COLUMNS = [
  { id: "points", title: "Points", numeric: true }, { id: "points_s", title: "now", numeric: true }, { id: "bytes", title: "Received", numeric: true }, { id: "bytes_s", title: "now", numeric: true },
  { id: "series", title: "New series", numeric: true }, { id: "queries", title: "Queries", numeric: true }, { id: "running", title: "running", numeric: true }, { id: "memory", title: "Their memory", numeric: true },
  { id: "refused", title: "Refused", numeric: true }, { id: "quotas", title: "Quotas" },
];

function rowOf(row: Row, rates: Rates | undefined): GridRow {
  const count = (value: number) => numberCell(value, formatValue(value, "grouped"));
  const refused = row.refusedWrites + row.refusedRows + row.refusedQueries;
  return {
    key: keyOf(row),
    cells: [
      textCell(row.name), count(row.points), numberCell(rates?.points, rates ? `${formatValue(rates.points)}/s` : "–"), numberCell(row.bytes, formatValue(row.bytes, "bytes")), numberCell(rates?.bytes, formatValue(rates?.bytes, "Bps")),
      count(row.newSeries), count(row.queries), count(row.runningQueries), numberCell(row.queryMemoryBytes, formatValue(row.queryMemoryBytes, "bytes")),
      { sort: refused, view: refused === 0 ? "0" : <span class="is-warn">{refusedText(row)}</span> },
      textCell(row.quotas.join(", ") || "none"),
    ],
  };
}

// The answer before the newest one that is far enough from it.
function useBefore(taken: Taken | undefined): Taken | undefined {
  const seen = useRef<{ before: Taken | undefined; last: Taken | undefined }>({ before: undefined, last: undefined });
  const { last } = seen.current;
  if (taken && taken !== last && (!last || taken.at - last.at >= LEAST_MS)) seen.current = { before: last, last: taken };
  return seen.current.last === taken ? seen.current.before : seen.current.last;
}

export function Usage() {
  useEffect(() => { pageDefaults.value = REFRESH; }, []);
  const usage = useLoaded("usage", async (signal): Promise<Taken> => ({ rows: await api.usage(signal), at: Date.now() }), true);
  const taken = usage.value;
  const before = useBefore(taken);
  const rates = taken ? ratesOf(before, taken) : new Map<string, Rates>();
  const of = (kind: Row["kind"]) => (taken?.rows ?? []).filter((row) => row.kind === kind).map((row) => rowOf(row, rates.get(keyOf(row))));
  const forbidden = usage.failure instanceof ApiError && usage.failure.status === 403;
  return (
    <div class="coded">
      <div class="coded-bar">
        <span class="note">Counted since the server was started. Beyond a quota writes and queries are answered with 429 and the reason.</span>
        {usage.error && <span class="is-bad" role="status">{usage.error}{forbidden && ". What each takes is told to those who may administer this server."}</span>}
      </div>
      {taken && (
        <div class="row-panels">
          <section class="panel" data-wide="" style={{ "--span": 12 }} aria-label="Tokens">
            <h3>Tokens</h3>
            {of("token").length === 0 ? <p class="note">This server asks for no tokens. <code>tidemark admin token new NAME --grant 'admin:*'</code> makes the first.</p>
              : <Grid label="Tokens" stacks columns={[{ id: "name", title: "Token" }, ...COLUMNS]} rows={of("token")} />}
          </section>
          <section class="panel" data-wide="" style={{ "--span": 12 }} aria-label="Databases with quotas">
            <h3>Databases with quotas</h3>
            {of("database").length === 0 ? <p class="note">None has a quota. <code>tidemark admin quota set NAME --quota points/s=100000</code> gives one.</p>
              : <Grid label="Databases with quotas" stacks columns={[{ id: "name", title: "Database" }, ...COLUMNS]} rows={of("database")} />}
          </section>
        </div>
      )}
    </div>
  );
}
