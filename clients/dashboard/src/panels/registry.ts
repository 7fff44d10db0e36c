// The one table of panel types. A type is a folder and a row.
import type { PanelType } from "./panel_type";
import { alerts } from "./alerts/alerts";
import { bars } from "./bars/bars";
import { dashboards } from "./dashboards/dashboards";
import { curve } from "./curve/curve";
import { events } from "./events/events";
import { gauge } from "./gauge/gauge";
import { goals } from "./goals/goals";
import { heatmap } from "./heatmap/heatmap";
import { histogram } from "./histogram/histogram";
import { pattern } from "./pattern/pattern";
import { pie } from "./pie/pie";
import { rules } from "./rules/rules";
import { savings } from "./savings/savings";
import { silences } from "./silences/silences";
import { stat } from "./stat/stat";
import { states } from "./states/states";
import { table } from "./table/table";
import { text } from "./text/text";
import { timeseries } from "./timeseries/timeseries";

export const PANEL_TYPES: readonly PanelType[] = [
  alerts, bars, curve, dashboards, events, gauge, goals, heatmap, histogram, pattern, pie, rules, savings, silences, stat, states, table, text, timeseries,
];

export function panelType(name: string): PanelType | undefined {
  return PANEL_TYPES.find((row) => row.type === name);
}
