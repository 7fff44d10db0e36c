// states: a line for each series, coloured by what its number means (mappings, thresholds), over time.
import { mappingOf, stateColor, thresholdColor } from "../../model/colors";
import { onGrid } from "../../model/frames";
import { lookOf } from "../../model/looks";
import { tickText, timeText, timeTicks } from "../../model/time";
import { formatValue } from "../../model/units";
import type { PanelProps, PanelType } from "../panel_type";
import { anySeries } from "../panel_type";
import { piecesOf } from "./runs";
import "./states.css";

function StatesView({ panel, data, theme, zone }: PanelProps) {
  const { span, step } = data;
  const long = span.end - span.start + step;
  const percent = (seconds: number) => `${(seconds / long) * 100}%`;
  // Times with seconds are wider.
  const ticks = timeTicks(span, span.end - span.start < 300 ? 3 : 5, zone);
  return (
    <div class="states">
      {data.frames.flatMap((frame) => frame.series.map((series) => ({ series, look: lookOf(panel, frame.query, { name: series.name, labels: series.labels, query: frame.query.id, kind: "number", values: series.values }) }))).map(({ series, look }) => (
        <div class="state-row" key={series.key}>
          <span class="name" title={look.title ?? series.name}>{look.title ?? series.name}</span>
          <span class="state-track">
            {piecesOf(onGrid(series, span, step)).map((piece) => {
              const mapping = mappingOf(piece.value, look.mappings);
              const color = mapping?.color ?? thresholdColor(piece.value, look.thresholds) ?? "info";
              const word = mapping?.text ?? formatValue(piece.value, look.unit, look.decimals);
              const wide = ((piece.to - piece.from) * step) / long;
              return (
                <span key={piece.from} class="state" title={`${series.name}: ${word}, from ${timeText(span.start + piece.from * step, zone)}`}
                  style={{ left: percent(piece.from * step), width: percent((piece.to - piece.from) * step), background: stateColor(color, theme) }}>
                  {wide > 0.16 ? word : ""}
                </span>
              );
            })}
          </span>
        </div>
      ))}
      <div class="state-row" aria-hidden="true">
        <span class="name" />
        <span class="state-axis">
          {ticks.map((tick) => <span key={tick} style={{ left: percent(tick - span.start) }}>{tickText(tick, ticks.length > 1 ? (ticks[1] as number) - (ticks[0] as number) : 60, zone)}</span>)}
        </span>
      </div>
    </div>
  );
}

export const states: PanelType = { type: "states", height: 5, sizing: "flows", hasData: anySeries, view: StatesView };
