// pattern: how a run used the machine: an area for each query over the seconds since its start. options: {"x": "ID"}:
// the query that gives those seconds. Each area has its own scale, from 0 to its largest value, which stands beside it.
import { formatValue } from "../../model/units";
import { seriesColor } from "../../model/colors";
import type { Query } from "../../model/schema";
import type { PanelProps, PanelType } from "../panel_type";
import { frameOf } from "../figures/figure";
import { newestRun } from "./run_samples";
import "./pattern.css";

const WIDE = 600;
const HIGH = 60;

// An outline that no screen could show more of: the largest value of each of at most WIDE / 2 pieces.
function outline(x: number[], y: number[], end: number, most: number): string {
  const pieces = new Map<number, number>();
  x.forEach((at, i) => {
    const piece = Math.round((at / end) * (WIDE / 2)) * 2;
    pieces.set(piece, Math.max(pieces.get(piece) ?? 0, y[i] as number));
  });
  const points = [...pieces].map(([at, value]) => `${at} ${(HIGH - (value / most) * (HIGH - 2)).toFixed(1)}`);
  return points.length === 0 ? "" : `M${points[0]?.split(" ")[0]} ${HIGH} L${points.join(" L")} L${points[points.length - 1]?.split(" ")[0]} ${HIGH} Z`;
}

function PatternView({ panel, data, theme }: PanelProps) {
  const x = String(panel.options?.x ?? "after");
  const after = frameOf(data, x)?.series[0];
  const frames = data.frames.filter((frame) => frame.query.id !== x);
  const runs = frames.map((frame) => ({ query: frame.query, line: newestRun(after, frame.series.slice(0, 1))[0] }));
  const end = Math.max(0.1, ...runs.flatMap((run) => run.line?.x.slice(-1) ?? []));
  const title = (query: Query) => query.legend ?? query.id;
  return (
    <div class="pattern">
      {runs.map(({ query, line }, i) => {
        const most = query.max ?? Math.max(1e-9, ...(line?.y ?? []));
        const peak = line && line.y.length > 0 ? Math.max(...line.y) : undefined;
        return (
          <div class="pattern-row" key={query.id}>
            <span class="name">{title(query)}</span>
            <svg viewBox={`0 0 ${WIDE} ${HIGH}`} preserveAspectRatio="none" role="img"
              aria-label={`${title(query)}: at most ${formatValue(peak, query.unit, query.decimals)} in ${formatValue(end, "s")}`}>
              <path d={line ? outline(line.x, line.y, end, Math.max(most, peak ?? 0)) : ""} fill={seriesColor(i, theme)} opacity="0.85" />
            </svg>
            <span class="note">max {formatValue(peak, query.unit, query.decimals)}</span>
          </div>
        );
      })}
      <div class="pattern-row" aria-hidden="true">
        <span /><span class="note pattern-time"><span>0</span><span>{formatValue(end / 2, "s")}</span><span>{formatValue(end, "s")}</span></span><span />
      </div>
    </div>
  );
}

export const pattern: PanelType = {
  type: "pattern",
  height: 6,
  sizing: "flows",
  hasData: (data) => data.frames.some((frame) => frame.series.length > 0),
  view: PatternView,
};
