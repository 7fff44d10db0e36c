// stat: numbers. options: {"layout": "big" | "list"}: side by side and large, or one below the other with their names;
// {"calc": REDUCER}: which number of a range, default the last; {"spark": true}: its course below it; {"ground": true}: the colour is the
// ground's and not the number's; {"show": "value" | "name" | "both" | "several": names where there are several}.
import type { PanelProps, PanelType } from "../panel_type";
import { anySeries } from "../panel_type";
import { besideName, Figure, GoalMark, itemsOf, type Item } from "../figures/figure";
import "../figures/figure.css";
import { fixedColor, stateColor, type Theme } from "../../model/colors";
import type { Panel } from "../../model/schema";
import { Spark } from "./spark";
import "./stat.css";

function StatView({ panel, data, theme }: PanelProps) {
  const items = itemsOf(panel, data);
  const missing = panel.missing ?? [];
  if (panel.options?.layout === "list") {
    return (
      <dl class="stat-list">
        {items.map((item) => (
          <div key={item.series?.key ?? item.query.id}>
            <dt>{item.name}</dt>
            <dd><Figure item={item} /> <GoalMark item={item} />{item.query.note && <span class="note"> {item.query.note}</span>}</dd>
          </div>
        ))}
        {missing.map((figure) => (
          <div key={figure.title}><dt>{figure.title}</dt><dd class="note">{figure.why}</dd></div>
        ))}
      </dl>
    );
  }
  return <div class="stat-big">{items.map((item) => <Big key={item.series?.key ?? item.query.id} item={item} panel={panel} only={items.length === 1} theme={theme} />)}</div>;
}

function Big({ item, panel, only, theme }: { item: Item; panel: Panel; only: boolean; theme: Theme }) {
  const show = panel.options?.show;
  const named = show === "both" || (show === "several" ? !only : show !== "value" && (!only || besideName(item, panel) !== ""));
  const ground = panel.options?.ground === true && item.color !== undefined;
  return (
    <div class={`stat-one${ground ? ` on-${item.color}` : ""}`}>
      {show === "name" ? <span class={`figure big${item.color ? ` is-${item.color}` : ""}`}>{item.name}</span> : <Figure item={item} big />}
      <div class="note">
        {named && show !== "name" && <span>{item.name} </span>}
        {item.query.note && <span>{item.query.note} </span>}
        <GoalMark item={item} />
      </div>
      {panel.options?.spark === true && item.series && item.series.values.length > 1 && (
        <Spark series={item.series} color={ground ? "currentColor" : (fixedColor(item.look.color, theme) ?? stateColor(item.color ?? "accent", theme))} />
      )}
    </div>
  );
}

export const stat: PanelType = { type: "stat", height: 3, sizing: "flows", hasData: anySeries, newest: true, view: StatView };
