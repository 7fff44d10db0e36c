// Lines: what a chart over time draws: each series with its look, on one grid of times, stacked where it is.
import { fixedColor, seriesColor, stateColor, thresholdColor, type Theme } from "../../model/colors";
import { lastValue, onGrid, type Series } from "../../model/frames";
import { lookOf } from "../../model/looks";
import type { FieldLook, Panel, Query } from "../../model/schema";
import type { PanelData } from "../source";
import type { DrawAs, PlotSeries } from "./plot";
import { stacked } from "./stack";

export interface Line {
  series: Series;
  // As it is called here.
  name: string;
  query: Query;
  color: string;
  look: FieldLook;
  // Whether it has a line at all, and a row in legend and tooltip.
  drawn: boolean;
  inLegend: boolean;
  inTooltip: boolean;
  // As they came; below zero where the look says so.
  values: (number | null)[];
}

function colorOf(look: FieldLook, series: Series, index: number, theme: Theme): string {
  if (look.color === "thresholds") return stateColor(thresholdColor(lastValue(series), look.thresholds) ?? "accent", theme);
  return fixedColor(look.color, theme) ?? seriesColor(index, theme);
}

// At most `most` of the series.
export function linesOf(panel: Panel, data: PanelData, most: number, theme: Theme): Line[] {
  const all = data.frames.flatMap((frame) => frame.series.map((series) => ({ frame, series })));
  return all.slice(0, most).map(({ frame, series }, i): Line => {
    const look = lookOf(panel, frame.query, { name: series.name, labels: series.labels, query: frame.query.id, kind: "number", values: series.values });
    const found = onGrid(series, data.span, data.step);
    const values = panel.options?.zeroGaps === true ? found.map((value) => value ?? 0) : found;
    const hides = (what: "chart" | "legend" | "tooltip") => look.hideFrom?.includes(what) === true;
    return {
      series, query: frame.query, look, name: look.title ?? series.name, color: colorOf(look, series, i, theme),
      drawn: look.hidden !== true && !hides("chart"), inLegend: look.hidden !== true && !hides("legend"), inTooltip: look.hidden !== true && !hides("tooltip"),
      values: look.negative ? values.map((value) => (value === null ? null : -value)) : values,
    };
  });
}

export interface Drawing {
  columns: (number | null)[][];
  series: PlotSeries[];
  bands: [number, number][];
}

interface Style {
  stack: boolean;
  share: boolean;
  drawAs: DrawAs;
}

// In the order in which they are drawn. `hidden`: keys that the reader put out.
export function drawingOf(lines: readonly Line[], hidden: ReadonlySet<string>, style: Style): Drawing {
  const shown = lines.map((line) => line.drawn && !hidden.has(line.series.key));
  // What lies below zero has a stack of its own.
  const stackOf = (line: Line) => (line.look.stack === undefined ? (style.stack ? "all" : "") : line.look.stack) && `${line.look.stack ?? "all"}${line.look.negative ? " below" : ""}`;
  const stacks = lines.map(stackOf);
  const any = stacks.some((stack) => stack !== "");
  const columns = any ? stacked(lines.map((line) => line.values), shown, stacks, style.share) : lines.map((line) => line.values);
  const order = lines.map((_, i) => i);
  // What is stacked is drawn from the top down, so that fills do not cover each other.
  if (any) order.reverse();
  const series = order.map((i): PlotSeries => {
    const { look, series: { key }, name, color } = lines[i] as Line;
    return {
      key, name, color, hidden: !shown[i],
      ...(look.dash ? { dash: look.dash } : {}), ...(look.lineWidth !== undefined ? { width: look.lineWidth } : {}), ...(look.draw ? { drawAs: look.draw } : {}),
      ...(look.fill !== undefined ? { fill: look.fill } : {}), ...(look.axis === "right" ? { right: true } : {}),
    };
  });
  const placeOf = (name: string) => order.findIndex((i) => lines[i]?.name === name || lines[i]?.series.name === name);
  const bands = order.flatMap((i, at): [number, number][] => {
    const between = lines[i]?.look.between;
    const other = between === undefined ? -1 : placeOf(between);
    return other < 0 ? [] : [[at, other]];
  });
  return { columns: order.map((i) => columns[i] as (number | null)[]), series, bands };
}
