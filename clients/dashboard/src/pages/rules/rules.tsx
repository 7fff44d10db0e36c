// Rules: all rules of the server with state and errors, and what fires.
import { useEffect } from "preact/hooks";
import { api } from "../../api";
import { counted } from "../../model/counted";
import { RuleTable } from "../../panels/rules/rules";
import { pageDefaults } from "../../shell/state";
import { useLoaded } from "../loaded";
import "../coded.css";

export function Rules() {
  useEffect(() => { pageDefaults.value = { range: { from: "now-1h", to: "now" }, refresh: 5 }; }, []);
  const groups = useLoaded("rules", (signal) => api.rules(signal), true);
  const alerts = useLoaded("alerts", (signal) => api.alerts(signal), true);
  const rules = (groups.value ?? []).reduce((sum, group) => sum + group.rules.length, 0);
  const firing = (alerts.value ?? []).filter((alert) => alert.state === "firing").length;
  return (
    <div class="coded">
      <div class="coded-bar">
        <span role="status">{groups.value && `${counted(rules, "rule")} in ${counted(groups.value.length, "group")}`}{alerts.value && `, ${firing} firing`}</span>
        {(groups.error ?? alerts.error) && <span class="is-bad">{groups.error ?? alerts.error}</span>}
      </div>
      <div class="row-panels">
        <section class="panel" data-wide="" style={{ "--span": 12 }} aria-label="Rules">
          <h3>Rules</h3>
          {groups.value && rules === 0
            ? <p class="note">There are none. Rules are files in Prometheus' format: <code>tidemarkd --rules-files FILE</code></p>
            : <RuleTable groups={groups.value ?? []} label="Rules" />}
        </section>
      </div>
    </div>
  );
}
