// DashboardPage: draws a dashboard file: variables, rows, panels.
import { useEffect, useState } from "preact/hooks";
import { api } from "../api";
import type { Dashboard, Panel } from "../model/schema";
import { parseDuration } from "../model/time";
import { ALL } from "../model/variables";
import { PanelView } from "../panels/panel_view";
import { address, demanded, go, pageDefaults } from "../shell/state";
import { resolveVariables, type Resolved } from "./variable_values";
import "./dashboard_page.css";

function useVariables(dashboard: Dashboard): Resolved | undefined {
  const [resolved, setResolved] = useState<Resolved>();
  const chosen = JSON.stringify(address.value.variables);
  useEffect(() => {
    let current = true;
    const load = () =>
      resolveVariables(dashboard, JSON.parse(chosen) as Record<string, string>).then((next) => {
        // Equal values keep their object, so that no panel asks again.
        if (current) setResolved((before) => (JSON.stringify(before) === JSON.stringify(next) ? before : next));
      });
    void load();
    const stop = api.connection.onBack(() => void load());
    // A pipeline that ran for the first time is found without a reload.
    const timer = setInterval(() => { if (!document.hidden) void load(); }, 30_000);
    return () => {
      current = false;
      stop();
      clearInterval(timer);
    };
  }, [JSON.stringify(dashboard.variables ?? []), chosen, demanded.value]);
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
  const only = address.value.panel;
  const rows = only === undefined ? dashboard.rows : [{ panels: dashboard.rows.flatMap((row) => row.panels).filter((panel) => panel.id === only) }];
  const shown = (dashboard.variables ?? []).filter((v) => v.kind !== "constant" && v.hidden !== true);
  return (
    <div class="dashboard">
      {(dashboard.description || shown.length > 0) && (
        <div class="page-intro">
          {dashboard.description && <p>{dashboard.description}</p>}
          <div class="variables">
            {shown.map((variable) => {
              const choices = resolved?.choices[variable.name] ?? [];
              const value = address.value.variables[variable.name] ?? resolved?.chosen[variable.name] ?? "";
              const set = (text: string) => go({ variables: { ...address.value.variables, [variable.name]: text } });
              return (
                <label key={variable.name}>
                  {variable.label ?? variable.name}{" "}
                  {variable.kind === "text"
                    ? <input value={value} onChange={(event) => set(event.currentTarget.value)} />
                    : (
                      <select value={value} onChange={(event) => set(event.currentTarget.value)} disabled={choices.length === 0 && value === ""}>
                        {!choices.includes(value) && <option value={value}>{value || "none yet"}</option>}
                        {choices.map((choice) => <option key={choice} value={choice}>{choice === ALL ? "All" : choice}</option>)}
                      </select>
                    )}
                </label>
              );
            })}
          </div>
        </div>
      )}
      {rows.map((row, i) => (
        <RowView key={`${dashboard.id} ${i} ${only ?? ""}`} title={"title" in row ? row.title : undefined} collapsed={"collapsed" in row && row.collapsed === true}>
          {row.panels.map((panel) => {
            const view = <PanelView key={`${dashboard.id} ${panel.id}`} panel={panel} values={resolved?.values} alone={only !== undefined} />;
            return frame ? frame(panel, view) : view;
          })}
        </RowView>
      ))}
    </div>
  );
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
