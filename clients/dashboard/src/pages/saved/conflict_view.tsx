// ConflictView: two people changed one dashboard. Both sides, panel by panel, and ways on that lose neither.
import type { Change, Difference } from "../../model/conflict";
import type { Panel } from "../../model/schema";

const WORDS: Record<Change, string> = { same: "as it was", added: "added", changed: "changed", removed: "removed" };

interface Props {
  difference: Difference;
  // Who saved the other version; undefined where that is not known.
  author: string | undefined;
  onMerge: () => void;
  onOverwrite: () => void;
  onKeepCopy: () => void;
  onBack: () => void;
}

// The keys of which two panels differ, with their values.
function differingKeys(mine: Panel | undefined, theirs: Panel | undefined): [string, string, string][] {
  const keys = [...new Set([...Object.keys(mine ?? {}), ...Object.keys(theirs ?? {})])] as (keyof Panel)[];
  const text = (value: unknown) => (value === undefined ? "–" : JSON.stringify(value));
  return keys.filter((key) => JSON.stringify(mine?.[key]) !== JSON.stringify(theirs?.[key])).map((key) => [key, text(mine?.[key]), text(theirs?.[key])]);
}

export function ConflictView({ difference, author, onMerge, onOverwrite, onKeepCopy, onBack }: Props) {
  return (
    <section class="panel conflict" aria-label="Two changes at once" style={{ "--span": 12 }} data-conflict="">
      <h3>{author ? `"${author}"` : "Somebody"} saved this dashboard while you were editing it</h3>
      <p>{difference.merged
        ? "You changed different things: both can be kept together."
        : `Both of you changed the same${difference.settings.length > 0 ? ` (${difference.settings.join(", ")})` : " panel"}. Nothing has been lost: choose which goes on under this name.`}</p>
      <div class="grid-scroll">
        <table>
          <thead><tr><th>Panel</th><th>Yours</th><th>Theirs</th></tr></thead>
          <tbody>
            {difference.panels.map((panel) => (
              <tr key={panel.id} data-panel-difference={panel.id} class={panel.conflict ? "is-warn" : ""}>
                <td>{panel.title}</td><td>{WORDS[panel.mine]}</td><td>{WORDS[panel.theirs]}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {difference.panels.filter((panel) => panel.conflict).map((panel) => (
        <details key={panel.id} open>
          <summary>{panel.title}, key by key</summary>
          <div class="grid-scroll">
            <table>
              <thead><tr><th>Key</th><th>Yours</th><th>Theirs</th></tr></thead>
              <tbody>{differingKeys(panel.myPanel, panel.theirPanel).map(([key, mine, theirs]) => <tr key={key}><td>{key}</td><td><code>{mine}</code></td><td><code>{theirs}</code></td></tr>)}</tbody>
            </table>
          </div>
        </details>
      ))}
      <div class="form-actions">
        {difference.merged && <button class="control primary" onClick={onMerge}>Save both together</button>}
        <button class="control" onClick={onKeepCopy}>Save mine as a copy</button>
        <button class="control" onClick={onOverwrite} title="Theirs stays in the history">Save mine over theirs</button>
        <button class="control" onClick={onBack}>Go on editing</button>
      </div>
    </section>
  );
}
