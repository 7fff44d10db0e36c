// goals: the goals file's goals, each with its number and word. options: {"show": "word"}: the word for all of them.
import { goalFile, goalNamed, targetText } from "../../model/goal_file";
import { attained, healthWord, judge, type GoalStatus, type HealthWord } from "../../model/goals";
import type { ColorName } from "../../model/schema";
import { lastValue } from "../../model/frames";
import { formatValue } from "../../model/units";
import type { PanelProps, PanelType } from "../panel_type";
import { Figure, itemOf, markColor, MARKS } from "../figures/figure";
import { Grid, type GridRow } from "../table/grid";
import "../figures/figure.css";
import "./goals.css";

const WORD_COLOR: Record<HealthWord, ColorName> = { OPTIMAL: "good", GOOD: "good", DEGRADED: "bad", UNKNOWN: "dim" };

export function statusesOf(data: PanelProps["data"]): { name: string; status: GoalStatus; value: number | undefined }[] {
  return data.frames.flatMap((frame) => {
    const goal = goalNamed(frame.query.goal);
    const value = lastValue(frame.series[0]);
    return goal ? [{ name: goal.name, value, status: judge(goal, value) }] : [];
  });
}

function Word({ data }: PanelProps) {
  const statuses = statusesOf(data);
  const word = healthWord(statuses.map((s) => s.status));
  const count = (status: GoalStatus) => statuses.filter((s) => s.status === status);
  const behind = [...count("MISSED"), ...count("WARN")];
  const without = count("NO DATA");
  // Named one by one they would push the word out of its panel on a server that is new.
  const missing = without.length > 2 ? `${without.length} have no data yet` : without.map((s) => `${s.name}: ${s.status}`).join(", ");
  return (
    <div class="goal-word">
      <span class={`figure big is-${WORD_COLOR[word]}`} data-word={word}>{word}</span>
      <span class="note">
        {count("OK").length} of {statuses.length} goals are met
        {behind.length > 0 && `; ${behind.map((s) => `${s.name}: ${s.status}`).join(", ")}`}
        {missing && `; ${missing}`}
      </span>
    </div>
  );
}

function GoalsView(props: PanelProps) {
  if (props.panel.options?.show === "word") return <Word {...props} />;
  const rows = props.data.frames.flatMap((frame): GridRow[] => {
    const goal = goalNamed(frame.query.goal);
    if (!goal) return [];
    const item = itemOf(props.panel, frame.query, frame.series[0], goal.name);
    const status = judge(goal, item.value);
    return [{
      key: goal.name,
      cells: [
        { sort: status, view: <span class={`is-${markColor(status)}`}><span aria-hidden="true">{MARKS[status]}</span> {status}</span> },
        { sort: goal.name, view: goal.name },
        { sort: goal.target, view: targetText(goal) },
        { sort: item.value ?? -Infinity, view: <Figure item={item} /> },
        { sort: item.value === undefined ? -1 : attained(goal, item.value), view: item.value === undefined ? "–" : formatValue(attained(goal, item.value), "percentunit", 0) },
      ],
    }];
  });
  const columns = [
    { id: "status", title: "Status" }, { id: "goal", title: "Goal" }, { id: "target", title: "Target" },
    { id: "now", title: "Now", numeric: true }, { id: "reached", title: "Reached", numeric: true },
  ];
  return <Grid columns={columns} rows={rows} label={props.panel.title} />;
}

export const goals: PanelType = {
  type: "goals",
  height: 6,
  sizing: "list",
  // A goal without data is a word too; one that could not be asked for is none.
  hasData: (data) => data.frames.length > 0 && (data.error === undefined || data.frames.some((frame) => frame.series.length > 0)),
  queries: () => goalFile.goals.map((goal) => ({ id: goal.name, db: goal.db, expr: goal.expr, goal: goal.name, unit: goal.unit })),
  view: GoalsView,
};
