// Queries of Grafana's panels as ours.
import type { Query } from "../schema";
import type { GrafanaPanel, GrafanaSource, GrafanaTarget } from "./types";

// Our form of names that are written otherwise there.
export function translateExpr(expr: string): string {
  return expr
    .replace(/\[\[(\w+)(?::(\w+))?\]\]/g, (_, name: string, format?: string) => `\${${name}${format ? `:${format}` : ""}}`)
    // In "${__range_s}s" the braces say where the name ends.
    .replace(/\$\{__(interval|range|rate_interval)(_ms|_s)?\}(?!\w)/g, "$$__$1$2");
}

// Sources that are called as what they are.
const FOREIGN = /^(loki|influxdb|elasticsearch|opensearch|graphite|mysql|postgres(ql)?|mssql|tempo|jaeger|zipkin|cloudwatch|stackdriver|opentsdb|zabbix|testdata|clickhouse)$/i;

// What keeps a source from being this server; undefined for Prometheus and for names that say nothing.
export function foreignSource(source: GrafanaSource | undefined): string | undefined {
  const type = typeof source === "object" && source !== null ? source.type : typeof source === "string" && FOREIGN.test(source) ? source.toLowerCase() : undefined;
  return type === undefined || /prometheus|mixed|datasource|^$/i.test(type) || type.includes("$") ? undefined : type;
}

const MIXED = new Set(["-- Mixed --", "-- Dashboard --", "-- Grafana --"]);
// What a target of a source of another panel is called.
const OTHER_PANEL = "-- Dashboard --";

export function isOtherPanel(source: GrafanaSource | undefined): boolean {
  return source === OTHER_PANEL || (typeof source === "object" && source?.uid === OTHER_PANEL);
}

export interface QueryStyle {
  // Types that show one moment and need a range only for what they compute of it.
  moment: boolean;
  // Whether the panel draws tables.
  tables: boolean;
}

// Grafana's default for the time between two samples.
const SCRAPE = "15s";

function intervalOf(target: GrafanaTarget, panel: GrafanaPanel, expr: string): string | undefined {
  const own = [target.interval, panel.interval].map((text) => text?.replace(/^>=?/, "").trim()).find((text) => text !== undefined && /^\d+(ms|[smhdwy])$/.test(text));
  if (own !== undefined) return own;
  if (typeof target.step === "number" && target.step > 0) return `${target.step}s`;
  return expr.includes("$__rate_interval") || expr.includes("$__interval") ? SCRAPE : undefined;
}

// Names are missing or given twice in many files.
function freeId(wanted: string | undefined, taken: ReadonlySet<string>): string {
  if (wanted && !taken.has(wanted)) return wanted;
  for (let n = 0; ; n++) {
    const name = n < 26 ? String.fromCharCode(65 + n) : `Q${n}`;
    if (!taken.has(name)) return name;
  }
}

export function queriesOf(panel: GrafanaPanel, style: QueryStyle, differences: Set<string>): Query[] {
  const taken = new Set<string>();
  const out: Query[] = [];
  for (const target of panel.targets ?? []) {
    if (target.hide === true) continue;
    const foreign = foreignSource(target.datasource);
    if (foreign !== undefined && !MIXED.has(foreign)) {
      differences.add(`a query of ${foreign} is left out`);
      continue;
    }
    if (typeof target.expr !== "string" || target.expr.trim() === "") {
      differences.add("a query without PromQL is left out");
      continue;
    }
    const id = freeId(target.refId, taken);
    taken.add(id);
    const expr = translateExpr(target.expr);
    const legend = target.legendFormat === undefined ? undefined : translateExpr(target.legendFormat);
    const interval = intervalOf(target, panel, expr);
    // What names neither is a range there; with both, tables show the moment.
    const instant = target.instant === true && (target.range !== true || style.moment);
    out.push({
      id, expr, mode: instant ? "instant" : "range",
      ...(legend && legend !== "__auto" ? { legend } : {}),
      ...(interval !== undefined ? { interval } : {}),
      ...(style.tables && target.format !== "time_series" && target.format !== "heatmap" && target.format !== undefined ? { format: "table" as const } : {}),
    });
  }
  return out;
}
