// The goals that the page was built with: tools/demo/goals.yaml.
import file from "virtual:goals";
import type { Goal } from "./goals";
import { formatValue } from "./units";

export const goalFile = file;

export function goalNamed(name: string | undefined): Goal | undefined {
  return name === undefined ? undefined : file.goals.find((goal) => goal.name === name);
}

// "< 1 ms"
export function targetText(goal: Goal): string {
  return `${goal.direction === "below" ? "<" : ">"} ${formatValue(goal.target, goal.unit)}`;
}
