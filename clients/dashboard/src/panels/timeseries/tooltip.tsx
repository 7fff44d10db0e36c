// Tooltip: the values at the cursor, largest first, beside it and never under it. It scrolls when it is pinned.
interface Row {
  key: string;
  name: string;
  color: string;
  value: number | null;
  text: string;
}

// Something that happened.
interface Happened {
  title: string;
  text: string;
  tags: readonly string[];
  color: string;
  when: string;
}

const SHOWN = 12;
const MARKS_SHOWN = 4;

interface TooltipProps {
  at: { left: number; top: number };
  width: number;
  title: string;
  rows: Row[];
  marks: Happened[];
  pinned: boolean;
}

export function Tooltip({ at, width, title, rows, marks, pinned }: TooltipProps) {
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
      {marks.slice(0, pinned ? marks.length : MARKS_SHOWN).map((mark, i) => (
        <div class="tooltip-mark" key={i} style={{ borderColor: mark.color }}>
          <b>{mark.title}</b> <span class="note">{mark.when}</span>
          {mark.text !== "" && mark.text !== mark.title && <div>{mark.text}</div>}
          {mark.tags.length > 0 && <div class="note">{mark.tags.join(" · ")}</div>}
        </div>
      ))}
      {!pinned && marks.length > MARKS_SHOWN && <div class="note">and {marks.length - MARKS_SHOWN} more that happened</div>}
      {sorted.length === 0 && <div class="note">no sample</div>}
    </div>
  );
}
