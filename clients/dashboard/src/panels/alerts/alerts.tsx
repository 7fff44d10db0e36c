// alerts: what fires or is pending (a query of mode alerts), and one word for it. With a query of mode rules it knows
// whether anything watches at all.
import type { Alert } from "../../api";
import { timeText } from "../../model/time";
import { formatValue } from "../../model/units";
import type { PanelProps, PanelType } from "../panel_type";
import { Grid } from "../table/grid";
import "../figures/figure.css";

function labelText(alert: Alert): string {
  return Object.entries(alert.labels).filter(([name]) => name !== "alertname").map(([name, value]) => `${name}=${value}`).join(" ");
}

function AlertsView({ panel, data, zone }: PanelProps) {
  const alerts = data.frames.flatMap((frame) => frame.alerts);
  const watching = data.frames.reduce((sum, frame) => sum + frame.groups.reduce((n, group) => n + group.rules.length, 0), 0);
  const firing = alerts.filter((alert) => alert.state === "firing").length;
  return (
    <div class="alerts">
      <p class={`figure ${firing > 0 ? "is-bad" : watching > 0 ? "is-good" : "is-dim"}`}>
        <span class="dot" aria-hidden="true" />
        {firing > 0 ? `${firing} ${firing === 1 ? "alert fires" : "alerts fire"}` : watching > 0 ? "All Systems Operational" : "No rule watches this system"}
      </p>
      {watching > 0 && <p class="note">{watching} {watching === 1 ? "rule watches" : "rules watch"}</p>}
      {alerts.length > 0 && (
        <Grid label={panel.title}
          columns={[{ id: "state", title: "State" }, { id: "name", title: "Alert" }, { id: "labels", title: "Labels" }, { id: "value", title: "Value", numeric: true }, { id: "since", title: "Since" }]}
          rows={alerts.map((alert) => ({
            key: JSON.stringify(alert.labels),
            cells: [
              { sort: alert.state, view: <span class={alert.state === "firing" ? "is-bad" : "is-warn"}>{alert.state}</span> },
              { sort: alert.labels.alertname ?? "", view: <>{alert.labels.alertname}<div class="note">{alert.annotations.summary ?? alert.annotations.description}</div></> },
              { sort: labelText(alert), view: labelText(alert) },
              { sort: Number(alert.value), view: formatValue(Number(alert.value)) },
              { sort: alert.activeAt, view: timeText(Date.parse(alert.activeAt) / 1000, zone) },
            ],
          }))} />
      )}
    </div>
  );
}

export const alerts: PanelType = { type: "alerts", height: 5, sizing: "list", hasData: (data) => data.at > 0, view: AlertsView };
