// Goals: what a number should reach. Words and marks come from here alone; tools/demo/goals.h has the rules.

export interface Goal {
  name: string;
  expr: string;
  db: string;
  target: number;
  // On which side of the target the number should be.
  direction: "below" | "above";
  unit: string;
  // Share of the target by which missing it is a warning only.
  tolerance: number;
}

export interface NamedQuery {
  name: string;
  expr: string;
  db: string;
}

// `formula`: arithmetic of PromQL over the names of values and prices.
export interface Saving {
  name: string;
  formula: string;
  unit: string;
  // The name under which later formulas take its result.
  as?: string;
}

export interface GoalFile {
  goals: Goal[];
  values: NamedQuery[];
  prices: Record<string, number>;
  savings: Saving[];
}

export type GoalStatus = "OK" | "WARN" | "MISSED" | "NO DATA";
export type HealthWord = "OPTIMAL" | "GOOD" | "DEGRADED" | "UNKNOWN";

export function judge(goal: Goal, value: number | undefined): GoalStatus {
  if (value === undefined || Number.isNaN(value)) return "NO DATA";
  const beyond = goal.direction === "below" ? value - goal.target : goal.target - value;
  if (beyond < 0) return "OK";
  return goal.tolerance > 0 && beyond <= goal.tolerance * Math.abs(goal.target) ? "WARN" : "MISSED";
}

export function healthWord(statuses: GoalStatus[]): HealthWord {
  if (statuses.includes("MISSED")) return "DEGRADED";
  if (statuses.length === 0 || statuses.includes("NO DATA")) return "UNKNOWN";
  return statuses.includes("WARN") ? "GOOD" : "OPTIMAL";
}

// How much of the way to its target a number has come; 1 and more when it is there.
export function attained(goal: Goal, value: number): number {
  if (goal.direction === "above") return goal.target === 0 ? 1 : value / goal.target;
  return value <= 0 ? 1 : goal.target / value;
}

// The formula with numbers in place of the names; undefined when one has no number.
export function substitute(formula: string, numbers: Record<string, number | undefined>): string | undefined {
  let complete = true;
  const text = formula.replace(/[A-Za-z_]\w*/g, (name) => {
    const value = Object.hasOwn(numbers, name) ? numbers[name] : undefined;
    if (value === undefined || !Number.isFinite(value)) {
      complete = false;
      return name;
    }
    // Seven digits are read; the result is computed from what is shown.
    const rounded = Number(value.toPrecision(7));
    return rounded < 0 ? `(${rounded})` : String(rounded);
  });
  return complete ? text : undefined;
}
