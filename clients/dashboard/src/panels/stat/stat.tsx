// stat: numbers. options: {"layout": "big" | "list"}: side by side and large, or one below the other with their names.
import type { PanelProps, PanelType } from "../panel_type";
import { anySeries } from "../panel_type";
import { Figure, GoalMark, itemsOf } from "../figures/figure";
import "../figures/figure.css";
import "./stat.css";

function StatView({ panel, data }: PanelProps) {
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
  return (
    <div class="stat-big">
      {items.map((item) => (
        <div key={item.series?.key ?? item.query.id}>
          <Figure item={item} big />
          <div class="note">
            {(items.length > 1 || item.name !== panel.title) && <span>{item.name} </span>}
            {item.query.note && <span>{item.query.note} </span>}
            <GoalMark item={item} />
          </div>
        </div>
      ))}
    </div>
  );
}

export const stat: PanelType = { type: "stat", height: 3, sizing: "flows", hasData: anySeries, view: StatView };
