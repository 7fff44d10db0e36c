// Library: the dashboards that people saved, and ways to have another: new, a copy of a page, a file, one of Grafana.
import { useEffect, useState } from "preact/hooks";
import { api, ApiError } from "../../api";
import { nameOf, textOf } from "../../model/edit";
import type { Imported } from "../../model/grafana/import";
import { faultsOf, SCHEMA, type Dashboard } from "../../model/schema";
import { timeText } from "../../model/time";
import { PANEL_TYPES } from "../../panels/registry";
import { go, pageAddress, pageDefaults, refreshNow, zone } from "../../shell/state";
import { useLoaded } from "../loaded";
import { PAGES, savedPage } from "../registry";
import { ImportReport } from "./import_report";
import "../coded.css";
import "./saved.css";

const TYPES = PANEL_TYPES.map((row) => row.type);
const CONFLICT = 412;

// What a pasted or uploaded text is: one of ours, whose bytes are kept, or one of Grafana's, made into one of ours.
type Incoming = { name: string; title: string; text: string; imported: Imported | undefined };

async function read(text: string): Promise<Incoming> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`This is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof value === "object" && value !== null && "schema" in value && "rows" in value) {
    const faults = faultsOf(value, TYPES);
    if (faults.length > 0) throw new Error(`This dashboard cannot be drawn: ${faults.join("; ")}`);
    const dashboard = value as Dashboard;
    return { name: nameOf(dashboard.id), title: dashboard.title, text, imported: undefined };
  }
  const { importGrafana } = await import("../../model/grafana/import");
  const imported = importGrafana(value as Record<string, unknown>, "imported");
  const name = nameOf(imported.dashboard.title);
  const dashboard: Dashboard = { ...imported.dashboard, id: name, grafana: value };
  const faults = faultsOf(dashboard, TYPES);
  if (imported.panels.length === 0) throw new Error("This is neither a dashboard of Tidemark (schema, rows) nor one of Grafana with panels.");
  if (faults.length > 0) throw new Error(`What was imported cannot be drawn: ${faults.join("; ")}`);
  return { name, title: dashboard.title, text: textOf(dashboard), imported };
}

// Broken between date and time, if at all.
function When({ time }: { time: string }) {
  const text = timeText(Date.parse(time) / 1000, zone.value);
  return <><span class="whole">{text.slice(0, 10)}</span> <span class="whole">{text.slice(11)}</span></>;
}

export function Library() {
  useEffect(() => { pageDefaults.value = { range: { from: "now-1h", to: "now" }, refresh: 0 }; }, []);
  const saved = useLoaded("dashboards", (signal) => api.savedDashboards(signal));
  const [incoming, setIncoming] = useState<Incoming>();
  const [name, setName] = useState("");
  const [error, setError] = useState<string>();
  const [pasted, setPasted] = useState("");
  const take = (text: string) => {
    read(text).then(
      (one) => { setIncoming(one); setName(one.name); setError(undefined); },
      (failure: unknown) => { setIncoming(undefined); setError(failure instanceof Error ? failure.message : String(failure)); },
    );
  };
  const store = async (wanted: string, text: string) => {
    try {
      await api.saveDashboard(wanted, text, undefined);
      go({ page: savedPage(wanted), panel: undefined, rest: {} });
    } catch (failure) {
      setError(failure instanceof ApiError && failure.status === CONFLICT ? `There is a dashboard called ${wanted} already: choose another name.` : failure instanceof Error ? failure.message : String(failure));
    }
  };
  const fresh = () => {
    const wanted = nameOf(name || "dashboard");
    void store(wanted, textOf({ schema: SCHEMA, id: wanted, title: name || "Dashboard", refresh: "5s", rows: [{ panels: [{ id: "p1", type: "text", title: "About", width: 12, height: 2, options: { text: "What this dashboard is for." } }] }] }));
  };
  const copyOf = async (id: string) => {
    const page = await PAGES.find((row) => row.id === id)?.load();
    if (!page || !("dashboard" in page)) return;
    const wanted = nameOf(name || `my-${id}`);
    await store(wanted, textOf({ ...page.dashboard, id: wanted, title: name || `My ${page.dashboard.title}` }));
  };
  return (
    <div class="coded library">
      <div class="row-panels">
        <section class="panel" data-wide="" style={{ "--span": 7 }} aria-label="Saved dashboards">
          <h3>Saved dashboards</h3>
          {saved.error && <p class="is-bad">{saved.error}</p>}
          {saved.value?.length === 0 && <p class="note">There are none yet. Make one, copy a page, or import one of Grafana's.</p>}
          {(saved.value?.length ?? 0) > 0 && (
            <div class="grid-scroll">
              <table>
                <thead><tr><th>Dashboard</th><th>Version</th><th>Changed</th><th>By</th><th /></tr></thead>
                <tbody>
                  {(saved.value ?? []).map((info) => (
                    <tr key={info.name} data-saved={info.name}>
                      <td><a href={pageAddress(savedPage(info.name))} onClick={(event) => { if (event.ctrlKey || event.metaKey || event.shiftKey) return; event.preventDefault(); go({ page: savedPage(info.name), panel: undefined, rest: {} }); }}>{info.title}</a></td>
                      <td>{info.version}</td><td><When time={info.time} /></td><td>{info.author}</td>
                      <td><button class="link" aria-label={`Delete ${info.title}`} onClick={() => void api.deleteDashboard(info.name, info.version).then(refreshNow, (failure: unknown) => setError(String(failure instanceof Error ? failure.message : failure)))}>Delete</button></td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
          <p class="note">What is deleted can be had again under its address for as long as the server keeps it.</p>
        </section>
        <section class="panel" style={{ "--span": 5 }} aria-label="Another dashboard">
          <h3>Another dashboard</h3>
          <div class="form-grid">
            <label class="wide">Name <input class="field" value={name} onInput={(event) => setName(event.currentTarget.value)} /></label>
            <button class="control" onClick={fresh}>Make an empty one</button>
            <label>Copy of
              <select value="" onChange={(event) => { void copyOf(event.currentTarget.value); event.currentTarget.value = ""; }}>
                <option value="">choose a page …</option>
                {PAGES.filter((page) => page.group === "Card" || page.group === "Machine").map((page) => <option key={page.id} value={page.id}>{page.title}</option>)}
              </select>
            </label>
            <label class="wide">A file of Tidemark or Grafana
              <input type="file" accept=".json,application/json" onChange={(event) => { void event.currentTarget.files?.[0]?.text().then(take); }} />
            </label>
            <label class="wide">or its text <textarea rows={4} spellcheck={false} value={pasted} onInput={(event) => setPasted(event.currentTarget.value)} /></label>
            <button class="control" disabled={pasted.trim() === ""} onClick={() => take(pasted)}>Look at it</button>
          </div>
          {error && <p class="is-bad" role="alert">{error}</p>}
        </section>
        {incoming && (
          <section class="panel" data-wide="" style={{ "--span": 12 }} aria-label="Import" data-import={incoming.name}>
            <h3>{incoming.title}</h3>
            {incoming.imported ? <ImportReport imported={incoming.imported} /> : <p>A dashboard of Tidemark. It is saved byte for byte as it is.</p>}
            <div class="form-actions"><button class="control primary" onClick={() => void store(nameOf(name || incoming.name), incoming.text)}>Save as {nameOf(name || incoming.name)}</button></div>
          </section>
        )}
      </div>
    </div>
  );
}
