// dashboards: links to the dashboards that people saved. It takes no queries, and asks anew with each refresh of the page. options: {"query": part of the
// title or name}, {"most": N}.
import { useEffect, useState } from "preact/hooks";
import { api, type SavedInfo } from "../../api";
import type { Panel } from "../../model/schema";
import { timeText } from "../../model/time";
import { interpolate, type Values } from "../../model/variables";
import { formatAddress, parseAddress } from "../../shell/address";
import { useSteady } from "../../shell/use_steady";
import type { PanelProps, PanelType } from "../panel_type";
import { byText } from "../../model/order";
import "./dashboards.css";

// With the range that the reader chose.
const addressOf = (name: string): string => formatAddress({ ...parseAddress(location.search), page: `d-${name}`, panel: undefined, variables: {}, rest: {} });

// Those that are wanted, by their titles.
export function wantedBoards(all: readonly SavedInfo[], options: Panel["options"], values: Values): SavedInfo[] {
  const query = interpolate(String(options?.query ?? ""), values).trim().toLowerCase();
  const found = all.filter((one) => !one.deleted && `${one.title ?? ""} ${one.name}`.toLowerCase().includes(query));
  found.sort((a, b) => byText(a.title ?? a.name, b.title ?? b.name));
  return typeof options?.most === "number" ? found.slice(0, options.most) : found;
}

function DashboardsView({ panel, refreshed, zone, values }: PanelProps) {
  const [list, setList] = useState<SavedInfo[]>();
  const [error, setError] = useState<string>();
  const steady = useSteady();
  useEffect(() => {
    steady.ask(String(refreshed.demanded), (signal) => api.savedDashboards(signal).then((all) => { if (!signal.aborted) { setList(all); setError(undefined); } }, (failure: unknown) => { if (!signal.aborted) setError(failure instanceof Error ? failure.message : String(failure)); }));
  }, [refreshed.at, refreshed.demanded]);
  const shown = wantedBoards(list ?? [], panel.options, values);
  return (
    <div class="boards">
      {error !== undefined && <p class="is-bad" role="alert">{error}</p>}
      {list && shown.length === 0 && <p class="note">No saved dashboard {panel.options?.query ? "is called so" : "is there yet"}.</p>}
      <ul>
        {shown.map((one) => <li key={one.name}><a href={addressOf(one.name)}>{one.title || one.name}</a> <span class="note">{timeText(Date.parse(one.time) / 1000, zone)}</span></li>)}
      </ul>
    </div>
  );
}

export const dashboards: PanelType = { type: "dashboards", height: 6, sizing: "list", hasData: () => true, view: DashboardsView };
