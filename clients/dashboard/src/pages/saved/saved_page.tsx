// SavedPage: a dashboard that somebody saved: drawn, edited in place, exported, copied, and its history.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { api, ApiError, type SavedInfo } from "../../api";
import { compare, type Difference } from "../../model/conflict";
import { addPanel, changePanel, freePanelId, panelOf, textOf } from "../../model/edit";
import { faultsOf, type Dashboard, type Panel } from "../../model/schema";
import { timeText } from "../../model/time";
import { PANEL_TYPES } from "../../panels/registry";
import { address, demanded, go, zone } from "../../shell/state";
import { DashboardPage } from "../dashboard_page";
import { savedName, savedPage } from "../registry";
import { AnnotationForm } from "./annotation_form";
import { ConflictView } from "./conflict_view";
import { download } from "./download";
import { keepDraft, recallDraft } from "./draft";
import { EditFrame } from "./edit_frame";
import { PanelForm } from "./panel_form";
import "../coded.css";
import "./saved.css";

const TYPES = PANEL_TYPES.map((row) => row.type);
const CONFLICT = 412;

interface Loaded {
  text: string;
  version: number;
}

interface Conflict {
  difference: Difference;
  theirs: Loaded;
  author: string | undefined;
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
const parse = (text: string) => JSON.parse(text) as Dashboard;

export function SavedPage() {
  const name = savedName(address.value.page) ?? "";
  return <Saved key={name} name={name} />;
}

function Saved({ name }: { name: string }) {
  const [loaded, setLoaded] = useState<Loaded>();
  const [draft, setDraft] = useState<Dashboard>();
  // What the draft was made from, which may be older than what is in the server by now.
  const base = useRef<Loaded>();
  const [error, setError] = useState<string>();
  const [said, setSaid] = useState("");
  const [form, setForm] = useState<string>();
  const [marking, setMarking] = useState(false);
  const [conflict, setConflict] = useState<Conflict>();
  const [versions, setVersions] = useState<SavedInfo[]>();
  const editing = draft !== undefined;
  // The same objects for the same text, so that no panel begins anew.
  const parsed = useMemo(() => (loaded ? parse(loaded.text) : undefined), [loaded?.text]);

  const load = () => api.loadDashboard(name).then((there) => { setLoaded(there); setError(undefined); }, (failure: unknown) => setError(messageOf(failure)));
  // While it is edited, what others save is noticed when it is saved.
  useEffect(() => { if (!editing) void load(); }, [demanded.value, editing]);
  useEffect(() => api.connection.onBack(() => { if (!editing) void load(); }), [editing]);
  useEffect(() => {
    const kept = recallDraft(name);
    if (!kept) return;
    base.current = { text: kept.base, version: kept.version };
    setDraft(parse(kept.text));
    setSaid("These are changes that were not saved yet.");
  }, []);

  const change = (by: (dashboard: Dashboard) => Dashboard) => {
    setDraft((before) => {
      if (!before || !base.current) return before;
      const next = by(before);
      if (next !== before) keepDraft(name, { base: base.current.text, version: base.current.version, text: textOf(next) });
      return next;
    });
  };
  const edit = () => {
    if (!loaded) return;
    base.current = loaded;
    setDraft(parsed);
    setSaid("");
  };
  const leave = () => {
    keepDraft(name, undefined);
    setDraft(undefined);
    setConflict(undefined);
  };
  const store = async (dashboard: Dashboard, version: number) => {
    const text = textOf(dashboard);
    try {
      const saved = await api.saveDashboard(name, text, version);
      setLoaded({ text, version: saved });
      leave();
      setError(undefined);
      setSaid(`Saved as version ${saved}.`);
    } catch (failure) {
      if (!(failure instanceof ApiError && failure.status === CONFLICT)) throw failure;
      const theirs = await api.loadDashboard(name);
      const author = (await api.dashboardHistory(name).catch(() => [] as SavedInfo[]))[0]?.author;
      setConflict({ difference: compare(parse(base.current?.text ?? theirs.text), dashboard, parse(theirs.text)), theirs, author });
    }
  };
  const attempt = (work: Promise<void>) => void work.catch((failure: unknown) => setError(messageOf(failure)));
  const copy = async (dashboard: Dashboard) => {
    for (let n = 1; n < 100; n++) {
      const other = `${name.slice(0, 56)}-copy${n > 1 ? n : ""}`;
      try {
        await api.saveDashboard(other, textOf({ ...dashboard, id: other, title: `${dashboard.title} (copy)` }), undefined);
        leave();
        go({ page: savedPage(other), panel: undefined, rest: {} });
        return;
      } catch (failure) {
        if (!(failure instanceof ApiError && failure.status === CONFLICT)) throw failure;
      }
    }
  };

  if (!loaded || !parsed) {
    return (
      <div class="coded">
        {error && <p class="is-bad" role="alert">{error}</p>}
        {error && <p><a href="?page=dashboards">All dashboards</a>; <button class="link" onClick={() => void showHistory()}>the versions that are kept</button></p>}
        {versions && <History name={name} versions={versions} onRestore={restore} />}
      </div>
    );
  }
  const shown = draft ?? parsed;
  const faults = faultsOf(shown, TYPES);
  const panelInForm = form !== undefined && draft ? panelOf(draft, form) : undefined;
  return (
    <div class="saved" data-version={loaded.version} data-editing={editing ? "" : undefined}>
      <div class="coded-bar saved-bar">
        {editing
          ? <label>Title <input class="field" value={shown.title} onInput={(event) => { const title = event.currentTarget.value; change((d) => ({ ...d, title })); }} /></label>
          : <b>{shown.title}</b>}
        {!editing && <button class="control" onClick={edit}>Edit</button>}
        {editing && (
          <>
            <button class="control primary" onClick={() => attempt(store(shown, base.current?.version ?? loaded.version))}>Save</button>
            <button class="control" onClick={() => change((d) => addPanel(d, newPanel(d, "timeseries")))}>Add a chart</button>
            <button class="control" onClick={() => change((d) => addPanel(d, newPanel(d, "text")))}>Add text</button>
            <button class="control" onClick={() => change((d) => ({ ...d, rows: [...d.rows, { title: `Row ${d.rows.length + 1}`, panels: [] }] }))}>Add a row</button>
            <button class="control" onClick={() => setMarking(true)}>Marks …</button>
            <button class="control" onClick={() => { leave(); setSaid("The changes are gone."); }}>Discard</button>
          </>
        )}
        {!editing && (
          <>
            <button class="control" onClick={() => download(`${name}.json`, loaded.text)}>Export</button>
            {shown.grafana !== undefined && <button class="control" onClick={() => download(`${name}.grafana.json`, `${JSON.stringify(shown.grafana, null, 2)}\n`)}>Export as it was imported</button>}
            <button class="control" onClick={() => attempt(forGrafana(shown))}>Export for Grafana</button>
            <button class="control" onClick={() => attempt(copy(shown))}>Copy</button>
            <button class="control" onClick={() => void showHistory()}>History</button>
          </>
        )}
        <span class="note" role="status">{said}</span>
        {error && <span class="is-bad" role="alert">{error}</span>}
      </div>
      {conflict && draft && (
        <div class="row-panels">
          <ConflictView difference={conflict.difference} author={conflict.author}
            onMerge={() => { const { merged } = conflict.difference; if (merged) attempt(store(merged, conflict.theirs.version)); }}
            onOverwrite={() => attempt(store(draft, conflict.theirs.version))}
            onKeepCopy={() => attempt(copy(draft))}
            onBack={() => setConflict(undefined)} />
        </div>
      )}
      {versions && !editing && <History name={name} versions={versions} onRestore={restore} />}
      {faults.length > 0
        ? <><p class="is-bad">This dashboard cannot be drawn:</p><ul>{faults.map((fault) => <li key={fault}>{fault}</li>)}</ul></>
        : <DashboardPage dashboard={shown} {...(editing ? { frame: (panel: Panel, view: preact.VNode) => <EditFrame key={panel.id} panel={panel} onChange={change} onEdit={() => setForm(panel.id)}>{view}</EditFrame> } : {})} />}
      {marking && draft && (
        <AnnotationForm annotations={draft.annotations ?? []} onClose={() => setMarking(false)}
          onSave={(annotations) => { change(({ annotations: _before, ...d }) => ({ ...d, ...(annotations.length > 0 ? { annotations } : {}) })); setMarking(false); }} />
      )}
      {panelInForm && (
        <PanelForm key={panelInForm.id} panel={panelInForm} onClose={() => setForm(undefined)}
          onSave={(panel) => { change((d) => changePanel(d, panel.id, () => panel)); setForm(undefined); }} />
      )}
    </div>
  );

  // Its databases are sources called tidemark-NAME, as clients/grafana provisions them.
  async function forGrafana(dashboard: Dashboard): Promise<void> {
    const { exportGrafana } = await import("../../model/grafana/export");
    const { dashboard: made, left } = exportGrafana(dashboard, { source: (database) => `tidemark-${database}`, home: "default" });
    download(`${name}.grafana.json`, `${JSON.stringify(made, null, 2)}\n`);
    setSaid(left.length > 0 ? `Grafana does not draw ${left.join(", ")}.` : "");
  }

  async function showHistory(): Promise<void> {
    try {
      setVersions(versions ? undefined : await api.dashboardHistory(name));
    } catch (failure) {
      setError(messageOf(failure));
    }
  }

  function restore(version: number): void {
    attempt((async () => {
      const old = await api.loadDashboard(name, version);
      const saved = await api.saveDashboard(name, old.text, loaded?.version);
      setLoaded({ text: old.text, version: saved });
      setVersions(undefined);
      setError(undefined);
      setSaid(`Version ${version} is back, as version ${saved}.`);
    })());
  }
}

function newPanel(dashboard: Dashboard, type: string): Panel {
  const id = freePanelId(dashboard);
  return type === "text"
    ? { id, type, title: "Text", width: 4, height: 3, options: { text: "Text" } }
    : { id, type, title: "New chart", width: 6, height: 6, queries: [{ id: "A", mode: "range", expr: "up" }] };
}

function History({ name, versions, onRestore }: { name: string; versions: SavedInfo[]; onRestore: (version: number) => void }) {
  return (
    <section class="panel" style={{ "--span": 12 }} aria-label="History">
      <h3>History of {name}</h3>
      <table class="history">
        <thead><tr><th>Version</th><th>When</th><th>Who</th><th>Bytes</th><th /></tr></thead>
        <tbody>
          {versions.map((info) => (
            <tr key={info.version} data-version-row={info.version}>
              <td>{info.version}</td><td>{timeText(Date.parse(info.time) / 1000, zone.value)}</td><td>{info.author}</td><td>{info.deleted ? "deleted" : info.bytes}</td>
              <td>{!info.deleted && <button class="link" onClick={() => onRestore(info.version)}>Bring back</button>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
