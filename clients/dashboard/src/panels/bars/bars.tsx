// bars: a bar for each series, longest at the panel's max or, without one, at the largest value.
// options: {"compare": ["A", "B"], "by": "LABEL"}: a bar of A with B inside of it, and the change from one to the other;
// {"change": "previous"}: beside each the change from the one above it; {"sort": "value"}: largest first;
// {"full": "ID"}: the query whose number is a full bar; {"group": "LABEL"}: rows of one value of the label stand together; {"unsized": true}: figures without bars.
import { formatValue } from "../../model/units";
import { fixedColor, seriesColor, stateColor } from "../../model/colors";
import { lastValue } from "../../model/frames";
import type { PanelProps, PanelType } from "../panel_type";
import { anySeries } from "../panel_type";
import { Figure, frameOf, GoalMark, itemOf, itemsOf, type Item } from "../figures/figure";
import { byText } from "../../model/order";
import "../figures/figure.css";
import "./bars.css";

function Track({ share, inner, color, innerColor }: { share: number; inner?: number; color: string; innerColor?: string }) {
  const width = (part: number) => `${Math.min(100, Math.max(0, Number.isFinite(part) ? part * 100 : 0))}%`;
  return (
    <span class="track" aria-hidden="true">
      <span class="fill" style={{ width: width(share), background: color }} />
      {inner !== undefined && <span class="fill inner" style={{ width: width(inner), background: innerColor ?? color }} />}
    </span>
  );
}

export function changeText(before: number | undefined, after: number | undefined): string {
  return before === undefined || after === undefined || before === 0 ? "" : formatValue(after / before - 1, "change", 0);
}

function Compared({ panel, data, theme }: PanelProps) {
  const [from = "A", to = "B"] = panel.options?.compare as string[];
  const by = String(panel.options?.by ?? "kind");
  const before = frameOf(data, from);
  const after = frameOf(data, to);
  const names = [...new Set([...(before?.series ?? []), ...(after?.series ?? [])].map((s) => s.labels[by] ?? ""))].sort();
  const rows = names.map((name) => ({
    name,
    a: before && itemOf(panel, before.query, before.series.find((s) => (s.labels[by] ?? "") === name), name),
    b: after && itemOf(panel, after.query, after.series.find((s) => (s.labels[by] ?? "") === name), name),
  }));
  const most = Math.max(...rows.flatMap((r) => [r.a?.value ?? 0, r.b?.value ?? 0]), 0);
  return (
    <div class="bars compare">
      {rows.map(({ name, a, b }) => (
        <div class="bar" key={name}>
          <span class="name" title={name}>{name || "all"}</span>
          <Track share={(a?.value ?? 0) / most} inner={(b?.value ?? 0) / most} color="var(--track-strong)" innerColor={seriesColor(0, theme)} />
          <span class="amount">
            {a && <Figure item={a} />} <span class="note">→</span> {b && <Figure item={b} />}{" "}
            <span class={(b?.value ?? 0) <= (a?.value ?? 0) ? "is-good" : "is-warn"}>{changeText(a?.value, b?.value)}</span>
          </span>
        </div>
      ))}
      <p class="note">{before?.query.legend ?? from} → {after?.query.legend ?? to}</p>
    </div>
  );
}

function shareOf(item: Item, full: number): number {
  return item.value === undefined || full === 0 ? 0 : item.value / full;
}

function BarsView(props: PanelProps) {
  const { panel, data, theme } = props;
  if (Array.isArray(panel.options?.compare)) return <Compared {...props} />;
  let items = itemsOf(panel, data);
  const groupBy = panel.options?.group as string | undefined;
  if (groupBy) items = [...items].sort((a, b) => byText(a.series?.labels[groupBy] ?? "", b.series?.labels[groupBy] ?? ""));
  if (panel.options?.sort === "value") items = [...items].sort((a, b) => (b.value ?? 0) - (a.value ?? 0));
  const most = Math.max(...items.map((item) => item.value ?? 0), 0);
  const groups = groupBy;
  // options.full: the query whose number is the full length of bars that name none.
  const whole = panel.options?.full === undefined ? undefined : lastValue(frameOf(data, String(panel.options.full))?.series[0]);
  const fullOf = (item: Item) => item.query.max ?? item.look.max ?? whole;
  // Beside bars with a full length of their own, one without has none: its length would say nothing.
  const measured = items.some((item) => fullOf(item) !== undefined);
  // With groups, a colour for each name within them; else one for all.
  const names = [...new Set(items.map((item) => item.name))];
  let group: string | undefined;
  return (
    <div class="bars">
      {items.map((item, i) => {
        const color = fixedColor(item.look.color, theme) ?? (item.color ? stateColor(item.color, theme) : seriesColor(groups ? names.indexOf(item.name) : 0, theme));
        const mine = groups ? item.series?.labels[groups] : undefined;
        const head = mine !== undefined && mine !== group ? <div class="bar-group" key={`group ${mine}`}>{mine}</div> : null;
        group = mine;
        const previous = i > 0 ? items[i - 1]?.value : undefined;
        return [
          head,
          <div class="bar" key={item.series?.key ?? item.query.id}>
            <span class="name" title={item.name}>{item.name}</span>
            {panel.options?.unsized !== true && (!measured || fullOf(item) !== undefined) && <Track share={shareOf(item, fullOf(item) ?? most)} color={color} />}
            <span class="amount">
              <Figure item={item} /> <GoalMark item={item} />
              {panel.options?.change === "previous" && previous !== undefined && <span class="note"> {changeText(previous, item.value)}</span>}
              {item.query.note && <span class="note"> {item.query.note}</span>}
            </span>
          </div>,
        ];
      })}
      {(panel.missing ?? []).map((figure) => (
        <div class="bar" key={figure.title}><span class="name">{figure.title}</span><span class="note wide">{figure.why}</span></div>
      ))}
      {typeof panel.options?.total === "object" && panel.options.total !== null && <Total {...props} />}
    </div>
  );
}

// options.total: {"of": "A", "budget": "B"}: the sum of A's series, and its share of B.
function Total({ panel, data }: PanelProps) {
  const { of = "A", budget } = panel.options?.total as { of?: string; budget?: string };
  const frame = frameOf(data, of);
  if (!frame || frame.series.length === 0) return null;
  const sum = frame.series.reduce((all, series) => all + (lastValue(series) ?? 0), 0);
  const limit = budget === undefined ? undefined : lastValue(frameOf(data, budget)?.series[0]);
  const unit = frame.query.unit ?? panel.unit;
  return (
    <p class="total">
      Total: <strong>{formatValue(sum, unit, panel.decimals)}</strong>
      {limit !== undefined && limit > 0 && <span> / {formatValue(limit, unit, panel.decimals)} ({formatValue(sum / limit, "percentunit", 0)})</span>}
    </p>
  );
}

export const bars: PanelType = { type: "bars", height: 5, sizing: "flows", hasData: anySeries, newest: true, view: BarsView };
