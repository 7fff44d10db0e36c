// Annotation queries of Grafana's dashboards as ours.
import type { Annotation } from "../schema";
import { hexOf, numberOf } from "./fields";
import { foreignSource, translateExpr } from "./queries";
import type { GrafanaAnnotation } from "./types";

// The history of this server's own alerts, which stands for Grafana's own annotations: those are alerts that changed.
export const ALERT_HISTORY = { db: "_server", expr: "_alerts_event" } as const;

const listOf = (text: string | string[] | undefined): string[] => (Array.isArray(text) ? text : (text ?? "").split(",")).map((one) => one.trim()).filter((one) => one !== "");

function durationOf(...texts: unknown[]): string | undefined {
  return texts.map((text) => String(text ?? "").replace(/^>=?/, "").trim()).find((text) => /^\d+(ms|[smhdwy])$/.test(text));
}

function isOwn(annotation: GrafanaAnnotation): boolean {
  const source = annotation.datasource;
  const uid = typeof source === "object" && source !== null ? source.uid : source;
  return annotation.builtIn === true || annotation.builtIn === 1 || uid === "-- Grafana --" || uid === "grafana" || (typeof source === "object" && source?.type === "grafana");
}

// `idOf`: our panel of one of Grafana's ids. What is left out is told in `remarks`.
export function importAnnotations(list: readonly GrafanaAnnotation[], idOf: (id: number) => string | undefined, remarks: string[]): Annotation[] {
  const taken = new Set<string>();
  return list.flatMap((one): Annotation[] => {
    let name = one.name || "Annotations";
    for (let n = 2; taken.has(name); n++) name = `${one.name || "Annotations"} ${n}`;
    const color = hexOf(one.iconColor);
    const common = { ...(color ? { color } : {}), ...(one.enable === false ? { off: true } : {}), ...(one.hide === true ? { hidden: true } : {}) };
    if (isOwn(one)) {
      // Every file has the one that is built in. Others choose by tags, which nothing here has.
      if (one.builtIn !== true && one.builtIn !== 1) {
        remarks.push(`annotations "${name}": they are kept in Grafana's own database and are not in the file`);
        return [];
      }
      taken.add(name);
      return [{ name, kind: "events", ...ALERT_HISTORY, ...common, off: true }];
    }
    const foreign = foreignSource(one.datasource);
    const expr = translateExpr(one.expr ?? one.target?.expr ?? "").trim();
    if (foreign !== undefined || expr === "") {
      remarks.push(`annotations "${name}": ${foreign !== undefined ? `their data are those of ${foreign}` : "their query is no PromQL"}`);
      return [];
    }
    taken.add(name);
    const step = durationOf(one.step, one.target?.step, one.target?.interval);
    const tags = listOf(one.tagKeys);
    const ids = (one.filter?.ids ?? []).map(numberOf).flatMap((id) => (id === undefined ? [] : idOf(id) ?? []));
    return [{
      name, kind: "query", expr, ...common, ...(step ? { step } : {}),
      ...(one.titleFormat ? { title: translateExpr(one.titleFormat) } : {}), ...(one.textFormat ? { text: translateExpr(one.textFormat) } : {}), ...(tags.length > 0 ? { tags } : {}),
      ...(one.useValueForTime === true || one.useValueForTime === "on" ? { timeOfValue: true } : {}),
      ...(ids.length > 0 ? { panels: ids, ...(one.filter?.exclude === true ? { except: true } : {}) } : {}),
    }];
  });
}
