// Dashboards of Grafana as resources (apiVersion "dashboard.grafana.app/..."), as the plain form that all before had. Version 1 has that form in
// its spec; version 2 names elements and lays them out. https://grafana.com/docs/grafana/latest/as-code/observability-as-code/schema-v2/
import type { GrafanaAnnotation, GrafanaDashboard, GrafanaPanel, GrafanaTarget, GrafanaTransformation, GrafanaVariable } from "./types";

type Words = Record<string, unknown>;
const record = (value: unknown): Words => (typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Words) : {});
const list = (value: unknown): Words[] => (Array.isArray(value) ? value.map(record) : []);
const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
const number = (value: unknown): number | undefined => (typeof value === "number" && Number.isFinite(value) ? value : undefined);
const spec = (value: unknown): Words => record(record(value).spec);

// The plugin that a kind is of: in the first versions the kind itself, later its group.
const groupOf = (kind: Words): string => text(kind.group) ?? text(kind.kind) ?? "";

function sourceOf(query: Words, otherwise: unknown): { type: string; uid?: string } {
  const own = record(query.datasource ?? otherwise);
  const uid = text(own.name) ?? text(own.uid);
  return { type: text(own.type) ?? groupOf(query), ...(uid !== undefined ? { uid } : {}) };
}

function targetOf(one: Words): GrafanaTarget {
  const own = spec(one);
  const query = record(own.query);
  return { ...(spec(query) as GrafanaTarget), ...(text(own.refId) !== undefined ? { refId: text(own.refId) as string } : {}), hide: own.hidden === true, datasource: sourceOf(query, own.datasource) };
}

function panelOf(element: Words): GrafanaPanel {
  const own = spec(element);
  const common = { ...(number(own.id) !== undefined ? { id: number(own.id) as number } : {}), title: text(own.title) ?? "" };
  if (element.kind === "LibraryPanel") return { ...common, libraryPanel: record(own.libraryPanel) };
  const viz = record(own.vizConfig);
  const data = spec(own.data);
  const options = record(data.queryOptions);
  return {
    ...common, type: groupOf(viz), ...(text(own.description) ? { description: text(own.description) as string } : {}),
    ...(Array.isArray(own.links) ? { links: own.links as NonNullable<GrafanaPanel["links"]> } : {}),
    options: record(spec(viz).options), fieldConfig: record(spec(viz).fieldConfig) as NonNullable<GrafanaPanel["fieldConfig"]>,
    targets: list(data.queries).map(targetOf),
    transformations: list(data.transformations).map((one): GrafanaTransformation => ({ id: text(one.group) ?? text(spec(one).id) ?? groupOf(one), options: record(spec(one).options), disabled: spec(one).disabled === true })),
    interval: text(options.interval) ?? null, maxDataPoints: number(options.maxDataPoints) ?? null, timeFrom: text(options.timeFrom) ?? null, timeShift: text(options.timeShift) ?? null,
    hideTimeOverride: options.hideTimeOverride === true,
  };
}

function repeated(panel: GrafanaPanel, repeat: Words): GrafanaPanel {
  if (text(repeat.value) === undefined) return panel;
  return { ...panel, repeat: text(repeat.value) as string, ...(text(repeat.direction) ? { repeatDirection: text(repeat.direction) as string } : {}), ...(number(repeat.maxPerRow) ? { maxPerRow: number(repeat.maxPerRow) as number } : {}) };
}

const GRID = 24;

// The panels of a layout one below the other from line `y`; rows and tabs are rows between them.
class Laying {
  readonly panels: GrafanaPanel[] = [];
  private y = 0;

  constructor(private readonly elements: Words) {}

  layout(layout: Words): void {
    const own = spec(layout);
    switch (layout.kind) {
      case "GridLayout": return this.grid(list(own.items));
      case "AutoGridLayout": return this.even(list(own.items), number(own.maxColumnCount) ?? 3);
      case "RowsLayout": return list(own.rows).forEach((row) => this.row(spec(row), text(spec(row).title) ?? "", spec(row).hideHeader === true));
      case "TabsLayout": return list(own.tabs).forEach((tab) => this.row(spec(tab), text(spec(tab).title) ?? "", false));
      default: return undefined;
    }
  }

  private element(item: Words): GrafanaPanel | undefined {
    const name = text(record(item.element).name) ?? "";
    return Object.hasOwn(this.elements, name) ? panelOf(record(this.elements[name])) : undefined;
  }

  private grid(items: Words[]): void {
    const top = this.y;
    for (const item of items) {
      const own = spec(item);
      // Before rows had a layout of their own, they stood in the grid.
      if (item.kind === "GridLayoutRow") {
        this.panels.push({ type: "row", title: text(own.title) ?? "", collapsed: own.collapsed === true, gridPos: { x: 0, y: top + (number(own.y) ?? 0), w: GRID, h: 1 }, ...(text(record(own.repeat).value) ? { repeat: text(record(own.repeat).value) as string } : {}) });
        const before = this.y;
        this.y = top + (number(own.y) ?? 0) + 1;
        this.grid(list(own.elements));
        this.y = Math.max(this.y, before);
        continue;
      }
      const panel = this.element(own);
      if (!panel) continue;
      const at = { x: number(own.x) ?? 0, y: top + (number(own.y) ?? 0), w: number(own.width) ?? GRID, h: number(own.height) ?? 8 };
      this.panels.push({ ...repeated(panel, record(own.repeat)), gridPos: at });
      this.y = Math.max(this.y, at.y + at.h);
    }
  }

  private even(items: Words[], columns: number): void {
    const width = Math.max(1, Math.floor(GRID / Math.max(1, columns)));
    items.forEach((item, i) => {
      const panel = this.element(spec(item));
      if (panel) this.panels.push({ ...repeated(panel, record(spec(item).repeat)), gridPos: { x: (i % columns) * width, y: this.y + Math.floor(i / columns) * 8, w: width, h: 8 } });
    });
    this.y += Math.ceil(items.length / columns) * 8;
  }

  private row(own: Words, title: string, headless: boolean): void {
    if (!(headless && this.panels.length === 0)) {
      const repeat = text(record(own.repeat).value);
      this.panels.push({ type: "row", title, collapsed: own.collapse === true, gridPos: { x: 0, y: this.y, w: GRID, h: 1 }, ...(repeat ? { repeat } : {}) });
      this.y += 1;
    }
    this.layout(record(own.layout));
  }
}

const SORTS = ["disabled", "alphabeticalAsc", "alphabeticalDesc", "numericalAsc", "numericalDesc", "alphabeticalCaseInsensitiveAsc", "alphabeticalCaseInsensitiveDesc", "naturalAsc", "naturalDesc"];
const VARIABLES: Record<string, string> = { QueryVariable: "query", CustomVariable: "custom", ConstantVariable: "constant", TextVariable: "textbox", DatasourceVariable: "datasource", IntervalVariable: "interval", AdhocVariable: "adhoc", GroupByVariable: "groupby", SwitchVariable: "switch" };

function variableOf(variable: Words): GrafanaVariable {
  const own = spec(variable);
  const type = VARIABLES[text(variable.kind) ?? ""] ?? text(variable.kind) ?? "";
  const asked = record(own.query);
  const query = text(own.query) ?? text(spec(asked).query) ?? text(spec(asked).__legacyStringValue) ?? text(spec(asked).expr) ?? text(own.definition);
  return {
    ...(own as GrafanaVariable), type, ...(query !== undefined ? { query } : {}),
    hide: own.hide === "hideVariable" ? 2 : own.hide === "hideLabel" ? 1 : 0, sort: Math.max(0, SORTS.indexOf(text(own.sort) ?? "disabled")),
  };
}

function annotationOf(annotation: Words): GrafanaAnnotation {
  const own = spec(annotation);
  const query = record(own.query);
  const asked = spec(query);
  return { ...record(own.legacyOptions), ...(own as GrafanaAnnotation), datasource: sourceOf(query, own.datasource), ...(text(asked.expr) ? { expr: text(asked.expr) as string } : {}), target: asked as NonNullable<GrafanaAnnotation["target"]> };
}

function fromElements(own: Words): GrafanaDashboard {
  const laid = new Laying(record(own.elements));
  laid.layout(record(own.layout));
  const time = record(own.timeSettings);
  return {
    title: text(own.title) ?? "", ...(text(own.description) ? { description: text(own.description) as string } : {}),
    time: { from: text(time.from) ?? "now-6h", to: text(time.to) ?? "now" }, refresh: text(time.autoRefresh) ?? null,
    panels: laid.panels, links: list(own.links), templating: { list: list(own.variables).map(variableOf) }, annotations: { list: list(own.annotations).map(annotationOf) },
  };
}

// The plain form of a file that may be a resource; others as they are.
export function plainForm(file: GrafanaDashboard): GrafanaDashboard {
  const own = record(record(file).spec);
  if (text(record(file).apiVersion) === undefined || Object.keys(own).length === 0) return typeof record(file).elements === "object" && typeof record(file).layout === "object" ? fromElements(record(file)) : file;
  return typeof own.elements === "object" ? fromElements(own) : (own as GrafanaDashboard);
}
