// AddToDashboard: puts what Explore shows into a saved dashboard, as a panel.
import { useRef, useState } from "preact/hooks";
import { api, ApiError, type SavedInfo } from "../../api";
import { addPanel, freePanelId, textOf } from "../../model/edit";
import type { Dashboard, Panel } from "../../model/schema";
import { pageAddress } from "../../shell/state";
import { savedPage } from "../registry";
import "./saved.css";

const CONFLICT = 412;
const TRIES = 5;

// Adds it to what is there at that moment: who saves meanwhile loses nothing.
async function add(name: string, panel: Omit<Panel, "id">): Promise<void> {
  for (let n = 1; ; n++) {
    const there = await api.loadDashboard(name);
    const dashboard = JSON.parse(there.text) as Dashboard;
    try {
      await api.saveDashboard(name, textOf(addPanel(dashboard, { ...panel, id: freePanelId(dashboard) })), there.version);
      return;
    } catch (error) {
      if (!(error instanceof ApiError && error.status === CONFLICT) || n === TRIES) throw error;
    }
  }
}

export function AddToDashboard({ panel }: { panel: Omit<Panel, "id"> | undefined }) {
  const home = useRef<HTMLDetailsElement>(null);
  const [known, setKnown] = useState<SavedInfo[]>();
  const [said, setSaid] = useState<{ text: string; name?: string }>();
  if (!panel) return null;
  return (
    <details class="menu add-to" ref={home} onToggle={() => { if (home.current?.open) api.savedDashboards().then(setKnown, (error: unknown) => setSaid({ text: error instanceof Error ? error.message : String(error) })); }}
      onKeyDown={(event) => { if (event.key === "Escape" && home.current) home.current.open = false; }}>
      <summary class="control">Add to a dashboard</summary>
      <div class="menu-list">
        {known?.map((info) => (
          <button key={info.name} onClick={() => {
            add(info.name, panel).then(() => setSaid({ text: `It is in "${info.title}" now.`, name: info.name }), (error: unknown) => setSaid({ text: error instanceof Error ? error.message : String(error) }));
          }}>{info.title}</button>
        ))}
        {known?.length === 0 && <p class="note">There are no saved dashboards yet. <a href={pageAddress("dashboards")}>Make one</a>.</p>}
        {said && <p class="note" role="status">{said.text} {said.name && <a href={pageAddress(savedPage(said.name))}>Open it</a>}</p>}
      </div>
    </details>
  );
}
