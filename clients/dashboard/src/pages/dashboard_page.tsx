// DashboardPage: draws a dashboard file: variables, rows, panels.
import { effect } from "@preact/signals";
import { useEffect, useMemo, useState } from "preact/hooks";
import { api } from "../api";
import type { Dashboard, Panel, Row } from "../model/schema";
import { parseDuration } from "../model/time";
import { ALL } from "../model/variables";
import { drawnRows } from "../model/repeat";
import { Links } from "../panels/links";
import { PanelView } from "../panels/panel_view";
import { address, demanded, now, pageDefaults, span } from "../shell/state";
import { AnnotationSwitches, useAnnotations } from "./annotations";
import { VariableBar } from "./variable_bar";
import { resolveVariables, type Resolved } from "./variable_values";
import "./dashboard_page.css";

// A variable's choices change seldom.
const CHOICES_MS = 30_000;

function useVariables(dashboard: Dashboard): Resolved | undefined {
  const [resolved, setResolved] = useState<Resolved>();
  const chosen = JSON.stringify(address.value.variables);
  // "auto" follows the length of the range, not its place.
  const length = (dashboard.variables ?? []).some((variable) => variable.auto !== undefined) ? Math.round(span.value.end - span.value.start) : 0;
  useEffect(() => {
    let current = true;
    let askedAt = 0;
    // Whether a variable that is asked for has nothing to choose yet.
    let wanting = false;
    const load = () => {
      askedAt = Date.now();
      return resolveVariables(dashboard, JSON.parse(chosen) as Record<string, string[]>, span.peek()).then((next) => {
        // Equal values keep their object, so that no panel asks again.
        if (!current) return;
        wanting = next.error === undefined && (dashboard.variables ?? []).some(({ kind, name }) => kind === "query" && (next.choices[name] ?? []).every((choice) => choice.value === ALL));
        setResolved((before) => (JSON.stringify(before) === JSON.stringify(next) ? before : next));
      });
    };
    const again = () => { if (!document.hidden && Date.now() - askedAt >= (wanting ? 900 : CHOICES_MS)) void load(); };
    void load();
    // A pipeline that ran for the first time is found without a reload, and at the next refresh where there was none before.
    const stops = [api.connection.onBack(() => void load()), effect(() => { void now.value; again(); })];
    const timer = setInterval(again, CHOICES_MS);
    return () => {
      current = false;
      for (const stop of stops) stop();
      clearInterval(timer);
    };
  }, [JSON.stringify(dashboard.variables ?? []), chosen, length, demanded.value]);
  return resolved;
}

interface Props {
  dashboard: Dashboard;
  // What stands around a panel, where something does.
  frame?: (panel: Panel, view: preact.VNode) => preact.VNode;
}

export function DashboardPage({ dashboard, frame }: Props) {
  useEffect(() => {
    pageDefaults.value = {
      range: dashboard.range ?? { from: "now-15m", to: "now" },
      refresh: parseDuration(dashboard.refresh ?? "5s") ?? 5,
    };
  }, [dashboard.id, dashboard.refresh, JSON.stringify(dashboard.range)]);
  const resolved = useVariables(dashboard);
  const annotations = useAnnotations(dashboard, resolved?.values);
  const switches = (dashboard.annotations ?? []).filter((one) => one.hidden !== true);
  const only = address.value.panel;
  // Who edits sees each panel once, as it is written.
  const all = useMemo(() => drawnRows(frame ? { ...dashboard, rows: dashboard.rows.map(unrepeated) } : dashboard, resolved?.values), [dashboard, resolved, frame === undefined]);
  const rows = only === undefined ? all : [{ key: "alone", title: undefined, collapsed: false, panels: all.flatMap((row) => row.panels).filter(({ panel }) => panel.id === only) }];
  const shown = (dashboard.variables ?? []).filter((v) => v.kind !== "constant" && v.hidden !== true);
  return (
    <div class="dashboard">
      {(dashboard.description || shown.length > 0 || switches.length > 0 || (dashboard.links ?? []).length > 0) && (
        <div class="page-intro">
          {dashboard.description && <p>{dashboard.description}</p>}
          {shown.length > 0 && <VariableBar variables={shown} resolved={resolved} />}
          {switches.length > 0 && <AnnotationSwitches annotations={switches} marks={annotations} />}
          <Links links={dashboard.links} values={resolved?.values} />
        </div>
      )}
      {resolved?.error !== undefined && <p class="is-warn note" role="status">The choices of a variable could not be had: {resolved.error}</p>}
      {rows.map((row) => (
        <RowView key={`${dashboard.id} ${row.key} ${only ?? ""}`} title={row.title} collapsed={row.collapsed}>
          {row.panels.map(({ key, panel, values }) => {
            const view = <PanelView key={`${dashboard.id} ${key}`} panel={panel} values={values} annotations={annotations} alone={only !== undefined} />;
            return frame ? frame(panel, view) : view;
          })}
        </RowView>
      ))}
    </div>
  );
}

function unrepeated({ repeat: _row, ...row }: Row): Row {
  return { ...row, panels: row.panels.map(({ repeat: _panel, ...panel }) => panel) };
}

function RowView({ title, collapsed, children }: { title: string | undefined; collapsed: boolean; children: preact.ComponentChildren }) {
  const [open, setOpen] = useState(!collapsed);
  return (
    <section class="row">
      {title !== undefined && (
        <h2><button class="row-title" aria-expanded={open} onClick={() => setOpen(!open)}><span aria-hidden="true">{open ? "▾" : "▸"}</span> {title}</button></h2>
      )}
      {open && <div class="row-panels">{children}</div>}
    </section>
  );
}
