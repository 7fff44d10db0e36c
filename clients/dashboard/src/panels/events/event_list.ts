// Lists of events: those of an answer and those that came since, each once, with the level that came beside it.
import type { EventRow } from "../../api";

export interface ShownEvent {
  key: string;
  // Seconds since 1970.
  time: number;
  text: string;
  level: string;
  source: string;
}

const LEVEL_FIELD = /_level$/;

function identity(event: EventRow): string {
  const labels = Object.entries(event.labels).filter(([name]) => name !== "__name__").sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([String(event.time_ns), labels]);
}

// What an event is about, in the word that its labels have for it.
function sourceOf({ labels }: EventRow): string {
  const what = labels.component ?? labels.host ?? "";
  return labels.alertname === undefined ? what : `${labels.alertname}${what ? ` ${what}` : ""}`;
}

// Newest first, at most `most`. A text whose measurement has a field `level` at the same time gets that.
export function shownEvents(events: EventRow[], most: number): ShownEvent[] {
  const levels = new Map<string, string>();
  for (const event of events) if (LEVEL_FIELD.test(event.labels.__name__ ?? "")) levels.set(identity(event), event.text);
  const seen = new Set<string>();
  const out: ShownEvent[] = [];
  for (const event of events) {
    const name = event.labels.__name__ ?? "";
    if (LEVEL_FIELD.test(name)) continue;
    const key = `${identity(event)} ${name} ${event.text}`;
    if (seen.has(key)) continue;
    seen.add(key);
    out.push({
      key, time: Number(event.time_ns) / 1e9, text: event.text, level: levels.get(identity(event)) ?? "info",
      source: sourceOf(event),
    });
  }
  return out.sort((a, b) => b.time - a.time).slice(0, most);
}
