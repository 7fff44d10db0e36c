// timeseries: lines over time. options: {"stack": true}, {"fill": true}, {"draw": "bars"}, {"legend": "none" | "values" |
// "table"} (values: the last of each; table: last, mean, min, max), {"most": N} series drawn (default 40).
import type uPlot from "uplot";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { seriesColor, stateColor } from "../../model/colors";
import { gridTimes, onGrid, summarize, type Series } from "../../model/frames";
import { goalNamed } from "../../model/goal_file";
import type { Query } from "../../model/schema";
import { timeText, zoneName } from "../../model/time";
import { formatValue } from "../../model/units";
import type { PanelProps, PanelType } from "../panel_type";
import { anySeries } from "../panel_type";
import { Plot, type PlotSeries } from "./plot";
import { stacked } from "./stack";
import { Tooltip } from "./tooltip";
import "./timeseries.css";

const MOST_SERIES = 40;

export interface Line {
  series: Series;
  query: Query;
  color: string;
  values: (number | null)[];
}

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

function TimeseriesView({ panel, data, span, theme, zone, onSpan }: PanelProps) {
  const [home, width] = useWidth();
  const canvas = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot>();
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [all, setAll] = useState(false);
  const [cursor, setCursor] = useState<{ index: number; left: number; top: number; inside: boolean }>();
  // By time: a refresh moves the points, and what is pinned goes with them.
  const [pinned, setPinned] = useState<{ time: number; left: number; top: number }>();
  const spanHandler = useRef(onSpan);
  spanHandler.current = onSpan;
  const draggedAt = useRef(0);

  const most = typeof panel.options?.most === "number" ? panel.options.most : MOST_SERIES;
  const found = data.frames.flatMap((frame) => frame.series.map((series) => ({ frame, series })));
  const lines = useMemo(
    () => (all ? found : found.slice(0, most)).map(({ frame, series }, i): Line => ({
      series,
      query: frame.query,
      color: seriesColor(i, theme),
      values: onGrid(series, data.span, data.step),
    })),
    [data, all, theme, most],
  );
  const times = useMemo(() => gridTimes(data.span, data.step), [data]);

  useEffect(() => {
    if (!canvas.current) return;
    const made = new Plot(canvas.current, {
      onSpan: (s) => {
        draggedAt.current = Date.now();
        spanHandler.current(s);
      },
      onCursor: setCursor,
    });
    plot.current = made;
    return () => made.destroy();
  }, []);

  const unit = panel.unit ?? lines[0]?.query.unit ?? "short";
  const stack = panel.options?.stack === true;
  const height = Math.max(90, (panel.height ?? timeseries.height) * 40 - 14);
  useEffect(() => {
    const shown = lines.map((line) => !hidden.has(line.series.key));
    const columns = lines.map((line) => line.values);
    // What is stacked is drawn from the top down, so that fills do not cover each other.
    const drawn = stack ? stacked(columns, shown) : columns;
    const order = lines.map((_, i) => i);
    if (stack) order.reverse();
    const series = order.map((i): PlotSeries => {
      const line = lines[i] as Line;
      return { key: line.series.key, name: line.series.name, color: line.color, hidden: !shown[i] };
    });
    const goals = [...new Set(lines.map((line) => line.query.goal))].flatMap((name) => goalNamed(name) ?? []);
    const marks = [
      ...goals.map((goal) => ({ value: goal.target, color: stateColor("warn", theme) })),
      ...(panel.thresholds ?? []).flatMap((t) => (t.from === null ? [] : [{ value: t.from, color: stateColor(t.color, theme) }])),
    ];
    plot.current?.draw(
      [times, ...order.map((i) => drawn[i] as (number | null)[])] as uPlot.AlignedData, series, { start: span.start, end: span.end },
      {
        unit, decimals: panel.decimals, theme, zone, min: panel.min, max: panel.max, fill: panel.options?.fill === true || stack, stack,
        drawAs: panel.options?.draw === "bars" ? "bars" : "lines", timed: true, xUnit: "", marks, dots: false,
      },
      width, height,
    );
  }, [lines, hidden, width, height, theme, zone, span.start, span.end]);

  const pinnedIndex = pinned && Math.round((pinned.time - (times[0] ?? 0)) / data.step);
  const shownAt = pinned && pinnedIndex !== undefined && times[pinnedIndex] !== undefined
    ? { ...pinned, index: pinnedIndex } : cursor?.inside ? cursor : undefined;
  const pin = () => {
    const time = cursor && times[cursor.index];
    setPinned(pinned || !cursor || time === undefined ? undefined : { time, left: cursor.left, top: cursor.top });
  };
  const keys = lines.map((line) => line.series.key);
  const format = (line: Line, value: number | null) => formatValue(value, line.query.unit ?? unit, panel.decimals);
  return (
    <div class="timeseries" ref={home}>
      <div class="plot" ref={canvas} tabIndex={0} role="img"
        aria-label={`${panel.title}: chart of ${found.length} series. Left and right arrow keys read values.`}
        onKeyDown={(event) => {
          if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
            plot.current?.step((event.key === "ArrowLeft" ? -1 : 1) * (event.shiftKey ? 10 : 1));
            event.preventDefault();
          } else if (event.key === "Escape") {
            setPinned(undefined);
            setCursor(undefined);
          } else if (event.key === "Enter") {
            pin();
          }
        }}
        onClick={() => {
          // The end of a drag is a click too.
          if (Date.now() - draggedAt.current > 300) pin();
        }}>
        {shownAt && times[shownAt.index] !== undefined && (
          <Tooltip at={shownAt} width={width} pinned={pinned !== undefined}
            title={`${timeText(times[shownAt.index] as number, zone)} ${zoneName(zone)} · step ${data.step < 1 ? data.step : formatValue(data.step, "s")}`}
            rows={lines.filter((line) => !hidden.has(line.series.key)).map((line) => ({
              key: line.series.key, name: line.series.name, color: line.color, value: line.values[shownAt.index] ?? null,
              text: format(line, line.values[shownAt.index] ?? null),
            }))} />
        )}
      </div>
      {panel.options?.legend !== "none" && (
        <Legend lines={lines} hidden={hidden} cursor={cursor?.index} format={format} table={panel.options?.legend === "table"}
          onPick={(key, toggle) => setHidden(nextHidden(hidden, keys, key, toggle))} />
      )}
      {found.length > most && (
        <p class="note">
          Showing {lines.length} of {found.length} series. <button class="link" onClick={() => setAll(!all)}>{all ? `Show ${most}` : "Show all"}</button>
        </p>
      )}
    </div>
  );
}

interface LegendProps {
  lines: Line[];
  hidden: ReadonlySet<string>;
  cursor: number | undefined;
  table: boolean;
  format: (line: Line, value: number | null) => string;
  onPick: (key: string, toggle: boolean) => void;
}

function Legend({ lines, hidden, cursor, table, format, onPick }: LegendProps) {
  const entry = (line: Line) => (
    <button class={`entry${hidden.has(line.series.key) ? " off" : ""}`} title="Click: alone or all. Ctrl and click: hide or show."
      aria-pressed={!hidden.has(line.series.key)} onClick={(event) => onPick(line.series.key, event.ctrlKey || event.metaKey)}>
      <span class="swatch" style={{ background: line.color }} /> <span class="entry-name">{line.series.name}</span>
    </button>
  );
  if (table) {
    return (
      <div class="legend-table" tabIndex={0} role="group" aria-label="Legend">
        <table>
          <thead><tr><th scope="col">Series</th><th scope="col">last</th><th scope="col">mean</th><th scope="col">min</th><th scope="col">max</th></tr></thead>
          <tbody>
            {lines.map((line) => {
              const summary = summarize(line.values);
              return (
                <tr key={line.series.key}>
                  <td>{entry(line)}</td>
                  <td>{format(line, summary.last)}</td><td>{format(line, summary.mean)}</td><td>{format(line, summary.min)}</td><td>{format(line, summary.max)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    );
  }
  return (
    <div class="legend">
      {lines.map((line) => (
        <span class="legend-item" key={line.series.key}>
          {entry(line)} <em>{format(line, cursor === undefined ? summarize(line.values).last : (line.values[cursor] ?? null))}</em>
        </span>
      ))}
    </div>
  );
}

export const timeseries: PanelType = { type: "timeseries", height: 5, sizing: "drawn", hasData: anySeries, view: TimeseriesView };
