// curve: numbers over a label that is a number, such as the speedup over agents. options: {"x": "LABEL", "xTitle": "...",
// "ideal": true}: with the line where both are equal.
import type uPlot from "uplot";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { lastValue } from "../../model/frames";
import { seriesColor, stateColor } from "../../model/colors";
import { Figure, itemOf } from "../figures/figure";
import type { PanelProps, PanelType } from "../panel_type";
import { anySeries } from "../panel_type";
import { Plot, type PlotSeries } from "../timeseries/plot";

function CurveView({ panel, data, theme, zone }: PanelProps) {
  const home = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot>();
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = home.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setWidth(Math.floor(element.clientWidth)));
    observer.observe(element);
    setWidth(Math.floor(element.clientWidth));
    const made = new Plot(element, { onSpan: () => undefined, onCursor: () => undefined });
    plot.current = made;
    return () => {
      observer.disconnect();
      made.destroy();
    };
  }, []);
  const label = String(panel.options?.x ?? "x");
  const ideal = panel.options?.ideal === true;
  const points = data.frames.flatMap((frame) => frame.series.map((series) => ({ frame, series, x: Number(series.labels[label]), y: lastValue(series) })))
    .filter((p) => Number.isFinite(p.x) && p.y !== undefined).sort((a, b) => a.x - b.x);
  const height = Math.max(90, (panel.height ?? curve.height) * 40 - 44);
  useEffect(() => {
    const xs = points.map((p) => p.x);
    const series: PlotSeries[] = [{ key: "actual", name: "Actual", color: seriesColor(0, theme), hidden: false }];
    const columns: (number | null)[][] = [points.map((p) => p.y ?? null)];
    if (ideal) {
      series.push({ key: "ideal", name: "Ideal", color: stateColor("dim", theme), hidden: false, dashed: true });
      columns.push(xs);
    }
    const low = xs[0] ?? 0;
    const high = xs[xs.length - 1] ?? 1;
    plot.current?.draw([xs, ...columns] as uPlot.AlignedData, series, { start: Math.min(low, 1) - 0.2, end: Math.max(high, low + 1) + 0.2 }, {
      unit: panel.unit ?? "short", decimals: panel.decimals, theme, zone, min: panel.min, max: panel.max, fill: false, stack: false, drawAs: "lines",
      timed: false, xUnit: "short", marks: [], dots: true,
    }, width, height);
  }, [data, width, height, theme]);
  return (
    <div class="curve">
      <div class="plot" ref={home} role="img" aria-label={`${panel.title}: ${points.map((p) => `${p.x}: ${p.y}`).join(", ")}`} />
      <div class="legend">
        {points.map((p) => (
          <span class="legend-item" key={p.series.key}><span class="note">{String(panel.options?.xTitle ?? label)} {p.x}: </span><Figure item={itemOf(panel, p.frame.query, p.series, "")} /></span>
        ))}
        {ideal && <span class="legend-item note">dashed: ideal</span>}
      </div>
    </div>
  );
}

export const curve: PanelType = { type: "curve", height: 6, sizing: "drawn", hasData: anySeries, view: CurveView };
