// PanelForm: a panel's title, type, queries and text, and all of it as JSON for the rest.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Dashboard, Panel, Query, QueryMode } from "../../model/schema";
import { faultsOf, SCHEMA } from "../../model/schema";
import { PANEL_TYPES } from "../../panels/registry";

const TYPES = PANEL_TYPES.map((row) => row.type);
const MODES: QueryMode[] = ["instant", "range", "events", "alerts", "rules"];

interface Props {
  panel: Panel;
  onSave: (panel: Panel) => void;
  onClose: () => void;
}

// All that is wrong with a panel; empty when it can be drawn.
function faultsOfPanel(panel: unknown): string[] {
  const dashboard = { schema: SCHEMA, id: "x", title: "x", rows: [{ panels: [panel] }] } as unknown as Dashboard;
  return faultsOf(dashboard, TYPES).map((fault) => fault.replace(/^rows\[0\]\.panels\[0\]/, "panel"));
}

// Without keys that say nothing.
function tidy<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined && v !== "")) as T;
}

export function PanelForm({ panel: before, onSave, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [panel, setPanel] = useState(before);
  const [json, setJson] = useState<string>();
  const [faults, setFaults] = useState<string[]>([]);
  useEffect(() => { dialog.current?.showModal(); }, []);
  const set = (change: Partial<Panel>) => setPanel((old) => tidy({ ...old, ...change }));
  const setQuery = (at: number, change: Partial<Query>) =>
    set({ queries: (panel.queries ?? []).map((query, i) => (i === at ? { ...tidy({ ...query, ...change }), expr: change.expr ?? query.expr } : query)) });
  const addQuery = () => {
    const taken = new Set((panel.queries ?? []).map((query) => query.id));
    let id = "A";
    for (let n = 0; taken.has(id); n++) id = n < 26 ? String.fromCharCode(65 + n) : `Q${n}`;
    set({ queries: [...(panel.queries ?? []), { id, expr: "", mode: panel.type === "timeseries" ? "range" : "instant" }] });
  };
  const save = () => {
    let made: unknown = panel;
    if (json !== undefined) {
      try {
        made = JSON.parse(json);
      } catch (error) {
        setFaults([`This is no JSON: ${error instanceof Error ? error.message : String(error)}`]);
        return;
      }
    }
    const wrong = faultsOfPanel(made);
    setFaults(wrong);
    // The id is what tells panels apart; whoever writes the JSON does not change it.
    if (wrong.length === 0) onSave({ ...(made as Panel), id: before.id });
  };
  return (
    <dialog ref={dialog} class="help panel-form" aria-label={`Change ${before.title || "panel"}`} onClose={onClose}>
      <h2>Panel</h2>
      {json === undefined
        ? (
          <div class="form-grid">
            <label>Title <input value={panel.title} onInput={(event) => setPanel({ ...panel, title: event.currentTarget.value })} /></label>
            <label>Draws
              <select value={panel.type} onChange={(event) => set({ type: event.currentTarget.value })}>{TYPES.map((type) => <option key={type} value={type}>{type}</option>)}</select>
            </label>
            <label>Unit <input value={panel.unit ?? ""} onInput={(event) => set({ unit: event.currentTarget.value })} /></label>
            {panel.type === "text"
              ? <label class="wide">Text <textarea rows={6} value={String(panel.options?.text ?? "")} onInput={(event) => set({ options: { ...panel.options, text: event.currentTarget.value } })} /></label>
              : (panel.queries ?? []).map((query, i) => (
                <fieldset key={query.id} class="wide">
                  <legend>Query {query.id}</legend>
                  <label class="wide">PromQL <textarea rows={2} spellcheck={false} value={query.expr} onInput={(event) => setQuery(i, { expr: event.currentTarget.value })} /></label>
                  <label>Database <input value={query.db ?? ""} spellcheck={false} onInput={(event) => setQuery(i, { db: event.currentTarget.value })} /></label>
                  <label>Mode <select value={query.mode ?? "instant"} onChange={(event) => setQuery(i, { mode: event.currentTarget.value as QueryMode })}>{MODES.map((mode) => <option key={mode}>{mode}</option>)}</select></label>
                  <label>Legend <input value={query.legend ?? ""} spellcheck={false} onInput={(event) => setQuery(i, { legend: event.currentTarget.value })} /></label>
                  <button type="button" class="link" onClick={() => set({ queries: (panel.queries ?? []).filter((_, j) => j !== i) })}>Remove query {query.id}</button>
                </fieldset>
              ))}
          </div>
        )
        : <label>All of the panel <textarea class="json" rows={18} spellcheck={false} value={json} onInput={(event) => setJson(event.currentTarget.value)} /></label>}
      {faults.length > 0 && <ul class="is-bad" role="alert">{faults.map((fault) => <li key={fault}>{fault}</li>)}</ul>}
      <div class="form-actions">
        <button class="control primary" onClick={save}>Done</button>
        {json === undefined && panel.type !== "text" && <button class="control" onClick={addQuery}>Add a query</button>}
        {json === undefined && <button class="control" onClick={() => setJson(JSON.stringify(panel, null, 2))}>As JSON</button>}
        <button class="control" onClick={() => dialog.current?.close()}>Leave it</button>
      </div>
    </dialog>
  );
}
