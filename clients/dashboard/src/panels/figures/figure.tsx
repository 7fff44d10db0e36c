// Figure: one number on the page, with what it was made of in its attributes: tests and screen readers find both.
import { mappingOf, thresholdColor } from "../../model/colors";
import { lastValue, type Frame, type Series } from "../../model/frames";
import { goalNamed, targetText } from "../../model/goal_file";
import { judge, type GoalStatus } from "../../model/goals";
import { lookOf } from "../../model/looks";
import type { ColorName, FieldLook, Panel, Query } from "../../model/schema";
import { reduce } from "../../model/tables/reducers";
import { formatValue } from "../../model/units";
import type { PanelData } from "../source";

export interface Item {
  query: Query;
  series: Series | undefined;
  name: string;
  value: number | undefined;
  text: string;
  color: ColorName | undefined;
  look: FieldLook;
  goal: { status: GoalStatus; target: string } | undefined;
}

const MARK_COLOR: Record<GoalStatus, ColorName> = { OK: "good", WARN: "warn", MISSED: "bad", "NO DATA": "dim" };
export const MARKS: Record<GoalStatus, string> = { OK: "✓", WARN: "⚠", MISSED: "✗", "NO DATA": "·" };

export function markColor(status: GoalStatus): ColorName {
  return MARK_COLOR[status];
}

// The number that stands for a series: its last one, or what options.calc (a reducer of tables/reducers.ts) makes of all.
function numberOf(panel: Panel, series: Series | undefined): number | undefined {
  const calc = panel.options?.calc;
  if (typeof calc !== "string" || !series) return lastValue(series);
  const value = reduce(calc, series.values);
  return typeof value === "number" ? value : typeof value === "boolean" ? Number(value) : undefined;
}

export function itemOf(panel: Panel, query: Query, series: Series | undefined, name: string): Item {
  const value = numberOf(panel, series);
  const look = lookOf(panel, query, { name, ...(series ? { labels: series.labels } : {}), query: query.id, kind: "number", values: series?.values ?? [] });
  const mapping = mappingOf(value, look.mappings);
  const goal = goalNamed(query.goal);
  const status = goal ? judge(goal, value) : undefined;
  const text = mapping?.text ?? `${String(panel.options?.before ?? "")}${formatValue(value, look.unit, look.decimals)}${String(panel.options?.behind ?? "")}`;
  const color = mapping?.color ?? thresholdColor(value, look.thresholds);
  return {
    query, series, name: look.title ?? name, value, text, look,
    color: color ?? (status && status !== "NO DATA" ? markColor(status) : undefined),
    goal: goal && status ? { status, target: targetText(goal) } : undefined,
  };
}

// An item for each series of each query; one without a value for a query that nothing answers.
export function itemsOf(panel: Panel, data: PanelData): Item[] {
  return data.frames.flatMap((frame) => {
    const fallback = frame.query.legend ?? panel.title;
    // After transformations the numbers of one query may stand among those of another.
    if (frame.series.length === 0 && data.tables !== undefined) return [];
    if (frame.series.length === 0) return [itemOf(panel, frame.query, undefined, fallback.replace(/\{\{.*?\}\}/g, "").trim() || frame.query.id)];
    return frame.series.map((series) => itemOf(panel, frame.query, series, series.name)).filter((item) => item.look.hidden !== true && item.look.hideFrom?.includes("chart") !== true);
  });
}

// What stands beside a number: nothing where it would be the panel's title again, or a query's id, which says nothing.
export function besideName(item: Item, panel: Panel): string {
  return item.name === panel.title || item.name === item.query.id ? "" : item.name;
}

export function frameOf(data: PanelData, id: string): Frame | undefined {
  return data.frames.find((frame) => frame.query.id === id);
}

export function Figure({ item, big = false }: { item: Item; big?: boolean }) {
  return (
    <span class={`figure${big ? " big" : ""}${item.color ? ` is-${item.color}` : ""}`} data-figure={item.query.id}
      data-series={item.series ? JSON.stringify(item.series.labels) : undefined} data-raw={item.value === undefined ? "" : String(item.value)} {...(big ? { style: { "--chars": Math.max(6, item.text.length) } } : {})}>
      {item.text}
    </span>
  );
}

export function GoalMark({ item }: { item: Item }) {
  if (!item.goal) return null;
  return (
    <span class={`mark is-${markColor(item.goal.status)}`} title={`${item.goal.status}: the goal is ${item.goal.target}`}>
      <span aria-hidden="true">{MARKS[item.goal.status]}</span> <span class="target">{item.goal.target}</span>
    </span>
  );
}
