// RuleForm: a group of rules as YAML, in place. The server says what is wrong with it and where, and nothing is changed until it is right.
import { useEffect, useRef, useState } from "preact/hooks";
import { api } from "../../api";
import { faultPlace, offsetOf } from "./rule_place";
import "./rules.css";

export interface RuleDraft {
  // What the API calls the file.
  space: string;
  // undefined: a new one.
  group: string | undefined;
  yaml: string;
}

export const NEW_GROUP = `name: mine
interval: 30s
rules:
  - alert: HighLoad
    expr: system_load1 > 4
    for: 2m
    labels:
      severity: warning
    annotations:
      summary: 'Load of {{ $labels.host }} is {{ $value }}'
`;

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

export function RuleForm({ draft, onDone }: { draft: RuleDraft; onDone: (said: string | undefined) => void }) {
  const home = useRef<HTMLDialogElement>(null);
  const text = useRef<HTMLTextAreaElement>(null);
  const [space, setSpace] = useState(draft.space);
  const [yaml, setYaml] = useState(draft.yaml);
  const [error, setError] = useState<string>();
  const [sure, setSure] = useState(false);
  useEffect(() => { home.current?.showModal(); }, []);
  const save = async () => {
    try {
      await api.alerting.putRuleGroup(space.trim(), yaml);
      onDone("The rules are in force.");
    } catch (failure) {
      const message = messageOf(failure);
      setError(message);
      const place = faultPlace(message);
      if (place && text.current) {
        const at = offsetOf(yaml, place);
        text.current.focus();
        text.current.setSelectionRange(at, at);
      }
    }
  };
  const remove = async () => {
    try {
      await api.alerting.deleteRuleGroup(draft.space, draft.group ?? "");
      onDone("The group is gone.");
    } catch (failure) {
      setError(messageOf(failure));
    }
  };
  return (
    <dialog class="help rule-form" ref={home} aria-label={draft.group === undefined ? "New rules" : `Rules of ${draft.group}`} onClose={() => onDone(undefined)}>
      <form onSubmit={(event) => { event.preventDefault(); void save(); }}>
        <h2>{draft.group === undefined ? "New rules" : `Rules of ${draft.group}`}</h2>
        {draft.group === undefined && <label>In <input class="field" value={space} onInput={(event) => setSpace(event.currentTarget.value)} /></label>}
        <label>Group, in Prometheus' format <textarea ref={text} rows={16} spellcheck={false} value={yaml} onInput={(event) => { setYaml(event.currentTarget.value); setError(undefined); }} /></label>
        {error && <p class="is-bad" role="alert">{error}</p>}
        <div class="form-actions">
          <button class="control primary" type="submit">Put in force</button>
          <button class="control" type="button" onClick={() => home.current?.close()}>Not now</button>
          {draft.group !== undefined && (sure
            ? <button class="control is-bad" type="button" onClick={() => void remove()}>Yes, delete the group</button>
            : <button class="control" type="button" onClick={() => setSure(true)}>Delete …</button>)}
        </div>
      </form>
    </dialog>
  );
}
