// Links of Grafana's dashboards, panels and fields as ours.
import { nameOf } from "../edit";
import type { Link } from "../schema";
import { translateExpr } from "./queries";
import type { GrafanaLink } from "./types";

// Addresses of Grafana's own pages, and what they are here. A dashboard has the name that its title gave it when it was imported.
function ourAddress(url: string): string {
  const [, path = "", search = ""] = /^([^?#]*)\??([^#]*)/.exec(url) ?? [];
  const more = search ? `&${search}` : "";
  const board = /^(?:\.{0,2}\/)?(?:grafana\/)?(?:d\/[^/]+\/|dashboard\/db\/)([^/]+)\/?$/.exec(path);
  if (board) return `?page=d-${nameOf(board[1] as string)}${more}`;
  // "/dashboard" is our own page already.
  if (/^(?:\.{0,2}\/)?(?:grafana\/)?(?:d\/[^/]+|dashboards(?:\/.*)?)\/?$/.test(path)) return "?page=dashboards";
  if (/^\/?(?:grafana\/)?alerting(\/.*)?$/.test(path)) return "?page=alerts";
  return url;
}

const joined = (address: string, parts: string[]): string => parts.reduce((all, part) => `${all}${all.includes("?") ? "&" : "?"}${part}`, address);

function hrefOf(link: GrafanaLink): string | undefined {
  const url = link.url || (link.dashUri ? `/dashboard/${link.dashUri}` : link.dashboard ? `/dashboard/db/${nameOf(link.dashboard)}` : "");
  if (typeof url !== "string" || url === "") return undefined;
  return joined(ourAddress(translateExpr(url)), [...(link.params ? [link.params] : []), ...(link.keepTime === true ? ["${__url_time_range}"] : []), ...(link.includeVars === true ? ["${__all_variables}"] : [])]);
}

export function linksOf(list: GrafanaLink[] | undefined): Link[] {
  return (list ?? []).flatMap((link) => {
    const href = hrefOf(link);
    return href === undefined ? [] : [{ title: link.title || link.dashboard || "", href }];
  });
}

// Those of a dashboard. Lists of all that have a tag lead to all that there are.
export function dashboardLinksOf(list: GrafanaLink[] | undefined, remarks: string[]): Link[] {
  return (list ?? []).flatMap((link): Link[] => {
    if (link.type !== "dashboards") return linksOf([link]);
    const title = link.title || (link.tags ?? []).join(", ") || "Dashboards";
    if ((link.tags ?? []).length > 0) remarks.push(`the link "${title}" leads to all dashboards, since none has tags here`);
    return [{ title, page: "dashboards" }];
  });
}
