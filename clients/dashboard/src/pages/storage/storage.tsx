// Storage: databases with their sizes, retention and downsampling, the partitions of one, and the store's own counters.
import { useEffect } from "preact/hooks";
import { api, homeDatabase } from "../../api";
import { durationText, timeText } from "../../model/time";
import { formatValue } from "../../model/units";
import { Grid, numberCell, textCell } from "../../panels/table/grid";
import { address, go, pageDefaults, zone } from "../../shell/state";
import { SLOW_REFRESH, useLoaded } from "../loaded";
import "../coded.css";

export function keptText(seconds: number): string {
  return seconds === 0 ? "for ever" : durationText(seconds);
}

export function Storage() {
  useEffect(() => { pageDefaults.value = SLOW_REFRESH; }, []);
  const databases = useLoaded("databases", (signal) => api.databases(signal), true);
  const rows = databases.value ?? [];
  const chosen = address.value.rest.db?.[0] ?? (rows.some((row) => row.database === homeDatabase) || rows.length === 0 ? homeDatabase : (rows[0]?.database as string));
  const total = rows.reduce((sum, row) => sum + row.diskBytes, 0);
  return (
    <div class="coded">
      {databases.error && <p class="is-bad" role="status">{databases.error}</p>}
      <div class="row-panels">
        <section class="panel" data-wide="" style={{ "--span": 12 }} aria-label="Databases">
          <h3>Databases</h3>
          <Grid label="Databases" columns={[
            { id: "name", title: "Database" }, { id: "disk", title: "On disk", numeric: true }, { id: "series", title: "Series", numeric: true }, { id: "fields", title: "Fields", numeric: true },
            { id: "partitions", title: "Partitions", numeric: true }, { id: "width", title: "of each", numeric: true }, { id: "kept", title: "Kept", numeric: true }, { id: "sync", title: "Synced within", numeric: true },
          ]}
            rows={[
              ...rows.map((row) => ({
                key: row.database,
                cells: [
                  { sort: row.database, view: <button class="link" aria-pressed={row.database === chosen} onClick={() => go({ rest: { db: [row.database] } })}>{row.database}</button> },
                  numberCell(row.diskBytes, formatValue(row.diskBytes, "bytes")), numberCell(row.series, formatValue(row.series, "grouped")), numberCell(row.fields, formatValue(row.fields, "grouped")),
                  numberCell(row.partitions, formatValue(row.partitions, "grouped")), numberCell(row.partitionSeconds, durationText(row.partitionSeconds)),
                  numberCell(row.retentionSeconds || Infinity, keptText(row.retentionSeconds)), numberCell(row.syncIntervalSeconds, row.syncIntervalSeconds === 0 ? "each write" : formatValue(row.syncIntervalSeconds, "s")),
                ],
              })),
              ...(rows.length > 1 ? [{ key: "\u0000total", foot: true, cells: [textCell("Total"), numberCell(total, formatValue(total, "bytes")), ...["", "", "", "", "", ""].map(textCell)] }] : []),
            ]} />
        </section>
        {databases.value && <OneDatabase db={chosen} />}
      </div>
    </div>
  );
}

function OneDatabase({ db }: { db: string }) {
  const retention = useLoaded(`retention ${db}`, (signal) => api.retention(db, signal));
  const blocks = useLoaded(`blocks ${db}`, (signal) => api.blocks(db, signal));
  const kept = retention.value;
  return (
    <>
      <section class="panel" style={{ "--span": 4 }} aria-label={`Retention of ${db}`}>
        <h3>{db}: retention</h3>
        {retention.error && <p class="is-bad">{retention.error}</p>}
        {kept && (
          <dl class="stat-list">
            <div><dt>Rows are kept</dt><dd>{keptText(kept.retentionSeconds)}</dd></div>
            <div><dt>At most on disk</dt><dd>{kept.maxBytes === 0 ? "no limit" : formatValue(kept.maxBytes, "bytes")}</dd></div>
            {kept.selectors.map((one) => <div key={one.match}><dt><code>{one.match}</code></dt><dd>{keptText(one.keepSeconds)}</dd></div>)}
            {kept.tiers.map((tier) => <div key={tier.widthSeconds}><dt>Downsampled to {durationText(tier.widthSeconds)}</dt><dd>{keptText(tier.keepSeconds)}</dd></div>)}
            {kept.tiers.length === 0 && <div><dt>Downsampled</dt><dd class="note">no tiers</dd></div>}
          </dl>
        )}
        <p class="note">To change it: <code>tidemark admin retention set {db} 30d</code></p>
      </section>
      <section class="panel bounded" data-wide="" style={{ "--span": 8 }} aria-label={`Partitions of ${db}`}>
        <h3>{db}: partitions</h3>
        {blocks.error && <p class="is-bad">{blocks.error}</p>}
        <Grid label={`Partitions of ${db}`} columns={[{ id: "from", title: "From" }, { id: "to", title: "To" }, { id: "rows", title: "Samples", numeric: true }, { id: "bytes", title: "On disk", numeric: true }]}
          rows={(blocks.value ?? []).map((block) => ({
            key: block.ulid,
            cells: [
              { sort: block.minTime, view: <span class="one-line">{timeText(block.minTime / 1000, zone.value)}</span> }, { sort: block.maxTime, view: <span class="one-line">{timeText(block.maxTime / 1000, zone.value)}</span> },
              numberCell(block.stats.numSamples, formatValue(block.stats.numSamples, "grouped")), numberCell(block.stats.numBytes, formatValue(block.stats.numBytes, "bytes")),
            ],
          }))} />
        {blocks.value?.length === 0 && <p class="note">Its rows are still in memory; a checkpoint brings them to disk.</p>}
      </section>
    </>
  );
}
