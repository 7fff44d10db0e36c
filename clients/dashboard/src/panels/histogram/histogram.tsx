// histogram: how often numbers of all series lie between round bounds. options: {"size": width of a bucket}, {"offset": where one begins}.
import { seriesColor } from "../../model/colors";
import { formatValue } from "../../model/units";
import "../figures/figure.css";
import { anySeries, type PanelProps, type PanelType } from "../panel_type";
import { bucketsOf } from "./buckets";
import "./histogram.css";

function HistogramView({ panel, data, theme }: PanelProps) {
  const values = data.frames.flatMap((frame) => frame.series.flatMap((series) => series.values)).filter((value): value is number => value !== null);
  const option = (name: string) => (typeof panel.options?.[name] === "number" ? (panel.options[name] as number) : undefined);
  const buckets = bucketsOf(values, option("size"), option("offset"));
  const most = Math.max(1, ...buckets.map((bucket) => bucket.count));
  const unit = panel.unit ?? data.frames[0]?.query.unit;
  const bound = (value: number | undefined) => (value === undefined ? "" : formatValue(value, unit, panel.decimals));
  const high = Math.max(80, (panel.height ?? histogram.height) * 40 - 40);
  return (
    <div class="histogram">
      <div class="histogram-bars" role="img" style={{ height: `${high}px` }}
        aria-label={`${panel.title}: ${buckets.filter((bucket) => bucket.count > 0).map((bucket) => `${bound(bucket.from)} to ${bound(bucket.to)}: ${bucket.count}`).join(", ")}`}>
        {buckets.map((bucket) => (
          <span key={bucket.from} title={`${bound(bucket.from)} to ${bound(bucket.to)}: ${bucket.count}`}><span style={{ height: `${(bucket.count / most) * 100}%`, background: seriesColor(0, theme) }} /></span>
        ))}
      </div>
      <div class="histogram-axis note" aria-hidden="true"><span>{bound(buckets[0]?.from)}</span><span>{bound(buckets[Math.floor(buckets.length / 2)]?.from)}</span><span>{bound(buckets[buckets.length - 1]?.to)}</span></div>
      <p class="note">{values.length} values, at most {most} in one of {buckets.length} buckets</p>
    </div>
  );
}

export const histogram: PanelType = { type: "histogram", height: 5, sizing: "flows", hasData: anySeries, view: HistogramView };
