// ImportReport: what becomes of each panel of a dashboard of Grafana.
import type { Imported, PanelReport } from "../../model/grafana/import";

const WORDS: Record<PanelReport["result"], { text: string; tone: string }> = {
  drawn: { text: "drawn", tone: "is-good" },
  differs: { text: "drawn, with differences", tone: "is-warn" },
  "not drawn": { text: "not drawn", tone: "is-bad" },
};

export function ImportReport({ imported }: { imported: Imported }) {
  const count = (result: PanelReport["result"]) => imported.panels.filter((panel) => panel.result === result).length;
  return (
    <>
      <p role="status">{imported.panels.length} panels: {count("drawn")} drawn, {count("differs")} with differences, {count("not drawn")} not drawn. The file is kept as it is and can be exported again.</p>
      {imported.remarks.length > 0 && <ul>{imported.remarks.map((remark) => <li key={remark}>{remark}</li>)}</ul>}
      <div class="grid-scroll bounded">
        <table>
          <thead><tr><th>Panel</th><th>Type</th><th>Result</th><th>Because</th></tr></thead>
          <tbody>
            {imported.panels.map((panel, i) => (
              <tr key={i} data-result={panel.result}>
                <td>{panel.title || "–"}</td><td>{panel.type}</td><td class={WORDS[panel.result].tone}>{WORDS[panel.result].text}</td><td>{panel.because.join("; ")}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
