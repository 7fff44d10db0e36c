// The one table of pages. A page that is a dashboard file is the file and a row; a coded page is a folder and a row.
// Each is loaded when it is shown first.
import type { ComponentType } from "preact";
import type { Dashboard } from "../model/schema";

export interface PageRow {
  id: string;
  title: string;
  group: "Card" | "Machine" | "Data";
  load: () => Promise<{ dashboard: Dashboard } | { view: ComponentType }>;
}

const file = (load: () => Promise<{ default: unknown }>) => async () => ({ dashboard: (await load()).default as Dashboard });

export const PAGES: readonly PageRow[] = [
  { id: "overview", title: "Overview", group: "Card", load: file(() => import("./dashboards/overview.json")) },
  { id: "execution", title: "Execution", group: "Card", load: file(() => import("./dashboards/execution.json")) },
  { id: "benchmarks", title: "Benchmarks", group: "Card", load: file(() => import("./dashboards/benchmarks.json")) },
  { id: "live", title: "Live", group: "Card", load: file(() => import("./dashboards/live.json")) },
  { id: "trends", title: "Trends", group: "Card", load: file(() => import("./dashboards/trends.json")) },
  { id: "backend", title: "Backend", group: "Card", load: file(() => import("./dashboards/backend.json")) },
  { id: "alerts", title: "Alerts", group: "Card", load: file(() => import("./dashboards/alerts.json")) },
  { id: "executive", title: "Executive", group: "Card", load: file(() => import("./dashboards/executive.json")) },
  { id: "hosts", title: "Hosts", group: "Machine", load: file(() => import("./dashboards/hosts.json")) },
  { id: "explore", title: "Explore", group: "Data", load: async () => ({ view: (await import("./explore/explore")).Explore }) },
  { id: "metrics", title: "Metrics", group: "Data", load: async () => ({ view: (await import("./metrics/metrics")).Metrics }) },
  { id: "storage", title: "Storage", group: "Data", load: async () => ({ view: (await import("./storage/storage")).Storage }) },
  { id: "usage", title: "Usage", group: "Data", load: async () => ({ view: (await import("./usage/usage")).Usage }) },
  { id: "dashboards", title: "Dashboards", group: "Data", load: async () => ({ view: (await import("./saved/library")).Library }) },
  { id: "rules", title: "Rules", group: "Data", load: async () => ({ view: (await import("./rules/rules")).Rules }) },
];

// The pages of dashboards that people saved. Each keeps its row, so that it is loaded once.
const SAVED = "d-";
const savedRows = new Map<string, PageRow>();

// The id of the page of a saved dashboard, and the other way round.
export const savedPage = (name: string): string => SAVED + name;
export const savedName = (id: string): string | undefined => (id.startsWith(SAVED) ? id.slice(SAVED.length) : undefined);

export function pageRow(id: string): PageRow {
  const name = savedName(id);
  if (name !== undefined) {
    const row = savedRows.get(name) ?? { id, title: name, group: "Data", load: async () => ({ view: (await import("./saved/saved_page")).SavedPage }) };
    savedRows.set(name, row);
    return row;
  }
  return PAGES.find((row) => row.id === id) ?? (PAGES[0] as PageRow);
}
