// timeseries: lines over time. options: {"stack": true | "percent"}, {"fill": true | 0 to 100}, {"draw": "bars" | "points"}, {"line": "smooth" |
// "stepBefore" | "stepAfter"}, {"lineWidth": pixels}, {"joinGaps": true}, {"log": 2 | 10}, {"legend": "none" | "values" | "table"} (values: the last of
// each; table: {"columns": [REDUCER]}, default last, mean, min, max), {"legendAt": "right"}, {"marks": false}: no line at the thresholds, {"zeroGaps": true}: gaps are zeros,
// {"most": N} series drawn (default 40).
import type uPlot from "uplot";
import { useSignal, type ReadonlySignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { marksAt, type Mark } from "../../model/annotations";
import { fixedColor, stateColor, type Theme } from "../../model/colors";
import { gridTimes, summarize } from "../../model/frames";
import { goalNamed } from "../../model/goal_file";
import { reduce, reducerNamed } from "../../model/tables/reducers";
import type { Cell } from "../../model/tables/table";
import { timeText, zoneName, type Span, type Zone } from "../../model/time";
import { formatValue } from "../../model/units";
import type { PanelProps, PanelType } from "../panel_type";
import { anySeries } from "../panel_type";
import type { PanelData } from "../source";
import { drawingOf, linesOf, type Line } from "./lines";
import { Plot, type DrawAs } from "./plot";
import { Tooltip } from "./tooltip";
import "./timeseries.css";

const MOST_SERIES = 40;

// Which series are hidden: by key, so that a new answer changes nothing. A click shows one alone or, when it is alone
// already, all; with ctrl it hides or shows that one.
export function nextHidden(hidden: ReadonlySet<string>, keys: string[], key: string, toggle: boolean): Set<string> {
  if (toggle) {
    const out = new Set(hidden);
    if (!out.delete(key)) out.add(key);
    return out;
  }
  const alone = keys.every((other) => (other === key) !== hidden.has(other));
  return alone ? new Set() : new Set(keys.filter((other) => other !== key));
}

interface Over {
  index: number;
  left: number;
  top: number;
}

interface ReadingProps {
  over: ReadonlySignal<Over | undefined>;
  pinned: { time: number; left: number; top: number } | undefined;
  times: number[];
  data: PanelData;
  lines: Line[];
  hidden: ReadonlySet<string>;
  annotations: readonly Mark[];
  span: Span;
  width: number;
  theme: Theme;
  zone: Zone;
  format: (line: Line, value: number | null) => string;
}

// What stands at the cursor, or at the time that was pinned.
function Reading({ over, pinned, times, data, lines, hidden, annotations, span, width, theme, zone, format }: ReadingProps) {
  const index = pinned && Math.round((pinned.time - (times[0] ?? 0)) / data.step);
  const shown = pinned && index !== undefined && times[index] !== undefined ? { ...pinned, index } : over.value;
  const time = shown && times[shown.index];
  if (!shown || time === undefined) return null;
  const colorOf = (mark: Mark) => fixedColor(mark.color, theme) ?? stateColor("info", theme);
  const reach = Math.max(data.step, (6 * (span.end - span.start)) / Math.max(1, width));
  return (
    <Tooltip at={shown} width={width} pinned={pinned !== undefined}
      title={`${timeText(time, zone)} ${zoneName(zone)} · step ${data.step < 1 ? data.step : formatValue(data.step, "s")}`}
      marks={marksAt(annotations, time, reach).map((mark) => ({ ...mark, color: colorOf(mark), when: mark.end > mark.start ? `${timeText(mark.start, zone)} to ${timeText(mark.end, zone)}` : timeText(mark.start, zone) }))}
      rows={lines.filter((line) => line.drawn && line.inTooltip && !hidden.has(line.series.key)).map((line) => ({
        key: line.series.key, name: line.name, color: line.color, value: line.values[shown.index] ?? null, text: format(line, line.values[shown.index] ?? null),
      }))} />
  );
}

function useWidth(): [preact.RefObject<HTMLDivElement>, number] {
  const home = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = home.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setWidth(Math.floor(element.clientWidth)));
    observer.observe(element);
    setWidth(Math.floor(element.clientWidth));
    return () => observer.disconnect();
  }, []);
  return [home, width];
}

function TimeseriesView({ panel, data, span, theme, zone, annotations, onSpan }: PanelProps) {
  const [home, width] = useWidth();
  const canvas = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot>();
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [all, setAll] = useState(false);
  // The cursor moves sixty times a second over all charts: what does not show it is not rendered. `at`: the point, also where another chart has the pointer.
  const over = useSignal<Over | undefined>(undefined);
  const at = useSignal<number | undefined>(undefined);
  // By time: a refresh moves the points, and what is pinned goes with them.
  const [pinned, setPinned] = useState<{ time: number; left: number; top: number }>();
  const spanHandler = useRef(onSpan);
  spanHandler.current = onSpan;
  const draggedAt = useRef(0);

  const most = typeof panel.options?.most === "number" ? panel.options.most : MOST_SERIES;
  const count = data.frames.reduce((sum, frame) => sum + frame.series.length, 0);
  const lines = useMemo(() => linesOf(panel, data, all ? Infinity : most, theme), [panel, data, all, theme, most]);
  const times = useMemo(() => gridTimes(data.span, data.step), [data]);

  useEffect(() => {
    if (!canvas.current) return;
    const made = new Plot(canvas.current, {
      onSpan: (s) => {
        draggedAt.current = Date.now();
        spanHandler.current(s);
      },
      onCursor: (cursor) => {
        at.value = cursor?.index;
        over.value = cursor?.inside ? cursor : undefined;
      },
    });
    plot.current = made;
    return () => made.destroy();
  }, []);

  const options = panel.options ?? {};
  const share = options.stack === "percent";
  const left = lines.find((line) => line.drawn && line.look.axis !== "right");
  const unit = share ? "percentunit" : (panel.unit ?? left?.look.unit ?? "short");
  const stack = options.stack === true || share;
  const drawAs: DrawAs = options.draw === "bars" || options.draw === "points" ? options.draw : "lines";
  const height = Math.max(90, (panel.height ?? timeseries.height) * 40 - 14);
  const beside = options.legend !== "none" && options.legendAt === "right" && width > 520;
  const wide = beside ? width - LEGEND_WIDTH : width;
  useEffect(() => {
    const { columns, series, bands } = drawingOf(lines, hidden, { stack, share, drawAs });
    const goals = [...new Set(lines.map((line) => line.query.goal))].flatMap((name) => goalNamed(name) ?? []);
    const marks = [
      ...goals.map((goal) => ({ value: goal.target, color: stateColor("warn", theme) })),
      ...(options.marks === false ? [] : (panel.thresholds ?? [])).flatMap((t) => (t.from === null ? [] : [{ value: t.from, color: stateColor(t.color, theme) }])),
    ];
    const filled = typeof options.fill === "number" ? options.fill : undefined;
    plot.current?.draw(
      [times, ...columns] as uPlot.AlignedData,
      series.map((one) => ({ ...(filled !== undefined ? { fill: filled } : {}), ...(typeof options.lineWidth === "number" ? { width: options.lineWidth } : {}), ...one })),
      { start: span.start, end: span.end },
      {
        unit, decimals: panel.decimals, theme, zone, min: panel.min, max: share ? 1 : panel.max, fill: options.fill === true || stack, stack, drawAs, timed: true, xUnit: "",
        marks, dots: false, spanGaps: options.joinGaps === true, bands,
        ...(options.log === 2 || options.log === 10 ? { log: options.log } : {}),
        ...(options.line === "smooth" || options.line === "stepBefore" || options.line === "stepAfter" ? { line: options.line } : {}),
        ...(lines.some((line) => line.look.axis === "right") ? { rightUnit: lines.find((line) => line.look.axis === "right")?.look.unit ?? unit } : {}),
      },
      wide, height,
    );
  }, [lines, hidden, wide, height, theme, zone, span.start, span.end, JSON.stringify(options)]);

  // Sooner than the chart is drawn anew they would be drawn on the one before.
  useEffect(() => plot.current?.annotate(annotations.map(({ start, end, color }) => ({ start, end, color: fixedColor(color, theme) ?? stateColor("info", theme) }))), [annotations, theme, wide, height]);

  const pin = () => {
    const cursor = over.peek();
    const time = cursor && times[cursor.index];
    setPinned(pinned || !cursor || time === undefined ? undefined : { time, left: cursor.left, top: cursor.top });
  };
  const keys = lines.map((line) => line.series.key);
  const format = (line: Line, value: number | null) => formatValue(value === null ? null : line.look.negative ? -value : value, line.look.unit ?? unit, line.look.decimals);
  return (
    <div class={`timeseries${beside ? " beside" : ""}`} ref={home}>
      <div class="plot" ref={canvas} tabIndex={0} role="img"
        aria-label={`${panel.title}: chart of ${count} series. Left and right arrow keys read values.`}
        onKeyDown={(event) => {
          if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
            plot.current?.step((event.key === "ArrowLeft" ? -1 : 1) * (event.shiftKey ? 10 : 1));
            event.preventDefault();
          } else if (event.key === "Escape") {
            setPinned(undefined);
            plot.current?.leave();
          } else if (event.key === "Enter") {
            pin();
          }
        }}
        onBlur={() => plot.current?.leave()}
        onClick={() => {
          // The end of a drag is a click too.
          if (Date.now() - draggedAt.current > 300) pin();
        }}>
        <Reading over={over} pinned={pinned} times={times} data={data} lines={lines} hidden={hidden} annotations={annotations} span={span} width={wide} theme={theme} zone={zone} format={format} />
      </div>
      {options.legend !== "none" && (
        <Legend lines={lines.filter((line) => line.inLegend)} hidden={hidden} at={at} format={format} columns={options.legend === "table" ? legendColumns(options.columns) : undefined}
          onPick={(key, toggle) => setHidden(nextHidden(hidden, keys, key, toggle))} />
      )}
      {count > most && (
        <p class="note">
          Showing {lines.length} of {count} series. <button class="link" onClick={() => setAll(!all)}>{all ? `Show ${most}` : "Show all"}</button>
        </p>
      )}
    </div>
  );
}

const LEGEND_WIDTH = 240;
const LEGEND_COLUMNS = ["last", "mean", "min", "max"];
const OWN_TITLES: Record<string, string> = { last: "last", lastNotNull: "last", mean: "mean", min: "min", max: "max", sum: "total" };

// Those that are known, else the usual ones.
function legendColumns(wanted: unknown): string[] {
  const known = (Array.isArray(wanted) ? wanted.map(String) : []).filter((name) => reducerNamed(name) !== undefined);
  return known.length > 0 ? known : LEGEND_COLUMNS;
}

interface LegendProps {
  lines: Line[];
  hidden: ReadonlySet<string>;
  at: ReadonlySignal<number | undefined>;
  // Of the table; undefined: no table.
  columns: string[] | undefined;
  format: (line: Line, value: number | null) => string;
  onPick: (key: string, toggle: boolean) => void;
}

// The number of a line at the cursor, or its last one.
function ValueAt({ line, at, format }: { line: Line; at: ReadonlySignal<number | undefined>; format: LegendProps["format"] }) {
  const index = at.value;
  return <em>{format(line, index === undefined ? summarize(line.values).last : (line.values[index] ?? null))}</em>;
}

function Legend({ lines, hidden, at, columns, format, onPick }: LegendProps) {
  const entry = (line: Line) => (
    <button class={`entry${hidden.has(line.series.key) ? " off" : ""}`} title="Click: alone or all. Ctrl and click: hide or show."
      aria-pressed={!hidden.has(line.series.key)} onClick={(event) => onPick(line.series.key, event.ctrlKey || event.metaKey)}>
      <span class="swatch" style={{ background: line.color }} /> <span class="entry-name">{line.name}</span>
    </button>
  );
  const number = (value: Cell): number | null => (typeof value === "number" ? value : null);
  if (columns) {
    return (
      <div class="legend-table" tabIndex={0} role="group" aria-label="Legend">
        <table>
          <thead><tr><th scope="col">Series</th>{columns.map((name) => <th key={name} scope="col">{OWN_TITLES[name] ?? reducerNamed(name)?.title ?? name}</th>)}</tr></thead>
          <tbody>
            {lines.map((line) => (
              <tr key={line.series.key}>
                <td>{entry(line)}</td>
                {columns.map((name) => <td key={name}>{format(line, number(reduce(name === "last" ? "lastNotNull" : name, line.values)))}</td>)}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    );
  }
  return (
    <div class="legend">
      {lines.map((line) => (
        <span class="legend-item" key={line.series.key}>
          {entry(line)} <ValueAt line={line} at={at} format={format} />
        </span>
      ))}
    </div>
  );
}

export const timeseries: PanelType = { type: "timeseries", height: 5, sizing: "drawn", hasData: anySeries, annotated: true, view: TimeseriesView };
