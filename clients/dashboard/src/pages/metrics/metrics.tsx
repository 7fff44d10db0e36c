// Metrics: what a database holds: metrics with type and help, how many series each has, labels and their values, and
// points that were refused.
import { useEffect, useState } from "preact/hooks";
import { api, homeDatabase } from "../../api";
import { timeText } from "../../model/time";
import { formatValue } from "../../model/units";
import { Grid, numberCell, textCell } from "../../panels/table/grid";
import { address, go, pageAddress, pageDefaults, zone } from "../../shell/state";
import { SLOW_REFRESH, useLoaded } from "../loaded";
import "../coded.css";

const MOST = 10_000;

export function Metrics() {
  useEffect(() => { pageDefaults.value = SLOW_REFRESH; }, []);
  const databases = useLoaded("databases", (signal) => api.databases(signal));
  const names = (databases.value ?? []).map((row) => row.database);
  const chosen = address.value.rest.db?.[0] ?? (names.includes(homeDatabase) || names.length === 0 ? homeDatabase : (names[0] as string));
  const metric = address.value.rest.metric?.[0];
  const [filter, setFilter] = useState("");
  const status = useLoaded(`tsdb ${chosen}`, (signal) => api.tsdb(chosen, MOST, signal));
  const metadata = useLoaded(`metadata ${chosen}`, (signal) => api.metadata(chosen, signal));
  const rejections = useLoaded("rejections", (signal) => api.rejections(100, signal));
  const counts = status.value?.seriesCountByMetricName ?? [];
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = counts.filter((row) => words.every((word) => row.name.toLowerCase().includes(word)));
  const refused = (rejections.value ?? []).filter((row) => row.database === chosen);
  return (
    <div class="coded">
      <div class="coded-bar">
        <label>Database{" "}
          <select class="control" value={chosen} onChange={(event) => go({ rest: { db: [event.currentTarget.value] } })}>
            {!names.includes(chosen) && <option>{chosen}</option>}
            {names.map((name) => <option key={name}>{name}</option>)}
          </select>
        </label>
        <label>Find <input class="field" type="search" value={filter} placeholder="words of its name" onInput={(event) => setFilter(event.currentTarget.value)} /></label>
        <span class="note" role="status">
          {status.value && `${formatValue(status.value.headStats.numSeries, "grouped")} series, ${formatValue(counts.length, "grouped")} metrics${words.length > 0 ? `, ${shown.length} found` : ""}`}
        </span>
        {status.error && <span class="is-bad">{status.error}</span>}
      </div>
      <div class="row-panels">
        <section class="panel tall" data-wide="" style={{ "--span": 8 }} aria-label="Metrics">
          <h3>Metrics</h3>
          <Grid label="Metrics" columns={[{ id: "name", title: "Metric" }, { id: "series", title: "Series", numeric: true }, { id: "type", title: "Type" }, { id: "help", title: "What it says of itself" }]}
            rows={shown.map((row) => {
              const about = Object.hasOwn(metadata.value ?? {}, row.name) ? metadata.value?.[row.name]?.[0] : undefined;
              return {
                key: row.name,
                cells: [
                  { sort: row.name, view: <button class="link" onClick={() => go({ rest: { db: [chosen], metric: [row.name] } })}>{row.name}</button> },
                  numberCell(row.value, formatValue(row.value, "grouped")), textCell(about?.type ?? ""), textCell(about?.help ?? ""),
                ],
              };
            })} />
          {status.value && counts.length === 0 && <p class="note">Nothing was written to this database yet.</p>}
        </section>
        <section class="panel tall" style={{ "--span": 4 }} aria-label="Labels">
          {metric === undefined ? (
            <>
              <h3>Labels</h3>
              <Grid label="Labels" columns={[{ id: "name", title: "Label" }, { id: "values", title: "Values", numeric: true }]}
                rows={(status.value?.labelValueCountByLabelName ?? []).map((row) => ({ key: row.name, cells: [textCell(row.name), numberCell(row.value, formatValue(row.value, "grouped"))] }))} />
            </>
          ) : <OneMetric db={chosen} metric={metric} />}
        </section>
        <section class="panel" data-wide="" style={{ "--span": 12 }} aria-label="Rejected points">
          <h3>Rejected points</h3>
          {rejections.error && <p class="is-bad">{rejections.error}</p>}
          {rejections.value === undefined ? null : refused.length === 0 ? <p class="note">None of this database is remembered.</p> : (
            <Grid label="Rejected points" columns={[{ id: "time", title: "Time" }, { id: "line", title: "Line", numeric: true }, { id: "reason", title: "Reason" }, { id: "message", title: "Message" }]}
              rows={refused.map((row) => ({
                key: String(row.number),
                cells: [{ sort: row.time, view: timeText(Date.parse(row.time) / 1000, zone.value) }, numberCell(row.line, String(row.line)), textCell(row.reason), textCell(row.message)],
              }))} />
          )}
        </section>
      </div>
    </div>
  );
}

function OneMetric({ db, metric }: { db: string; metric: string }) {
  const match = `{__name__=${JSON.stringify(metric)}}`;
  const series = useLoaded(`series ${db} ${metric}`, (signal) => api.series(db, [match], MOST, signal));
  const values = new Map<string, Set<string>>();
  for (const labels of series.value ?? []) {
    for (const [name, value] of Object.entries(labels)) if (name !== "__name__") values.set(name, (values.get(name) ?? new Set()).add(value));
  }
  const expr = /^[a-zA-Z_:][\w:]*$/.test(metric) ? metric : match;
  return (
    <>
      <h3>{metric}</h3>
      <p><a href={`${pageAddress("explore")}&q=${encodeURIComponent(expr)}&db=${encodeURIComponent(db)}`}>Open in Explore</a>{" "}
        <button class="link" onClick={() => go({ rest: { db: [db] } })}>All labels</button></p>
      {series.error && <p class="is-bad">{series.error}</p>}
      <p class="note">{series.value?.length ?? "…"} series</p>
      <Grid label={`Labels of ${metric}`} columns={[{ id: "name", title: "Label" }, { id: "count", title: "Values", numeric: true }, { id: "some", title: "Some of them" }]}
        rows={[...values].map(([name, all]) => ({ key: name, cells: [textCell(name), numberCell(all.size, String(all.size)), textCell([...all].sort().slice(0, 8).join(", ") + (all.size > 8 ? " …" : ""))] }))} />
    </>
  );
}
