// table: figures in rows. options, one of:
// {"join": "LABEL"}: a row for each value of the label, a column for each query (events give the newest text);
// {"pivot": {"row": "LABEL", "column": "LABEL", "total": true}}: one query's numbers as a matrix;
// {"rows": "time", "row": "Week"}: a row for each step of the range, a column for each query, oldest first;
// {"fields": true}: the table that the answer is, after the panel's transformations; of several the reader chooses one;
// without: a row for each series, a column for each label that differs, and the number.
import { useState } from "preact/hooks";
import { lastValue, type Frame } from "../../model/frames";
import { dayText } from "../../model/time";
import { formatValue } from "../../model/units";
import { tablesOf } from "../../model/tables/convert";
import { rowCount, type Table } from "../../model/tables/table";
import { anySeries, type PanelProps, type PanelType } from "../panel_type";
import { Figure, GoalMark, itemOf } from "../figures/figure";
import "../figures/figure.css";
import { fieldRows } from "./fields";
import { Grid, textCell, type Cell, type Column, type GridRow } from "./grid";
import { byText } from "../../model/order";

interface Made {
  columns: Column[];
  rows: GridRow[];
}

function titleOf(frame: Frame): string {
  return frame.query.legend ?? frame.query.id;
}

function joined({ panel, data }: PanelProps, label: string): Made {
  const columns: Column[] = [
    { id: label, title: String(panel.options?.title ?? label) },
    ...data.frames.map((frame) => ({ id: frame.query.id, title: titleOf(frame), numeric: frame.query.mode !== "events" && !frame.query.mappings })),
  ];
  const names = new Set<string>();
  for (const frame of data.frames) {
    for (const series of frame.series) names.add(series.labels[label] ?? "");
  }
  const rows = [...names].sort().map((name): GridRow => ({
    key: name,
    cells: [
      textCell(name || "all"),
      ...data.frames.map((frame): Cell => {
        if (frame.query.mode === "events") {
          const text = frame.events.findLast((event) => (event.labels[label] ?? "") === name)?.text ?? "";
          return { sort: text, view: text };
        }
        const series = frame.series.find((s) => (s.labels[label] ?? "") === name);
        const item = itemOf(panel, frame.query, series, name);
        const dot = frame.query.mappings && item.value !== undefined;
        return {
          sort: item.value ?? -Infinity,
          view: <span class={"one-line " + (dot && item.color ? `is-${item.color}` : "")}>{dot && <span class="dot" aria-hidden="true" />}<Figure item={item} /> <GoalMark item={item} /></span>,
        };
      }),
    ],
  }));
  return { columns, rows };
}

function pivoted({ panel, data }: PanelProps, options: { row: string; column: string; total?: boolean }): Made {
  const frame = data.frames[0] as Frame;
  const valueAt = new Map(frame.series.map((s) => [JSON.stringify([s.labels[options.row], s.labels[options.column]]), s]));
  const names = (label: string) => [...new Set(frame.series.map((s) => s.labels[label] ?? ""))].sort(byText);
  const across = names(options.column);
  const columns: Column[] = [
    { id: options.row, title: options.row },
    ...across.map((name) => ({ id: `=${name}`, title: name || "–", numeric: true })),
    ...(options.total ? [{ id: "total", title: "Total", numeric: true }] : []),
  ];
  const format = (value: number) => formatValue(value, panel.unit, panel.decimals);
  const sums = across.map(() => 0);
  const rows = names(options.row).map((name): GridRow => {
    let sum = 0;
    const cells = across.map((other, i): Cell => {
      const series = valueAt.get(JSON.stringify([name, other]));
      const value = lastValue(series) ?? 0;
      sum += value;
      sums[i] = (sums[i] as number) + value;
      return series ? { sort: value, view: <Figure item={itemOf(panel, frame.query, series, other)} /> } : { sort: 0, view: <span class="is-dim">0</span> };
    });
    return { key: name, cells: [textCell(name), ...cells, ...(options.total ? [{ sort: sum, view: <strong>{format(sum)}</strong> }] : [])] };
  });
  if (options.total) {
    const whole = sums.reduce((a, b) => a + b, 0);
    rows.push({ key: "\u0000total", foot: true, cells: [textCell("Total"), ...[...sums, whole].map((sum): Cell => ({ sort: sum, view: format(sum) }))] });
  }
  return { columns, rows };
}

function byTime({ panel, data, zone }: PanelProps): Made {
  const word = String(panel.options?.row ?? "");
  const times = [...new Set(data.frames.flatMap((frame) => frame.series.flatMap((series) => series.times)))].sort((a, b) => a - b);
  const columns: Column[] = [
    { id: "time", title: word || "Time" },
    { id: "end", title: "until" },
    ...data.frames.map((frame) => ({ id: frame.query.id, title: titleOf(frame), numeric: true })),
  ];
  const rows = times.map((time, n): GridRow => ({
    key: String(time),
    cells: [
      { sort: n + 1, view: String(n + 1) },
      { sort: time, view: <span class="note">{dayText(time, zone)}</span> },
      ...data.frames.map((frame): Cell => {
        const series = frame.series.find((s) => s.times.includes(time));
        const value = series?.values[series.times.indexOf(time)] ?? undefined;
        const one = series && { ...series, times: [time], values: [value ?? null] };
        return { sort: value ?? -Infinity, view: <Figure item={itemOf(panel, frame.query, one, "")} /> };
      }),
    ],
  }));
  return { columns, rows };
}

function plain({ panel, data }: PanelProps): Made {
  const all = data.frames.flatMap((frame) => frame.series.map((series) => ({ frame, series })));
  const labels = [...new Set(all.flatMap(({ series }) => Object.keys(series.labels)))].filter((l) => l !== "__name__").sort();
  return {
    columns: [...labels.map((l) => ({ id: `.${l}`, title: l })), { id: "value", title: "value", numeric: true }],
    rows: all.map(({ frame, series }) => {
      const item = itemOf(panel, frame.query, series, series.name);
      return { key: series.key, cells: [...labels.map((l) => textCell(series.labels[l] ?? "")), { sort: item.value ?? -Infinity, view: <Figure item={item} /> }] };
    }),
  };
}

// By what it is called, so that a refresh keeps the choice.
function tableName(table: Table, i: number): string {
  return table.name ?? (table.query || `Table ${i + 1}`);
}

function FieldsView(props: PanelProps) {
  const { panel, data } = props;
  const tables = data.tables ?? tablesOf(data.frames);
  const [chosen, setChosen] = useState<string>();
  const at = Math.max(0, tables.findIndex((table, i) => tableName(table, i) === chosen));
  const table = tables[at];
  if (!table) return null;
  return (
    <>
      {tables.length > 1 && (
        <select class="control" aria-label={`Which table of ${panel.title}`} value={tableName(table, at)} onChange={(event) => setChosen(event.currentTarget.value)}>
          {tables.map((one, i) => <option key={i} value={tableName(one, i)}>{tableName(one, i)}</option>)}
        </select>
      )}
      <Grid {...fieldRows(table, props)} label={panel.title} />
    </>
  );
}

function TableView(props: PanelProps) {
  const { options } = props.panel;
  if (options?.fields === true) return <FieldsView {...props} />;
  let made: Made;
  if (typeof options?.join === "string") made = joined(props, options.join);
  else if (options?.pivot) made = pivoted(props, options.pivot as { row: string; column: string; total?: boolean });
  else if (options?.rows === "time") made = byTime(props);
  else made = plain(props);
  return <Grid {...made} label={props.panel.title} />;
}

export const table: PanelType = {
  type: "table",
  height: 6,
  sizing: "list",
  hasData: (data) => (data.tables ? data.tables.some((one) => rowCount(one) > 0) : anySeries(data)),
  view: TableView,
};
