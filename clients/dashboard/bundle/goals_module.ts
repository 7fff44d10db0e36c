// The goals file as the module "virtual:goals", so that the page judges by the file that `tidemark demo goals` reads.
import type { Plugin } from "vite";
import { parse } from "yaml";
import type { Goal, GoalFile, NamedQuery, Saving } from "../src/model/goals";

interface Raw {
  database?: string;
  goals?: { name: string; query: string; database?: string; target: number; direction: string; unit?: string; tolerance?: string | number }[];
  values?: { name: string; query: string; database?: string }[];
  prices?: Record<string, number>;
  savings?: { name: string; formula: string; unit?: string; as?: string }[];
}

function share(text: string | number | undefined): number {
  if (text === undefined) return 0;
  if (typeof text === "number") return text;
  return text.endsWith("%") ? Number(text.slice(0, -1)) / 100 : Number(text);
}

// Throws with the entry's name when it is not what tools/demo/goals.h describes.
export function readGoals(text: string): GoalFile {
  const raw = parse(text) as Raw;
  const database = raw.database ?? "default";
  const goals = (raw.goals ?? []).map((goal): Goal => {
    const tolerance = share(goal.tolerance);
    if (typeof goal.target !== "number" || !["below", "above"].includes(goal.direction) || !(tolerance >= 0)) {
      throw new Error(`goals file: ${goal.name}: target, direction or tolerance is not understood`);
    }
    return {
      name: goal.name,
      expr: goal.query,
      db: goal.database ?? database,
      target: goal.target,
      direction: goal.direction === "below" ? "below" : "above",
      unit: goal.unit ?? "",
      tolerance,
    };
  });
  const values = (raw.values ?? []).map((v): NamedQuery => ({ name: v.name, expr: v.query, db: v.database ?? database }));
  const savings = (raw.savings ?? []).map((s): Saving => ({ name: s.name, formula: s.formula, unit: s.unit ?? "", ...(s.as ? { as: s.as } : {}) }));
  return { goals, values, prices: raw.prices ?? {}, savings };
}

export function goalsModule(read: () => string): Plugin {
  const name = "virtual:goals";
  return {
    name: "goals-file",
    resolveId: (id) => (id === name ? `\0${name}` : undefined),
    load: (id) => (id === `\0${name}` ? `export default ${JSON.stringify(readGoals(read()))};` : undefined),
  };
}
