// EditFrame: what stands around a panel while its dashboard is edited: moving, sizing, changing, taking away; by mouse, by
// touch and by keys.
import { useRef, useState } from "preact/hooks";
import { COLUMNS, movePanelBefore, nudgePanel, removePanel, resizePanel } from "../../model/edit";
import type { Dashboard, Panel } from "../../model/schema";

const ROW_PIXELS = 40;
const DEFAULT_WIDTH = 4;
const DEFAULT_HEIGHT = 6;
const DRAG_TYPE = "application/x-tidemark-panel";

interface Props {
  panel: Panel;
  // Changes the dashboard.
  onChange: (change: (dashboard: Dashboard) => Dashboard) => void;
  onEdit: () => void;
  children: preact.ComponentChildren;
}

export function EditFrame({ panel, onChange, onEdit, children }: Props) {
  const home = useRef<HTMLDivElement>(null);
  const [over, setOver] = useState(false);
  const width = panel.width ?? DEFAULT_WIDTH;
  const height = panel.height ?? DEFAULT_HEIGHT;
  const size = (w: number, h: number) => onChange((dashboard) => resizePanel(dashboard, panel.id, w, h));
  const resize = (event: PointerEvent) => {
    const grip = event.currentTarget as HTMLElement;
    const column = (home.current?.parentElement?.clientWidth ?? 1200) / COLUMNS;
    const from = { x: event.clientX, y: event.clientY };
    event.preventDefault();
    grip.setPointerCapture(event.pointerId);
    const move = (next: PointerEvent) => size(width + (next.clientX - from.x) / column, height + (next.clientY - from.y) / ROW_PIXELS);
    const end = () => {
      grip.removeEventListener("pointermove", move);
      grip.removeEventListener("pointerup", end);
      grip.removeEventListener("pointercancel", end);
    };
    grip.addEventListener("pointermove", move);
    grip.addEventListener("pointerup", end);
    grip.addEventListener("pointercancel", end);
  };
  return (
    <div class={`edit-frame${over ? " over" : ""}`} ref={home} style={{ "--span": width }} data-edit={panel.id}
      onDragOver={(event) => { if (event.dataTransfer?.types.includes(DRAG_TYPE)) { event.preventDefault(); setOver(true); } }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        setOver(false);
        const moved = event.dataTransfer?.getData(DRAG_TYPE);
        if (!moved) return;
        event.preventDefault();
        onChange((dashboard) => movePanelBefore(dashboard, moved, panel.id));
      }}>
      <div class="edit-bar" role="group" aria-label={`Edit ${panel.title}`}>
        <span class="edit-handle" draggable title="Drag to another place" aria-hidden="true"
          onDragStart={(event) => {
            event.dataTransfer?.setData(DRAG_TYPE, panel.id);
            if (home.current) event.dataTransfer?.setDragImage(home.current, 10, 10);
          }}>⠿</span>
        <button class="control" aria-label={`Move ${panel.title} back`} title="Back" onClick={() => onChange((d) => nudgePanel(d, panel.id, -1))}>‹</button>
        <button class="control" aria-label={`Move ${panel.title} on`} title="On" onClick={() => onChange((d) => nudgePanel(d, panel.id, 1))}>›</button>
        <button class="control" aria-label={`Narrower ${panel.title}`} title="Narrower" onClick={() => size(width - 1, height)}>−</button>
        <button class="control" aria-label={`Wider ${panel.title}`} title="Wider" onClick={() => size(width + 1, height)}>+</button>
        <button class="control" onClick={onEdit} aria-label={`Change ${panel.title}`}>Change</button>
        <button class="control" onClick={() => onChange((d) => removePanel(d, panel.id))} aria-label={`Remove ${panel.title}`}>Remove</button>
      </div>
      {children}
      <span class="edit-grip" title="Drag to size" aria-hidden="true" onPointerDown={resize} />
    </div>
  );
}
