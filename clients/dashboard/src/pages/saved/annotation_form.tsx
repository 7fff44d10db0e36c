// AnnotationForm: what a dashboard marks on its charts: names, queries, colours and texts.
import { useEffect, useRef, useState } from "preact/hooks";
import { COLOR_NAMES, faultsOf, SCHEMA, type Annotation, type Dashboard } from "../../model/schema";

interface Props {
  annotations: Annotation[];
  onSave: (annotations: Annotation[]) => void;
  onClose: () => void;
}

// What most people want first: alerts that fire.
export function freshAnnotation(all: readonly Annotation[]): Annotation {
  let name = "Alerts";
  for (let n = 2; all.some((one) => one.name === name); n++) name = `Alerts ${n}`;
  return { name, kind: "query", expr: 'ALERTS{alertstate="firing"}', color: "bad" };
}

// Without keys that say nothing.
function tidy(value: Annotation): Annotation {
  return { ...(Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined && one !== "" && one !== false)) as Partial<Annotation>), name: value.name, kind: value.kind, expr: value.expr };
}

export function AnnotationForm({ annotations: before, onSave, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [all, setAll] = useState(before);
  const [faults, setFaults] = useState<string[]>([]);
  useEffect(() => { dialog.current?.showModal(); }, []);
  const set = (at: number, change: Partial<Annotation>) => setAll(all.map((one, i) => (i === at ? { ...one, ...change } : one)));
  const save = () => {
    const made = all.map(tidy);
    const wrong = faultsOf({ schema: SCHEMA, id: "x", title: "x", rows: [], annotations: made } as Dashboard, []);
    setFaults(wrong);
    if (wrong.length === 0) onSave(made);
  };
  return (
    <dialog ref={dialog} class="help panel-form" aria-label="Marks on the charts" onClose={onClose}>
      <h2>Marks on the charts</h2>
      {all.length === 0 && <p class="note">Nothing is marked yet: alerts that fire, deployments, restarts.</p>}
      <div class="form-grid">
        {all.map((one, i) => (
          <fieldset key={i} class="wide">
            <legend>{one.name || "Marks"}</legend>
            <label>Name <input value={one.name} onInput={(event) => set(i, { name: event.currentTarget.value })} /></label>
            <label>Of <select value={one.kind} onChange={(event) => set(i, { kind: event.currentTarget.value as Annotation["kind"] })}><option value="query">samples above zero</option><option value="events">string points</option></select></label>
            <label>Colour
              <select value={one.color ?? "info"} onChange={(event) => set(i, { color: event.currentTarget.value })}>
                {[...new Set([...COLOR_NAMES, ...(one.color ? [one.color] : [])])].map((color) => <option key={color} value={color}>{color}</option>)}
              </select>
            </label>
            <label class="wide">{one.kind === "query" ? "PromQL" : "Selector"} <textarea rows={2} spellcheck={false} value={one.expr} onInput={(event) => set(i, { expr: event.currentTarget.value })} /></label>
            <label>Database <input value={one.db ?? ""} spellcheck={false} onInput={(event) => set(i, { db: event.currentTarget.value })} /></label>
            <label>Title <input value={one.title ?? ""} spellcheck={false} placeholder="{{alertname}}" onInput={(event) => set(i, { title: event.currentTarget.value })} /></label>
            <label>Text <input value={one.text ?? ""} spellcheck={false} onInput={(event) => set(i, { text: event.currentTarget.value })} /></label>
            <button type="button" class="link" onClick={() => setAll(all.filter((_, j) => j !== i))}>Remove {one.name}</button>
          </fieldset>
        ))}
      </div>
      {faults.length > 0 && <ul class="is-bad" role="alert">{faults.map((fault) => <li key={fault}>{fault}</li>)}</ul>}
      <div class="form-actions">
        <button class="control primary" onClick={save}>Done</button>
        <button class="control" onClick={() => setAll([...all, freshAnnotation(all)])}>Add marks</button>
        <button class="control" onClick={() => dialog.current?.close()}>Leave it</button>
      </div>
    </dialog>
  );
}
