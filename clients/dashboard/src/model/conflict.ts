// Two changes of one dashboard that were made at the same time: what each changed, panel by panel, and both together where
// they do not touch the same panel.
import { panelsOf } from "./edit";
import type { Dashboard, Panel, Row } from "./schema";

export type Change = "same" | "added" | "changed" | "removed";

export interface PanelDifference {
  id: string;
  title: string;
  mine: Change;
  theirs: Change;
  // Whether both changed it, not in the same way.
  conflict: boolean;
  myPanel: Panel | undefined;
  theirPanel: Panel | undefined;
}

export interface Difference {
  panels: PanelDifference[];
  // Title, variables and the like that both changed, not in the same way.
  settings: string[];
  // Both changes together; undefined where they touch the same.
  merged: Dashboard | undefined;
}

const equal = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

function changeOf(before: Panel | undefined, after: Panel | undefined): Change {
  if (!before) return after ? "added" : "same";
  if (!after) return "removed";
  return equal(before, after) ? "same" : "changed";
}

// What one side made of a value: the other side's where this one left it as it was.
function either<T>(base: T, mine: T, theirs: T): T {
  return equal(base, mine) ? theirs : mine;
}

type Settings = Omit<Dashboard, "rows">;

function settingsOf(dashboard: Dashboard): Settings {
  const { rows: _rows, ...settings } = dashboard;
  return settings;
}

// The rows and the order of panels of `frame`, with the panels that `panels` has; those that `frame` does not have come last.
function arrange(frame: Dashboard, panels: Map<string, Panel>): Row[] {
  const placed = new Set<string>();
  const rows = frame.rows.map((row) => ({
    ...row,
    panels: row.panels.flatMap((panel) => {
      const one = panels.get(panel.id);
      if (!one) return [];
      placed.add(panel.id);
      return [one];
    }),
  }));
  const rest = [...panels.values()].filter((panel) => !placed.has(panel.id));
  if (rest.length === 0) return rows;
  const last = rows[rows.length - 1];
  return last ? [...rows.slice(0, -1), { ...last, panels: [...last.panels, ...rest] }] : [{ panels: rest }];
}

function orderOf(dashboard: Dashboard): unknown {
  return dashboard.rows.map((row) => [row.title, row.collapsed, row.panels.map((panel) => panel.id)]);
}

// `base`: what both began with.
export function compare(base: Dashboard, mine: Dashboard, theirs: Dashboard): Difference {
  const [before, my, their] = [base, mine, theirs].map((d) => new Map(panelsOf(d).map((panel) => [panel.id, panel]))) as [Map<string, Panel>, Map<string, Panel>, Map<string, Panel>];
  const ids = [...new Set([...their.keys(), ...my.keys(), ...before.keys()])];
  const panels = ids.map((id): PanelDifference => {
    const [b, m, t] = [before.get(id), my.get(id), their.get(id)];
    const both = { mine: changeOf(b, m), theirs: changeOf(b, t) };
    return { id, title: (m ?? t ?? b)?.title || id, ...both, conflict: both.mine !== "same" && both.theirs !== "same" && !equal(m, t), myPanel: m, theirPanel: t };
  });
  const keys = [...new Set([base, mine, theirs].flatMap((d) => Object.keys(settingsOf(d))))] as (keyof Settings)[];
  const settings = keys.filter((key) => !equal(base[key], mine[key]) && !equal(base[key], theirs[key]) && !equal(mine[key], theirs[key]));
  let merged: Dashboard | undefined;
  if (settings.length === 0 && panels.every((panel) => !panel.conflict)) {
    const kept = new Map<string, Panel>();
    for (const id of ids) {
      const one = either(before.get(id), my.get(id), their.get(id));
      if (one) kept.set(id, one);
    }
    const together: Record<string, unknown> = {};
    for (const key of keys) {
      const value = either(base[key], mine[key], theirs[key]);
      if (value !== undefined) together[key] = value;
    }
    // Whoever moved something decides about the places; theirs where both did, as they are in the server.
    const frame = equal(orderOf(base), orderOf(theirs)) ? mine : theirs;
    merged = { ...(together as unknown as Settings), rows: arrange(frame, kept) };
  }
  return { panels: panels.filter((panel) => panel.mine !== "same" || panel.theirs !== "same"), settings: settings.map(String), merged };
}
