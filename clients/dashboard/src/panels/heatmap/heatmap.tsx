// heatmap: a row for each series, or for each bucket of a histogram, with colour for the number.
// options: {"buckets": true}: series are cumulative buckets with the label le, whose unit is options.leUnit.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { heatColor } from "../../model/colors";
import { clockText, tickText, timeTicks } from "../../model/time";
import { formatValue } from "../../model/units";
import type { PanelProps, PanelType } from "../panel_type";
import { anySeries } from "../panel_type";
import { heatRows } from "./cells";
import "./heatmap.css";

const AXIS = 20;

function HeatmapView({ panel, data, theme, zone }: PanelProps) {
  const home = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(0);
  const [at, setAt] = useState<{ row: number; column: number; left: number; top: number }>();
  useLayoutEffect(() => {
    const element = home.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setWidth(Math.floor(element.clientWidth)));
    observer.observe(element);
    setWidth(Math.floor(element.clientWidth));
    return () => observer.disconnect();
  }, []);
  const buckets = panel.options?.buckets === true;
  const rows = heatRows(data.frames.flatMap((frame) => frame.series), data.span, data.step, buckets);
  const named = (name: string) => (buckets ? `≤ ${name === "+Inf" ? "∞" : formatValue(Number(name), String(panel.options?.leUnit ?? "s"))}` : name);
  const columns = rows[0]?.values.length ?? 0;
  const height = Math.max(80, (panel.height ?? heatmap.height) * 40 - 20);
  const margin = Math.min(110, 14 + 6.2 * Math.max(0, ...rows.map((row) => named(row.name).length)));
  const most = panel.max ?? Math.max(1e-12, ...rows.flatMap((row) => row.values.map((v) => v ?? 0)));
  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext("2d");
    if (!element || !context || width < 20) return;
    const scale = devicePixelRatio;
    element.width = width * scale;
    element.height = height * scale;
    context.scale(scale, scale);
    context.clearRect(0, 0, width, height);
    const ink = theme === "dark" ? "#9aa6ba" : "#566176";
    const high = (height - AXIS) / Math.max(1, rows.length);
    const wide = (width - margin) / Math.max(1, columns);
    context.font = '11px system-ui, "DejaVu Sans", sans-serif';
    context.textBaseline = "middle";
    rows.forEach((row, r) => {
      const y = height - AXIS - (r + 1) * high;
      row.values.forEach((value, c) => {
        if (value === null) return;
        context.fillStyle = heatColor(value / most, theme);
        // On whole pixels of the screen: parts of them show as stripes.
        const left = Math.round((margin + c * wide) * scale) / scale;
        context.fillRect(left, y, Math.round((margin + (c + 1) * wide) * scale) / scale - left, Math.max(1, high - (high > 6 ? 1 : 0)));
      });
      if (high >= 11 || r % Math.ceil(11 / high) === 0) {
        context.fillStyle = ink;
        context.textAlign = "right";
        context.fillText(named(row.name), margin - 6, y + high / 2, margin - 8);
      }
    });
    context.textAlign = "center";
    context.fillStyle = ink;
    const long = data.span.end - data.span.start;
    const ticks = timeTicks(data.span, Math.max(2, Math.floor(width / 90)), zone);
    for (const tick of ticks) {
      context.fillText(tickText(tick, ticks.length > 1 ? (ticks[1] as number) - (ticks[0] as number) : 60, zone), Math.min(width - 16, margin + ((tick - data.span.start) / long) * (width - margin)), height - 8);
    }
  }, [data, width, height, theme, zone]);
  const pointed = at && rows[at.row];
  return (
    <div class="heatmap" ref={home}>
      <canvas ref={canvas} role="img" aria-label={`${panel.title}: heat map of ${rows.length} rows; the menu shows it as a table`}
        style={{ width: `${width}px`, height: `${height}px` }}
        onPointerMove={(event) => {
          const box = event.currentTarget.getBoundingClientRect();
          const x = event.clientX - box.left;
          const y = event.clientY - box.top;
          const column = Math.floor(((x - margin) / (width - margin)) * columns);
          const row = rows.length - 1 - Math.floor((y / (height - AXIS)) * rows.length);
          setAt(x < margin || row < 0 || row >= rows.length || column < 0 || column >= columns ? undefined : { row, column, left: x, top: y });
        }}
        onPointerLeave={() => setAt(undefined)} />
      {at && pointed && (
        <div class="tooltip" style={at.left > width / 2 ? { right: `${width - at.left + 14}px` } : { left: `${at.left + 14}px` }}>
          <div class="note">{clockText(data.span.start + at.column * data.step, zone)}</div>
          {named(pointed.name)} <em>{formatValue(pointed.values[at.column], panel.unit, panel.decimals)}</em>
        </div>
      )}
    </div>
  );
}

export const heatmap: PanelType = { type: "heatmap", height: 5, sizing: "drawn", hasData: anySeries, view: HeatmapView };
