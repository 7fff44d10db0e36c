// A table's columns as they are: each with its own unit, words, colours and links. options: {"fields": true}.
import type { ComponentChildren } from "preact";
import { mappingOf, stateColor, thresholdColor, type Theme } from "../../model/colors";
import { lookOf } from "../../model/looks";
import type { FieldLook } from "../../model/schema";
import { columnNames, rowCount, type Cell, type Table } from "../../model/tables/table";
import { timeText, type Span, type Zone } from "../../model/time";
import { formatValue } from "../../model/units";
import type { Values } from "../../model/variables";
import { hrefOf } from "../href";
import type { PanelProps } from "../panel_type";
import type { Column, GridRow } from "./grid";

function textOf(value: Cell, kind: string, look: FieldLook, zone: Zone): string {
  const mapping = mappingOf(value, look.mappings);
  if (mapping) return mapping.text;
  if (value === null) return "";
  if (kind === "time" && typeof value === "number") return timeText(value, zone);
  if (typeof value === "number") return formatValue(value, look.unit, look.decimals);
  return String(value);
}

// The names that a link may use: its own value and those of its row, ${__value.raw} and ${__data.fields.NAME}.
function linkTitle(text: string, value: Cell, shown: string, row: ReadonlyMap<string, string>): string {
  return text
    .replace(/\$\{__value\.(raw|text|numeric)(?::\w+)?\}|\$__cell(?!_)/g, (_, form?: string) => encodeURIComponent(form === "text" ? shown : String(value ?? "")))
    .replace(/\$\{__data\.fields(?:\.([\w ]+)|\[["']?([^\]"']+)["']?\])(?:\.\w+)?(?::\w+)?\}/g, (_, plain?: string, quoted?: string) => encodeURIComponent(row.get(plain ?? quoted ?? "") ?? ""))
    .replace(/\$__cell_(\d+)/g, (_, at: string) => encodeURIComponent([...row.values()][Number(at)] ?? ""));
}

function Gauge({ value, look, theme }: { value: number; look: FieldLook; theme: Theme }) {
  const [min, max] = [look.min ?? 0, look.max ?? (look.unit === "percentunit" ? 1 : 100)];
  const share = Math.min(1, Math.max(0, (value - min) / (max - min || 1)));
  return <span class="track in-cell" aria-hidden="true"><span class="fill" style={{ width: `${share * 100}%`, background: stateColor(thresholdColor(value, look.thresholds) ?? "accent", theme) }} /></span>;
}

interface CellProps {
  value: Cell;
  kind: string;
  look: FieldLook;
  values: Values;
  row: ReadonlyMap<string, string>;
  query: string;
  labels: Record<string, string> | undefined;
  span: Span;
  theme: Theme;
  zone: Zone;
}

function CellView({ value, kind, look, values, row, query, labels, span, theme, zone }: CellProps): ComponentChildren {
  const text = textOf(value, kind, look, zone);
  const color = mappingOf(value, look.mappings)?.color ?? (typeof value === "number" ? thresholdColor(value, look.thresholds) : undefined);
  const raw = typeof value === "number" && kind === "number" ? { "data-figure": query, "data-raw": String(value), ...(labels ? { "data-series": JSON.stringify(labels) } : {}) } : {};
  const link = look.links?.[0];
  const href = link && hrefOf({ ...link, href: linkTitle(link.href ?? "", value, text, row) }, values, span);
  const inner = href === undefined ? text : <a href={href} title={link?.title}>{text}</a>;
  if (look.cell === "gauge" && typeof value === "number") return <span class="cell-gauge" {...raw}><Gauge value={value} look={look} theme={theme} /> <span>{inner}</span></span>;
  if (look.cell === "background" && color) return <span class={`cell-ground on-${color}`} {...raw}>{inner}</span>;
  if (look.cell === "color" && color) return <span class={`is-${color}`} {...raw}>{inner}</span>;
  return Object.keys(raw).length > 0 ? <span {...raw}>{inner}</span> : inner;
}

// The rows keep their keys through refreshes as long as their texts stay.
export function fieldRows(table: Table, { panel, values, span, theme, zone }: PanelProps): { columns: Column[]; rows: GridRow[] } {
  const names = columnNames(table);
  const queryOf = (id: string) => panel.queries?.find((query) => query.id === id);
  const shown = table.columns.map((column, i) => {
    const name = names[i] as string;
    const plain = column.title !== undefined && column.title !== column.name ? { plain: column.name } : {};
    return { column, name, look: lookOf(panel, queryOf(column.query), { name, ...plain, labels: column.labels, query: column.query, kind: column.kind, values: column.values }) };
  }).filter(({ look }) => look.hidden !== true && look.hideFrom?.includes("chart") !== true);
  const counts = new Map<string, number>();
  const texts = shown.filter(({ column }) => column.kind === "text");
  return {
    columns: shown.map(({ column, name, look }) => ({
      id: name, title: look.title ?? name, numeric: look.align === "right" || (look.align === undefined && column.kind === "number"),
      ...(look.align ? { align: look.align } : {}), ...(look.width !== undefined ? { width: look.width } : {}),
    })),
    rows: Array.from({ length: rowCount(table) }, (_, r): GridRow => {
      const row = new Map(shown.map(({ column, name }) => [name, String(column.values[r] ?? "")]));
      const key = JSON.stringify(texts.map(({ column }) => column.values[r]));
      const n = (counts.get(key) ?? 0) + 1;
      counts.set(key, n);
      const labels = Object.fromEntries(texts.map(({ name }) => [name, row.get(name) ?? ""]));
      return {
        key: `${key} ${n}`,
        cells: shown.map(({ column, look }) => {
          const value = column.values[r] ?? null;
          return {
            sort: typeof value === "number" ? value : String(value ?? ""),
            view: <CellView value={value} kind={column.kind} look={look} values={values} row={row} query={column.query} labels={labels} span={span} theme={theme} zone={zone} />,
          };
        }),
      };
    }),
  };
}
