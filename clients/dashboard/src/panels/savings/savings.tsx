// savings: the goals file's formulas, with the numbers they were computed from. The server computes them.
import { useEffect, useState } from "preact/hooks";
import { api, homeDatabase } from "../../api";
import { framesSeries, lastValue } from "../../model/frames";
import { goalFile } from "../../model/goal_file";
import { substitute } from "../../model/goals";
import { formatValue } from "../../model/units";
import type { PanelProps, PanelType } from "../panel_type";
import { anySeries } from "../panel_type";
import "../figures/figure.css";
import "./savings.css";

function SavingsView({ data }: PanelProps) {
  const [results, setResults] = useState<Record<string, number | undefined>>({});
  const numbers: Record<string, number | undefined> = { ...goalFile.prices };
  for (const frame of data.frames) numbers[frame.query.id] = lastValue(frame.series[0]);
  for (const { name, as } of goalFile.savings) if (as !== undefined) numbers[as] = results[name];
  const rows = goalFile.savings.map((saving) => ({ saving, text: substitute(saving.formula, numbers) }));
  const asked = rows.map((row) => row.text ?? "").join("\n");
  useEffect(() => {
    let current = true;
    for (const { saving, text } of rows) {
      if (text === undefined) continue;
      api.batch.query(homeDatabase, text, data.at)
        .then((answer) => {
          const value = lastValue(framesSeries(answer, { id: "A", expr: text })[0]);
          if (current) setResults((before) => ({ ...before, [saving.name]: value }));
        })
        // The panel's own error says that the server is away; the last result stays.
        .catch(() => undefined);
    }
    return () => {
      current = false;
    };
  }, [asked]);
  return (
    <dl class="savings">
      {rows.map(({ saving, text }) => (
        <div key={saving.name}>
          <dt>{saving.name}</dt>
          <dd><span class="figure" data-saving={saving.name}>{text === undefined ? "–" : formatValue(results[saving.name], saving.unit, saving.unit === "%" ? 0 : undefined)}</span></dd>
          <dd class="formula"><code>{saving.formula}</code>{text !== undefined && <> = <code>{text}</code></>}{text === undefined && <span> has no data for one of its values</span>}</dd>
        </div>
      ))}
    </dl>
  );
}

export const savings: PanelType = {
  type: "savings",
  height: 7,
  sizing: "flows",
  hasData: anySeries,
  queries: () => goalFile.values.map((value) => ({ id: value.name, db: value.db, expr: value.expr })),
  view: SavingsView,
};
