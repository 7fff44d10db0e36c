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
  step?: number;
  datasource?: GrafanaSource;
  // Of "-- Dashboard --": whose queries these are.
  panelId?: number;
}

export type GrafanaSource = string | { type?: string; uid?: string } | null;

export interface GrafanaTransformation {
  id?: string;
  options?: Record<string, unknown>;
  disabled?: boolean;
}

export interface GrafanaOverride {
  matcher?: { id?: string; options?: unknown };
  properties?: { id?: string; value?: unknown }[];
}

export interface GrafanaSeriesOverride {
  alias?: string;
  [property: string]: unknown;
}

// A column of a table before version 7.
export interface GrafanaStyle {
  pattern?: string;
  alias?: string;
  type?: string;
  unit?: string;
  decimals?: number;
  align?: string;
  colorMode?: string | null;
  colors?: string[];
  thresholds?: (string | number)[];
  mappingType?: number;
  valueMaps?: { value?: string; text?: string }[];
  rangeMaps?: { from?: string; to?: string; text?: string }[];
  link?: boolean;
  linkUrl?: string;
  linkTooltip?: string;
}

export interface GrafanaLink {
  title?: string;
  url?: string;
  // Of dashboards: "link", or "dashboards": all that have the tags.
  type?: string;
  tags?: string[];
  keepTime?: boolean;
  includeVars?: boolean;
  // Of panels before version 7: the title of a dashboard.
  dashboard?: string;
  dashUri?: string;
  params?: string;
}

export interface GrafanaAnnotation {
  name?: string;
  datasource?: GrafanaSource;
  enable?: boolean;
  hide?: boolean;
  builtIn?: number | boolean;
  iconColor?: string;
  expr?: string;
  step?: string | number;
  titleFormat?: string;
  textFormat?: string;
  tagKeys?: string | string[];
  useValueForTime?: boolean | string;
  type?: string;
  filter?: { exclude?: boolean; ids?: (number | string)[] };
  target?: { expr?: string; step?: string; interval?: string };
}

// What whoever shared the file left to whoever imports it.
export interface GrafanaInput {
  name?: string;
  type?: string;
  pluginId?: string;
  value?: string;
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
  noValue?: string;
  displayName?: string;
  links?: GrafanaLink[];
  color?: { mode?: string; fixedColor?: string };
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
  fieldConfig?: { defaults?: GrafanaDefaults; overrides?: GrafanaOverride[] };
  options?: Record<string, unknown>;
  transformations?: GrafanaTransformation[];
  repeat?: string | null;
  repeatDirection?: string;
  maxPerRow?: number;
  datasource?: GrafanaSource;
  interval?: string | null;
  maxDataPoints?: number | string | null;
  timeFrom?: string | null;
  timeShift?: string | null;
  hideTimeOverride?: boolean;
  links?: GrafanaLink[];
  libraryPanel?: { uid?: string; name?: string };
  panels?: GrafanaPanel[];
  collapsed?: boolean;
  // graph and singlestat.
  lines?: boolean;
  bars?: boolean;
  stack?: boolean;
  fill?: number | string;
  legend?: Record<string, unknown>;
  points?: boolean;
  linewidth?: number | string;
  percentage?: boolean;
  steppedLine?: boolean;
  nullPointMode?: string;
  aliasColors?: Record<string, string> | null;
  xaxis?: { mode?: string; values?: string[]; buckets?: number | null };
  yaxes?: { format?: string; min?: number | string | null; max?: number | string | null; logBase?: number }[];
  seriesOverrides?: GrafanaSeriesOverride[];
  // Tables before version 7.
  styles?: GrafanaStyle[];
  transform?: string;
  columns?: { text?: string; value?: string }[];
  sort?: { col?: number | null; desc?: boolean };
  // heatmap.
  dataFormat?: string;
  yAxis?: { format?: string };
  format?: string;
  valueName?: string;
  decimals?: number | string | null;
  thresholds?: string | unknown[];
  colors?: string[];
  colorValue?: boolean;
  colorBackground?: boolean;
  mappingType?: number;
  rangeMaps?: { from?: string; to?: string; text?: string }[];
  nullText?: string | null;
  sparkline?: { show?: boolean };
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
  query?: string | { query?: string; qryType?: number };
  definition?: string;
  regex?: string;
  sort?: number;
  options?: { value?: unknown; text?: unknown }[];
  auto?: boolean;
  auto_count?: number;
  auto_min?: string;
  filters?: { key?: string; operator?: string; value?: string }[];
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
  links?: GrafanaLink[];
  annotations?: { list?: GrafanaAnnotation[] };
  tags?: string[];
  __inputs?: GrafanaInput[];
  // Panels that the exporter keeps outside of the dashboard, by their uid.
  __elements?: Record<string, { model?: GrafanaPanel }> | unknown[];
  templating?: { list?: GrafanaVariable[] };
  // As the API and as files for sharing wrap it.
  dashboard?: GrafanaDashboard;
}
