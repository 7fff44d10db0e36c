// Rules: all rules of the server with state and errors, and what fires; groups that were put through the API are changed here.
import { useEffect, useState } from "preact/hooks";
import { api, type RuleGroup } from "../../api";
import { counted } from "../../model/counted";
import { RuleTable } from "../../panels/rules/rules";
import { pageDefaults, refreshNow } from "../../shell/state";
import { useLoaded } from "../loaded";
import { NEW_GROUP, RuleForm, type RuleDraft } from "./rule_form";
import "../coded.css";

export function Rules() {
  useEffect(() => { pageDefaults.value = { range: { from: "now-1h", to: "now" }, refresh: 5 }; }, []);
  const groups = useLoaded("rules", (signal) => api.rules(signal), true);
  const alerts = useLoaded("alerts", (signal) => api.alerts(signal), true);
  const [draft, setDraft] = useState<RuleDraft>();
  const [said, setSaid] = useState("");
  const [fault, setFault] = useState<string>();
  const edit = (group: RuleGroup) => {
    setSaid("");
    api.alerting.ruleGroup(group.file, group.name).then((yaml) => {
      if (yaml === undefined) setFault(`The group ${group.name} is not one that was put here: it comes from ${group.file}. Change that, and reload (tidemark admin reload).`);
      else { setFault(undefined); setDraft({ space: group.file, group: group.name, yaml }); }
    }, (failure: unknown) => setFault(failure instanceof Error ? failure.message : String(failure)));
  };
  const done = (text: string | undefined) => {
    setDraft(undefined);
    if (text !== undefined) { setSaid(text); setFault(undefined); refreshNow(); }
  };
  const rules = (groups.value ?? []).reduce((sum, group) => sum + group.rules.length, 0);
  const firing = (alerts.value ?? []).filter((alert) => alert.state === "firing").length;
  return (
    <div class="coded">
      <div class="coded-bar">
        <span role="status">{groups.value && `${counted(rules, "rule")} in ${counted(groups.value.length, "group")}`}{alerts.value && `, ${firing} firing`}</span>
        <button class="control" onClick={() => setDraft({ space: "page", group: undefined, yaml: NEW_GROUP })}>New rules …</button>
        <span role="status" class="is-good">{said}</span>
        {fault && <span class="is-bad" role="alert">{fault}</span>}
        {(groups.error ?? alerts.error) && <span class="is-bad">{groups.error ?? alerts.error}</span>}
      </div>
      <div class="row-panels">
        <section class="panel" data-wide="" style={{ "--span": 12 }} aria-label="Rules">
          <h3>Rules</h3>
          {groups.value && rules === 0
            ? <p class="note">There are none. Write some here, or give the server files in Prometheus' format: <code>tidemarkd --rules-files FILE</code></p>
            : <RuleTable groups={groups.value ?? []} label="Rules" onEdit={edit} />}
        </section>
      </div>
      {draft && <RuleForm draft={draft} onDone={done} />}
    </div>
  );
}
