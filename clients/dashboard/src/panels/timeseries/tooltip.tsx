// Tooltip: the values at the cursor, largest first, beside it and never under it. It scrolls when it is pinned.
interface Row {
  key: string;
  name: string;
  color: string;
  value: number | null;
  text: string;
}

const SHOWN = 12;

interface TooltipProps {
  at: { left: number; top: number };
  width: number;
  title: string;
  rows: Row[];
  pinned: boolean;
}

export function Tooltip({ at, width, title, rows, pinned }: TooltipProps) {
  const sorted = rows.filter((row) => row.value !== null).sort((a, b) => (b.value ?? 0) - (a.value ?? 0));
  const shown = pinned ? sorted : sorted.slice(0, SHOWN);
  const onLeft = at.left > width / 2;
  return (
    <div class={`tooltip${pinned ? " pinned" : ""}`} aria-live="polite"
      style={onLeft ? { right: `${width - at.left + 14}px` } : { left: `${at.left + 14}px` }}>
      <div class="note">{title}{pinned && " · pinned"}</div>
      {shown.map((row) => (
        <div class="tooltip-row" key={row.key}>
          <span class="swatch" style={{ background: row.color }} /><span class="entry-name">{row.name}</span><em>{row.text}</em>
        </div>
      ))}
      {sorted.length > shown.length && <div class="note">{sorted.length - shown.length} more; a click pins this and shows them</div>}
      {sorted.length === 0 && <div class="note">no sample</div>}
    </div>
  );
}
