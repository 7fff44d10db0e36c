// DataTable: any panel's data as a table: a row for each time, or for each series of a single moment.
import { formatValue } from "../model/units";
import { timeText, type Zone } from "../model/time";
import type { PanelData } from "./source";
import { Grid, numberCell, textCell } from "./table/grid";

export function DataTable({ data, label, zone }: { data: PanelData; label: string; zone: Zone }) {
  const series = data.frames.flatMap((frame) => frame.series.map((one) => ({ ...one, unit: frame.query.unit })));
  const times = [...new Set(series.flatMap((one) => one.times))].sort((a, b) => b - a);
  if (times.length <= 1) {
    return (
      <Grid label={label} columns={[{ id: "name", title: "Series" }, { id: "value", title: "Value", numeric: true }]}
        rows={series.map((one) => ({ key: one.key, cells: [textCell(one.name), numberCell(one.values[0] ?? undefined, formatValue(one.values[0], one.unit))] }))} />
    );
  }
  const valueAt = series.map((one) => new Map(one.times.map((time, i) => [time, one.values[i] ?? null])));
  return (
    <Grid label={label} columns={[{ id: "time", title: "Time" }, ...series.map((one) => ({ id: one.key, title: one.name, numeric: true }))]}
      rows={times.map((time) => ({
        key: String(time),
        cells: [{ sort: time, view: timeText(time, zone) }, ...series.map((one, i) => {
          const value = valueAt[i]?.get(time);
          return numberCell(value ?? undefined, formatValue(value, one.unit));
        })],
      }))} />
  );
}
