// Plot: one uPlot chart in an element. New data and sizes go into the chart that is there; it is made anew only when its
// series or the theme are others. Destroyed with destroy(), or nothing of it is freed.
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Theme } from "../../model/colors";
import { tickText, timeTicks, type Span, type Zone } from "../../model/time";
import { formatValue, isBinary } from "../../model/units";
import { joinCrosshair, lead, leaveCrosshair, release, type Crossed } from "./crosshair";
import { valueRange, valueSteps, withMarks } from "./ticks";

export interface PlotSeries {
  key: string;
  name: string;
  color: string;
  hidden: boolean;
  dashed?: boolean;
  // Its own, where it differs from the rest.
  dash?: number[];
  width?: number;
  drawAs?: DrawAs;
  // 0 to 100.
  fill?: number;
  // On the scale at the right.
  right?: boolean;
}

export type DrawAs = "lines" | "bars" | "points";

export interface PlotLook {
  unit: string;
  decimals: number | undefined;
  theme: Theme;
  zone: Zone;
  min: number | undefined;
  max: number | undefined;
  fill: boolean;
  stack: boolean;
  drawAs: DrawAs;
  // Between points: straight (without), a curve, or steps.
  line?: "smooth" | "stepBefore" | "stepAfter" | undefined;
  // Points are joined over gaps.
  spanGaps?: boolean;
  // 10 or 2: the value axis goes by powers of it.
  log?: 2 | 10 | undefined;
  // Of the scale at the right, where a series is on it.
  rightUnit?: string;
  // Series between which is filled, by their places.
  bands?: [number, number][];
  // Whether x is a time that all charts of the page share.
  timed: boolean;
  // What x means where it is no time.
  xUnit: string;
  marks: { value: number; color: string }[];
  // A dot at each point; without, at those alone that a line does not reach.
  dots: boolean;
}

// Something that happened, from `start` to `end`, seconds since 1970.
export interface PlotMark {
  start: number;
  end: number;
  color: string;
}

export interface PlotEvents {
  // A range was dragged over.
  onSpan: (span: Span) => void;
  // The cursor is over a point of this chart, at these CSS pixels from the plot's corner; undefined: it is not. Not `inside`: another chart has it
  // at this point's time, and there is no place of it here.
  onCursor: (at: { index: number; left: number; top: number; inside: boolean } | undefined) => void;
}

const INK: Record<Theme, { text: string; grid: string }> = {
  dark: { text: "#9aa6ba", grid: "#273041" },
  light: { text: "#566176", grid: "#e3e8ef" },
};

const FONT = '11px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif';

// Points that have no neighbour: a line would not show them. null without any, for which uPlot builds no path: two hundred empty ones took a
// third of a redraw.
function lonePoints(u: uPlot, series: number): number[] | null {
  const values = u.data[series] as (number | null | undefined)[];
  let out: number[] | null = null;
  for (let i = 0; i < values.length; i++) {
    if (values[i] != null && values[i - 1] == null && values[i + 1] == null) (out ??= []).push(i);
  }
  return out;
}

// Widths of axis texts, CSS pixels: the same few texts are measured again at each redraw.
const widths = new Map<string, number>();
const MOST_WIDTHS = 5000;

function textWidth(context: CanvasRenderingContext2D, text: string): number {
  let width = widths.get(text);
  if (width === undefined) {
    context.save();
    context.font = FONT;
    width = context.measureText(text).width;
    context.restore();
    if (widths.size >= MOST_WIDTHS) widths.clear();
    widths.set(text, width);
  }
  return width;
}

export class Plot implements Crossed {
  private chart: uPlot | undefined;
  private made = "";
  // Where another chart has the pointer: its time, and the line that shows it here.
  private followed: number | undefined;
  private line: HTMLElement | undefined;
  private happened: readonly PlotMark[] = [];

  constructor(
    private readonly home: HTMLElement,
    private readonly events: PlotEvents,
  ) {}

  // Draws `data` (x, then a column for each series) over `span`.
  draw(data: uPlot.AlignedData, series: PlotSeries[], span: Span, look: PlotLook, width: number, height: number): void {
    if (width < 20 || height < 20) return;
    const wanted = JSON.stringify([series.map(({ hidden: _hidden, ...s }) => s), look]);
    if (!this.chart || this.made !== wanted) {
      this.destroy();
      this.chart = this.make(data, series, span, look, width, height);
      this.made = wanted;
      return;
    }
    const chart = this.chart;
    if (chart.width !== width || chart.height !== height) chart.setSize({ width, height });
    chart.batch(() => {
      series.forEach((s, i) => {
        if (chart.series[i + 1]?.show === s.hidden) chart.setSeries(i + 1, { show: !s.hidden }, false);
      });
      chart.setData(data, false);
      chart.setScale("x", { min: span.start, max: span.end });
    });
  }

  // Marks what happened, on this chart and on those that take its place.
  annotate(marks: readonly PlotMark[]): void {
    const none = marks.length === 0 && this.happened.length === 0;
    this.happened = marks;
    if (!none) this.chart?.redraw(false);
  }

  // Moves the cursor by points, for the keyboard.
  step(points: number): void {
    const chart = this.chart;
    if (!chart) return;
    const count = chart.data[0].length;
    const at = chart.cursor.idx ?? (points > 0 ? -1 : count);
    const next = Math.min(count - 1, Math.max(0, at + points));
    // The first point may lie on the grid a little before the range.
    const left = Math.max(0, chart.valToPos(chart.data[0][next] as number, "x"));
    chart.setCursor({ left, top: chart.bbox.height / devicePixelRatio / 2 });
  }

  // Takes the cursor away, for the keyboard.
  leave(): void {
    if (this.chart?.cursor.idx != null) this.chart.setCursor({ left: -10, top: -10 });
  }

  follow(time: number | undefined): void {
    this.followed = time;
    const { chart } = this;
    if (!chart) return;
    this.placeLine(chart);
    this.events.onCursor(time === undefined || chart.data[0].length === 0 ? undefined : { index: chart.valToIdx(time), left: 0, top: 0, inside: false });
  }

  destroy(): void {
    leaveCrosshair(this);
    this.chart?.destroy();
    this.chart = undefined;
    this.line = undefined;
    this.made = "";
  }

  private placeLine(chart: uPlot): void {
    if (!this.line) return;
    const left = this.followed === undefined ? -1 : Math.round(chart.valToPos(this.followed, "x"));
    const seen = left >= 0 && left <= chart.bbox.width / devicePixelRatio;
    if (this.line.hidden === seen) this.line.hidden = !seen;
    if (seen) this.line.style.transform = `translateX(${left}px)`;
  }

  private cursorMoved(chart: uPlot, timed: boolean): void {
    const { idx, left, top } = chart.cursor;
    if (idx === null || idx === undefined || left === undefined || left < 0) {
      if (timed) release(this);
      if (this.followed === undefined) this.events.onCursor(undefined);
      return;
    }
    // Who has the pointer follows nobody.
    this.followed = undefined;
    this.placeLine(chart);
    this.events.onCursor({ index: idx, left: left + chart.bbox.left / devicePixelRatio, top: top ?? 0, inside: true });
    if (timed) lead(this, chart.data[0][idx] as number);
  }

  private valueAxis(axis: uPlot.Axis, unit: string, look: PlotLook, right: boolean): uPlot.Axis {
    return {
      ...axis,
      ...(right ? { scale: "right", side: 1, grid: { show: false } } : {}),
      ...(look.log === undefined ? { incrs: valueSteps(isBinary(unit)) } : {}),
      space: 34,
      size: (u, values) => Math.ceil(Math.max(0, ...(values ?? []).map((value) => textWidth(u.ctx, value ?? "")))) + 14,
      // A logarithmic axis leaves marks without a word.
      values: (_u, splits) => splits.map((value) => (value === null ? "" : formatValue(value, unit, look.decimals))),
    };
  }

  private make(data: uPlot.AlignedData, series: PlotSeries[], span: Span, look: PlotLook, width: number, height: number): uPlot {
    const ink = INK[look.theme];
    const right = series.some((s) => s.right === true);
    const axis = { stroke: ink.text, font: FONT, grid: { stroke: ink.grid, width: 1 }, ticks: { show: false } };
    const options: uPlot.Options = {
      width,
      height,
      legend: { show: false },
      padding: [8, right ? 0 : 18, 0, 0],
      scales: {
        x: { time: look.timed, range: (_u, min, max) => [min, max] },
        y: scaleOf(look, look.min, look.max, look.marks.map((mark) => mark.value)),
        ...(right ? { right: scaleOf(look, undefined, undefined, []) } : {}),
      },
      series: [
        {},
        ...series.map((s) => seriesOf(s, look)),
      ],
      bands: (look.bands ?? []).map(([upper, lower]) => ({ series: [upper + 1, lower + 1] as [number, number], fill: `${series[upper]?.color ?? "#888888"}26` })),
      axes: [
        look.timed
          ? {
              ...axis,
              size: 26,
              splits: (u, _i, min, max) => timeTicks({ start: min, end: max }, Math.max(2, Math.floor(u.bbox.width / devicePixelRatio / 76)), look.zone),
              values: (_u, splits) => splits.map((t, i) => tickText(t, (splits[i + 1] ?? t + (t - (splits[i - 1] ?? t - 60))) - t, look.zone)),
            }
          : { ...axis, size: 26, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000], values: (_u, splits) => splits.map((v) => formatValue(v, look.xUnit)) },
        this.valueAxis(axis, look.unit, look, false),
        ...(right ? [this.valueAxis(axis, look.rightUnit ?? look.unit, look, true)] : []),
      ],
      cursor: {
        drag: { x: look.timed, y: false, setScale: false },
        points: { size: 7 },
      },
      hooks: {
        setSelect: [
          (u) => {
            const { left, width: selected } = u.select;
            if (selected < 5) return;
            this.events.onSpan({ start: u.posToVal(left, "x"), end: u.posToVal(left + selected, "x") });
            u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
          },
        ],
        setCursor: [(u) => this.cursorMoved(u, look.timed)],
        drawAxes: [(u) => drawHappened(u, this.happened)],
        draw: [(u) => drawMarks(u, look), (u) => this.placeLine(u)],
      },
    };
    const chart = new uPlot(options, data, this.home);
    chart.setScale("x", { min: span.start, max: span.end });
    if (look.timed) {
      this.line = document.createElement("div");
      this.line.className = "follower";
      this.line.hidden = true;
      chart.over.append(this.line);
      joinCrosshair(this);
    }
    return chart;
  }
}

function seriesOf(s: PlotSeries, look: PlotLook): uPlot.Series {
  const drawAs = s.drawAs ?? look.drawAs;
  const fill = s.fill === undefined ? (look.fill ? (look.stack ? "d8" : "26") : "") : s.fill <= 0 ? "" : Math.round((Math.min(100, s.fill) / 100) * 255).toString(16).padStart(2, "0");
  const { paths } = uPlot;
  const path = drawAs === "bars" ? paths.bars?.({ size: [0.7, 60] }) : drawAs === "points" ? () => null
    : look.line === "smooth" ? paths.spline?.() : look.line === "stepBefore" ? paths.stepped?.({ align: -1 }) : look.line === "stepAfter" ? paths.stepped?.({ align: 1 }) : undefined;
  return {
    label: s.name,
    stroke: s.color,
    width: s.width ?? 1.5,
    show: !s.hidden,
    spanGaps: look.spanGaps === true,
    ...(s.right ? { scale: "right" } : {}),
    ...(fill ? { fill: `${s.color}${fill}` } : {}),
    points: s.dashed ? { show: false } : look.dots || drawAs === "points" ? { show: true, size: drawAs === "points" ? 5 : 7 } : { show: false, size: 4, filter: (u: uPlot, i: number) => lonePoints(u, i) },
    ...(s.dashed ? { dash: [6, 5] } : s.dash ? { dash: s.dash } : {}),
    ...(path ? { paths: path } : {}),
    ...(drawAs === "bars" ? { fill: `${s.color}b0` } : {}),
  };
}

function scaleOf(look: PlotLook, least: number | undefined, most: number | undefined, marks: number[]): uPlot.Scale {
  // What is not above zero has no place on a logarithmic scale.
  if (look.log !== undefined) return { distr: 3, log: look.log, clamp: 1e-9, ...(least !== undefined && least > 0 && most !== undefined ? { range: [least, most] } : {}) };
  return { range: (_u, min, max) => valueRange(min, withMarks(max, marks), least, most) };
}

// More than these on one chart are a wall.
const MOST_HAPPENED = 500;

// What happened, behind the lines: a dashed line with a foot, or the area of what lasted.
function drawHappened(u: uPlot, marks: readonly PlotMark[]): void {
  const { ctx, bbox } = u;
  const ratio = devicePixelRatio;
  const [first, last] = [u.scales.x?.min ?? 0, u.scales.x?.max ?? 0];
  ctx.save();
  for (const mark of marks.filter((one) => one.end >= first && one.start <= last).slice(0, MOST_HAPPENED)) {
    const from = Math.max(bbox.left, Math.round(u.valToPos(mark.start, "x", true)));
    const to = Math.min(bbox.left + bbox.width, Math.round(u.valToPos(mark.end, "x", true)));
    const bottom = bbox.top + bbox.height;
    ctx.fillStyle = ctx.strokeStyle = mark.color;
    ctx.lineWidth = ratio;
    if (to > from) {
      ctx.globalAlpha = 0.12;
      ctx.fillRect(from, bbox.top, to - from, bbox.height);
      ctx.globalAlpha = 1;
      ctx.fillRect(from, bottom - 3 * ratio, to - from, 3 * ratio);
    }
    ctx.setLineDash([3 * ratio, 3 * ratio]);
    for (const x of to > from ? [from, to] : [from]) {
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bottom);
      ctx.stroke();
    }
    ctx.setLineDash([]);
    ctx.beginPath();
    ctx.moveTo(from - 4 * ratio, bottom);
    ctx.lineTo(from + 4 * ratio, bottom);
    ctx.lineTo(from, bottom - 6 * ratio);
    ctx.fill();
  }
  ctx.restore();
}

// Lines at the goals and thresholds.
function drawMarks(u: uPlot, look: PlotLook): void {
  const { ctx, bbox } = u;
  for (const mark of look.marks) {
    const y = Math.round(u.valToPos(mark.value, "y", true));
    if (y < bbox.top || y > bbox.top + bbox.height) continue;
    ctx.save();
    ctx.strokeStyle = mark.color;
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.restore();
  }
}
