// What of Grafana's dashboard JSON is read. Files come from many versions and hands: everything may be missing, numbers
// may be texts, and what is not known here is kept by whoever keeps the file.

export interface GrafanaTarget {
  refId?: string;
  expr?: string;
  legendFormat?: string;
  interval?: string;
  instant?: boolean;
  range?: boolean;
  hide?: boolean;
  format?: string;
}

export interface GrafanaStep {
  color?: string;
  value?: number | string | null;
}

export interface GrafanaDefaults {
  unit?: string;
  decimals?: number | string | null;
  min?: number | string | null;
  max?: number | string | null;
  thresholds?: { mode?: string; steps?: GrafanaStep[] };
  mappings?: unknown[];
  custom?: Record<string, unknown>;
}

export interface GrafanaPanel {
  id?: number;
  type?: string;
  title?: string;
  description?: string;
  gridPos?: { x?: number; y?: number; w?: number; h?: number };
  // Of files before version 16: of 12.
  span?: number | string;
  height?: number | string;
  targets?: GrafanaTarget[];
  fieldConfig?: { defaults?: GrafanaDefaults; overrides?: unknown[] };
  options?: Record<string, unknown>;
  transformations?: unknown[];
  repeat?: string | null;
  panels?: GrafanaPanel[];
  collapsed?: boolean;
  // graph and singlestat.
  lines?: boolean;
  bars?: boolean;
  stack?: boolean;
  fill?: number | string;
  legend?: Record<string, unknown>;
  yaxes?: { format?: string; min?: number | string | null; max?: number | string | null; logBase?: number }[];
  seriesOverrides?: unknown[];
  format?: string;
  valueName?: string;
  thresholds?: string | unknown[];
  colors?: string[];
  valueMaps?: { value?: string; text?: string; op?: string }[];
  postfix?: string;
  prefix?: string;
  gauge?: { show?: boolean; minValue?: number; maxValue?: number };
  // text.
  content?: string;
}

export interface GrafanaVariable {
  name?: string;
  label?: string | null;
  type?: string;
  query?: string | { query?: string };
  current?: { value?: unknown };
  hide?: number;
  includeAll?: boolean;
  multi?: boolean;
  allValue?: string | null;
}

export interface GrafanaDashboard {
  uid?: string | null;
  title?: string;
  description?: string;
  time?: { from?: string; to?: string };
  refresh?: string | boolean | null;
  panels?: GrafanaPanel[];
  rows?: { title?: string; collapse?: boolean; panels?: GrafanaPanel[]; repeat?: string | null; height?: number | string }[];
  templating?: { list?: GrafanaVariable[] };
  // As the API and as files for sharing wrap it.
  dashboard?: GrafanaDashboard;
}
