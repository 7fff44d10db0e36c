// gauge: a number on the arc from the panel's min (0) to its max (1 for shares, 100 for percent).
import { fixedColor, stateColor } from "../../model/colors";
import type { PanelProps, PanelType } from "../panel_type";
import { anySeries } from "../panel_type";
import { besideName, Figure, GoalMark, itemsOf } from "../figures/figure";
import "../figures/figure.css";
import "./gauge.css";

const RADIUS = 44;
// Three quarters of a circle, from lower left to lower right.
const ARC = 2 * Math.PI * RADIUS * 0.75;

function GaugeView({ panel, data, theme }: PanelProps) {
  return (
    <div class="gauges">
      {itemsOf(panel, data).map((item) => {
        const min = item.look.min ?? 0;
        const max = item.look.max ?? (item.look.unit === "percentunit" ? 1 : 100);
        const share = item.value === undefined ? 0 : Math.min(1, Math.max(0, (item.value - min) / (max - min)));
        return (
          <div class="gauge" key={item.series?.key ?? item.query.id}>
            <svg viewBox="0 0 110 96" aria-hidden="true">
              <circle class="gauge-track" cx="55" cy="55" r={RADIUS} stroke-dasharray={`${ARC} 1000`} transform="rotate(135 55 55)" />
              {share > 0 && (
                <circle class="gauge-fill" cx="55" cy="55" r={RADIUS} stroke={fixedColor(item.look.color, theme) ?? stateColor(item.color ?? "accent", theme)}
                  stroke-dasharray={`${ARC * share} 1000`} transform="rotate(135 55 55)" />
              )}
            </svg>
            <div class="gauge-value"><Figure item={item} big /></div>
            <div class="note">{besideName(item, panel)} {item.query.note} <GoalMark item={item} /></div>
          </div>
        );
      })}
    </div>
  );
}

export const gauge: PanelType = { type: "gauge", height: 5, sizing: "flows", hasData: anySeries, newest: true, view: GaugeView };
