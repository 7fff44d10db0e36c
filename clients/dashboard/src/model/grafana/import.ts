// importGrafana: a dashboard of Grafana as one of ours, and for each panel whether it is drawn, drawn with these
// differences, or not drawn because. Pure: asks nobody and keeps nothing.
import { SCHEMA, type Dashboard, type Row } from "../schema";
import { importAnnotations } from "./annotations";
import { withInputs } from "./inputs";
import { dashboardLinksOf } from "./links";
import { importPanel, type PanelReport } from "./panels";
import { isOtherPanel } from "./queries";
import { plainForm } from "./resources";
import type { GrafanaDashboard, GrafanaPanel } from "./types";
import { importVariable } from "./variables";

export type { PanelReport } from "./panels";
export { translateExpr } from "./queries";

export interface Imported {
  dashboard: Dashboard;
  panels: PanelReport[];
  // What concerns the dashboard and no panel alone.
  remarks: string[];
}

interface SourceRow {
  title: string | undefined;
  collapsed: boolean;
  repeat: string | undefined;
  panels: GrafanaPanel[];
}

// Rows of version 16 and later are panels between others; what stands before the first has no title.
function rowsOf(source: GrafanaDashboard): SourceRow[] {
  if (source.rows && source.rows.length > 0) {
    return source.rows.map((row) => ({ title: row.title || undefined, collapsed: row.collapse === true, repeat: row.repeat || undefined, panels: row.panels ?? [] }));
  }
  const sorted = [...(source.panels ?? [])].sort((a, b) => (a.gridPos?.y ?? 0) - (b.gridPos?.y ?? 0) || (a.gridPos?.x ?? 0) - (b.gridPos?.x ?? 0));
  const rows: SourceRow[] = [{ title: undefined, collapsed: false, repeat: undefined, panels: [] }];
  for (const panel of sorted) {
    if (panel.type === "row") rows.push({ title: panel.title || undefined, collapsed: panel.collapsed === true, repeat: panel.repeat || undefined, panels: [...(panel.panels ?? [])] });
    else rows[rows.length - 1]?.panels.push(panel);
  }
  return rows.filter((row) => row.panels.length > 0);
}

const everyPanel = (source: GrafanaDashboard): GrafanaPanel[] => rowsOf(source).flatMap((row) => row.panels);

// The panel with what stands elsewhere in the file: a library panel's content, the queries of another panel.
function whole(panel: GrafanaPanel, source: GrafanaDashboard, file: GrafanaDashboard): GrafanaPanel {
  const elements = file.__elements ?? source.__elements;
  const model = panel.libraryPanel?.uid !== undefined && elements && !Array.isArray(elements) ? elements[panel.libraryPanel.uid]?.model : undefined;
  const full = model ? { ...model, ...(panel.gridPos ? { gridPos: panel.gridPos } : {}) } : panel;
  if (!isOtherPanel(full.datasource)) return full;
  const other = everyPanel(source).find((one) => one.id !== undefined && one.id === full.targets?.[0]?.panelId);
  return other ? { ...full, datasource: other.datasource ?? null, targets: other.targets ?? [] } : full;
}

// `id` names the dashboard in the address.
export function importGrafana(shared: GrafanaDashboard, id: string): Imported {
  const file = withInputs(shared.dashboard ? { ...shared, dashboard: plainForm(shared.dashboard) } : plainForm(shared));
  const source = file.dashboard ?? file;
  const remarks: string[] = [];
  const panels: PanelReport[] = [];
  const idOf = new Map<number, string>();
  let count = 0;
  const rows = rowsOf(source).flatMap((row): Row[] => {
    const made = row.panels.flatMap((panel) => {
      count += 1;
      const one = importPanel(whole(panel, source, file), `p${count}`);
      if (panel.id !== undefined && one.panel) idOf.set(panel.id, one.panel.id);
      panels.push(one.report);
      return one.panel ? [one.panel] : [];
    });
    return made.length === 0 ? [] : [{ ...(row.title ? { title: row.title } : {}), ...(row.collapsed ? { collapsed: true } : {}), ...(row.repeat ? { repeat: row.repeat } : {}), panels: made }];
  });
  const variables = (source.templating?.list ?? []).flatMap((variable) => importVariable(variable, remarks) ?? []);
  const annotations = importAnnotations(source.annotations?.list ?? [], (one) => idOf.get(one), remarks);
  const links = dashboardLinksOf(source.links, remarks);
  const refresh = typeof source.refresh === "string" && source.refresh !== "" ? source.refresh : undefined;
  return {
    dashboard: {
      schema: SCHEMA, id, title: source.title ?? id,
      ...(source.description ? { description: source.description } : {}),
      ...(source.time?.from && source.time.to ? { range: { from: source.time.from, to: source.time.to } } : {}),
      refresh: refresh ?? "0s",
      ...(variables.length > 0 ? { variables } : {}), ...(annotations.length > 0 ? { annotations } : {}), ...(links.length > 0 ? { links } : {}),
      rows,
    },
    panels, remarks,
  };
}
