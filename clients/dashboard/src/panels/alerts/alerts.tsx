// alerts: what fires or is pending (a query of mode alerts), and one word for it. With a query of mode rules it knows
// whether anything watches at all. Each says why it fires, who was told of it or why nobody was, and can be silenced where the
// page has a panel of silences. options: {"plain": true}: the list without the word; of the list: {"name": part of the alert's name}, {"labels":
// 'severity="page"'}, {"states": ["firing", "pending"]}, {"most": N}.
import { useEffect, useState } from "preact/hooks";
import { api, type Alert, type RuleGroup, type Silence, type ToldAlert } from "../../api";
import type { Panel } from "../../model/schema";
import { timeText } from "../../model/time";
import { formatValue } from "../../model/units";
import { interpolate, type Values } from "../../model/variables";
import type { PanelProps, PanelType } from "../panel_type";
import { matchersFor, matchersText, matchesLabels, parseMatchers } from "../silences/matchers";
import { wantedMatchers } from "../silences/open_silence";
import { Grid } from "../table/grid";
import { ruleOf, whyFires, whyTold } from "./told";
import "../figures/figure.css";
import "./alerts.css";

// Those that the panel's options want, in the order of the server.
export function wantedAlerts(alerts: readonly Alert[], options: Panel["options"], values: Values): Alert[] {
  const text = (key: string) => interpolate(String(options?.[key] ?? ""), values).trim();
  const [name, labels] = [text("name").toLowerCase(), text("labels")];
  const read = labels === "" ? undefined : parseMatchers(labels);
  const matchers = read && "matchers" in read ? read.matchers : [];
  const states = Array.isArray(options?.states) ? options.states : [];
  const found = alerts.filter((alert) => (alert.labels.alertname ?? "").toLowerCase().includes(name) && matchers.every((matcher) => matchesLabels(matcher, alert.labels)) && (states.length === 0 || states.includes(alert.state)));
  return typeof options?.most === "number" ? found.slice(0, options.most) : found;
}

function labelText(alert: Alert): string {
  return Object.entries(alert.labels).filter(([name]) => name !== "alertname").map(([name, value]) => `${name}=${value}`).join(" ");
}

// What those who are told know, with each refresh of the panel. Without the right to see it the alerts are shown alone.
function useTold(at: number): { told: ToldAlert[]; silences: Silence[] } | undefined {
  const [known, setKnown] = useState<{ told: ToldAlert[]; silences: Silence[] }>();
  useEffect(() => {
    const abort = new AbortController();
    Promise.all([api.alerting.alerts(abort.signal), api.alerting.silences(abort.signal)]).then(([told, silences]) => setKnown({ told, silences }), () => undefined);
    return () => abort.abort();
  }, [at]);
  return known;
}

function Why({ alert, groups, at, known }: { alert: Alert; groups: RuleGroup[]; at: number; known: ReturnType<typeof useTold> }) {
  const told = known && whyTold(alert, known.told, known.silences);
  return (
    <div class="alert-why note">
      <div>{whyFires(alert, ruleOf(alert, groups), at)}</div>
      {told && <div class={told.told ? "" : alert.state === "firing" ? "is-warn" : ""}>{told.text}</div>}
    </div>
  );
}

function AlertsView({ panel, data, zone, values }: PanelProps) {
  const known = useTold(data.at);
  const groups = data.frames.flatMap((frame) => frame.groups);
  const plain = panel.options?.plain === true;
  const alerts = wantedAlerts(data.frames.flatMap((frame) => frame.alerts), panel.options, values);
  const watching = data.frames.reduce((sum, frame) => sum + frame.groups.reduce((n, group) => n + group.rules.length, 0), 0);
  const firing = alerts.filter((alert) => alert.state === "firing").length;
  return (
    <div class="alerts">
      {plain && alerts.length === 0 && <p class="note">No alert is active.</p>}
      {!plain && <p class={`figure ${firing > 0 ? "is-bad" : watching > 0 ? "is-good" : "is-dim"}`}>
        <span class="dot" aria-hidden="true" />
        {firing > 0 ? `${firing} ${firing === 1 ? "alert fires" : "alerts fire"}` : watching > 0 ? "All Systems Operational" : "No rule watches this system"}
      </p>}
      {!plain && watching > 0 && <p class="note">{watching} {watching === 1 ? "rule watches" : "rules watch"}</p>}
      {alerts.length > 0 && (
        <Grid label={panel.title} stacks
          columns={[{ id: "state", title: "State" }, { id: "name", title: "Alert" }, { id: "labels", title: "Labels" }, { id: "value", title: "Value", numeric: true }, { id: "since", title: "Since" }, { id: "silence", title: "" }]}
          rows={alerts.map((alert) => ({
            key: JSON.stringify(alert.labels),
            cells: [
              { sort: alert.state, view: <span class={alert.state === "firing" ? "is-bad" : "is-warn"}>{alert.state}</span> },
              { sort: alert.labels.alertname ?? "", view: <>{alert.labels.alertname}<div class="note">{alert.annotations.summary ?? alert.annotations.description}</div><Why alert={alert} groups={groups} at={data.at} known={known} /></> },
              { sort: labelText(alert), view: labelText(alert) },
              { sort: Number(alert.value), view: formatValue(Number(alert.value)) },
              { sort: alert.activeAt, view: <span class="one-line">{timeText(Date.parse(alert.activeAt) / 1000, zone)}</span> },
              { sort: "", view: <button class="link" aria-label={`Silence ${alert.labels.alertname} ${labelText(alert)}`} onClick={() => (wantedMatchers.value = matchersText(matchersFor(alert.labels)))}>Silence</button> },
            ],
          }))} />
      )}
    </div>
  );
}

export const alerts: PanelType = { type: "alerts", height: 5, sizing: "list", hasData: (data) => data.at > 0, view: AlertsView };
