// Changes of a dashboard, each of which gives a new one and leaves the old as it was.
import type { Dashboard, Panel, Row } from "./schema";

export const COLUMNS = 12;
const LEAST_HEIGHT = 2;
const MOST_HEIGHT = 40;

// The text in which a dashboard is saved.
export function textOf(dashboard: Dashboard): string {
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}

export function panelsOf(dashboard: Dashboard): Panel[] {
  return dashboard.rows.flatMap((row) => row.panels);
}

export function panelOf(dashboard: Dashboard, id: string): Panel | undefined {
  return panelsOf(dashboard).find((panel) => panel.id === id);
}

// An id that no panel has: "p3".
export function freePanelId(dashboard: Dashboard): string {
  const taken = new Set(panelsOf(dashboard).map((panel) => panel.id));
  let n = taken.size + 1;
  while (taken.has(`p${n}`)) n += 1;
  return `p${n}`;
}

function withRows(dashboard: Dashboard, rows: Row[]): Dashboard {
  return { ...dashboard, rows };
}

// Behind all others of the last row. Its id is changed where another panel has it.
export function addPanel(dashboard: Dashboard, panel: Panel): Dashboard {
  const own = panelOf(dashboard, panel.id) ? { ...panel, id: freePanelId(dashboard) } : panel;
  if (dashboard.rows.length === 0) return withRows(dashboard, [{ panels: [own] }]);
  return withRows(dashboard, dashboard.rows.map((row, i) => (i === dashboard.rows.length - 1 ? { ...row, panels: [...row.panels, own] } : row)));
}

export function changePanel(dashboard: Dashboard, id: string, change: (panel: Panel) => Panel): Dashboard {
  return withRows(dashboard, dashboard.rows.map((row) => ({ ...row, panels: row.panels.map((panel) => (panel.id === id ? change(panel) : panel)) })));
}

export function removePanel(dashboard: Dashboard, id: string): Dashboard {
  return withRows(dashboard, dashboard.rows.map((row) => ({ ...row, panels: row.panels.filter((panel) => panel.id !== id) })));
}

// Puts a panel before another one, in whichever row that is.
export function movePanelBefore(dashboard: Dashboard, id: string, target: string): Dashboard {
  const panel = panelOf(dashboard, id);
  if (!panel || id === target || !panelOf(dashboard, target)) return dashboard;
  const without = removePanel(dashboard, id);
  return withRows(without, without.rows.map((row) => ({ ...row, panels: row.panels.flatMap((one) => (one.id === target ? [panel, one] : [one])) })));
}

// Moves a panel by one place: past a neighbour, and from the end of a row into the next.
export function nudgePanel(dashboard: Dashboard, id: string, by: -1 | 1): Dashboard {
  const at = dashboard.rows.findIndex((row) => row.panels.some((panel) => panel.id === id));
  const row = dashboard.rows[at];
  if (!row) return dashboard;
  const from = row.panels.findIndex((panel) => panel.id === id);
  const to = from + by;
  const panel = row.panels[from] as Panel;
  const rest = row.panels.filter((one) => one.id !== id);
  if (to >= 0 && to < row.panels.length) {
    return withRows(dashboard, dashboard.rows.map((one, i) => (i === at ? { ...one, panels: [...rest.slice(0, to), panel, ...rest.slice(to)] } : one)));
  }
  if (!dashboard.rows[at + by]) return dashboard;
  return withRows(dashboard, dashboard.rows.map((one, i) => {
    if (i === at) return { ...one, panels: rest };
    if (i === at + by) return { ...one, panels: by < 0 ? [...one.panels, panel] : [panel, ...one.panels] };
    return one;
  }));
}

export function resizePanel(dashboard: Dashboard, id: string, width: number, height: number): Dashboard {
  const between = (value: number, least: number, most: number) => Math.min(most, Math.max(least, Math.round(value)));
  return changePanel(dashboard, id, (panel) => ({ ...panel, width: between(width, 1, COLUMNS), height: between(height, LEAST_HEIGHT, MOST_HEIGHT) }));
}

// A name for addresses out of a title: "Node exporter (full)" is "node-exporter-full".
export function nameOf(title: string): string {
  return title.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 60) || "dashboard";
}
