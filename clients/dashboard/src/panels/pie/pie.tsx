// pie: shares of a whole, as a ring with a list beside it. options: {"calc": REDUCER}: which number of a range; {"whole": true}: no hole in it;
// {"legend": "none"}; {"columns": ["value", "percent"]}: what the list shows, default both.
import { fixedColor, seriesColor, stateColor } from "../../model/colors";
import { formatValue } from "../../model/units";
import { Figure, itemsOf, type Item } from "../figures/figure";
import "../figures/figure.css";
import { anySeries, type PanelProps, type PanelType } from "../panel_type";
import { slicesOf } from "./slices";
import "./pie.css";

function PieView({ panel, data, theme }: PanelProps) {
  const items = itemsOf(panel, data).filter((item) => item.value !== undefined);
  const slices = slicesOf(items.map((item) => item.value ?? 0), panel.options?.whole === true ? 0 : 52, 100);
  const color = (item: Item, i: number) => fixedColor(item.look.color, theme) ?? (item.color ? stateColor(item.color, theme) : seriesColor(i, theme));
  const columns = Array.isArray(panel.options?.columns) && panel.options.columns.length > 0 ? panel.options.columns : ["value", "percent"];
  return (
    <div class="pie">
      <svg viewBox="-102 -102 204 204" role="img" aria-label={`${panel.title}: ${items.map((item, i) => `${item.name} ${formatValue(slices[i]?.share, "percentunit", 0)}`).join(", ")}`}>
        {slices.map((slice, i) => slice.path && <path key={items[i]?.series?.key} d={slice.path} fill={color(items[i] as Item, i)}><title>{`${items[i]?.name}: ${items[i]?.text} (${formatValue(slice.share, "percentunit", 1)})`}</title></path>)}
      </svg>
      {panel.options?.legend !== "none" && (
        <ul class="pie-list">
          {items.map((item, i) => (
            <li key={item.series?.key}>
              <span class="swatch" style={{ background: color(item, i) }} /><span class="name" title={item.name}>{item.name}</span>
              <span class={columns.includes("value") ? "" : "unseen"}><Figure item={item} /></span>
              {columns.includes("percent") && <span class="note">{formatValue(slices[i]?.share, "percentunit", 0)}</span>}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

export const pie: PanelType = { type: "pie", height: 5, sizing: "flows", hasData: anySeries, newest: true, view: PieView };
