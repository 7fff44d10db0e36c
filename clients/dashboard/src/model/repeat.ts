// Repeats: what a dashboard's rows and panels become when some of them are drawn once for each chosen value of a variable.
import type { Dashboard, Panel, Row } from "./schema";
import { interpolateShown, withOnly, type Values } from "./variables";

export interface DrawnPanel {
  // Unique on the page, and the same as long as the value is chosen.
  key: string;
  panel: Panel;
  values: Values | undefined;
}

export interface DrawnRow {
  key: string;
  title: string | undefined;
  collapsed: boolean;
  panels: DrawnPanel[];
}

// More than these are not drawn: somebody chose all of thousands.
const MOST_COPIES = 60;
const COLUMNS = 12;

// Once for each chosen value; once as it is where nothing is known yet or the variable is none of those.
function copies(values: Values | undefined, variable: string | undefined): { suffix: string; values: Values | undefined }[] {
  const value = variable === undefined ? undefined : values?.[variable];
  if (values === undefined || variable === undefined || typeof value !== "object" || value.list.length === 0) return [{ suffix: "", values }];
  return value.list.slice(0, MOST_COPIES).map((one, i) => ({ suffix: i === 0 ? "" : `~${one}`, values: withOnly(values, variable, i) }));
}

function drawnPanels(panel: Panel, values: Values | undefined, suffix: string): DrawnPanel[] {
  const all = copies(values, panel.repeat?.variable);
  const beside = panel.repeat && !panel.repeat.down ? Math.min(panel.repeat.most ?? 4, all.length) : 0;
  return all.map((copy) => {
    const id = `${panel.id}${suffix}${copy.suffix}`;
    const made: Panel = {
      ...panel, id, ...(beside > 0 ? { width: Math.max(1, Math.floor(COLUMNS / beside)) } : {}),
      ...(copy.values && panel.title.match(/\$|\[\[/) ? { title: interpolateShown(panel.title, copy.values) } : {}),
    };
    return { key: id, panel: id === panel.id && made.title === panel.title && made.width === panel.width ? panel : made, values: copy.values };
  });
}

export function drawnRows(dashboard: Dashboard, values: Values | undefined): DrawnRow[] {
  return dashboard.rows.flatMap((row: Row, i) => copies(values, row.repeat).map((copy) => ({
    key: `${i}${copy.suffix}`,
    title: row.title === undefined ? undefined : copy.values ? interpolateShown(row.title, copy.values) : row.title,
    collapsed: row.collapsed === true,
    panels: row.panels.flatMap((panel) => drawnPanels(panel, copy.values, copy.suffix)),
  })));
}
