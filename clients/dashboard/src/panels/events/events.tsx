// events: string points, newest first. A query with "follow": true gets new ones pushed while the page is seen.
import { useEffect, useState } from "preact/hooks";
import { api, homeDatabase, type EventRow } from "../../api";
import type { ColorName } from "../../model/schema";
import { clockText, dayText } from "../../model/time";
import type { PanelProps, PanelType } from "../panel_type";
import { shownEvents } from "./event_list";
import "./events.css";

const LEVELS: Record<string, { color: ColorName; word: string }> = {
  error: { color: "bad", word: "ERROR" },
  critical: { color: "bad", word: "CRIT" },
  warning: { color: "warn", word: "WARN" },
  warn: { color: "warn", word: "WARN" },
  resolved: { color: "good", word: "RESOLVED" },
  info: { color: "dim", word: "INFO" },
};

const KEPT = 500;

// What came since `loadedAt` asked last. The browser reconnects by itself; what was missed meanwhile comes with the next
// refresh of the panel.
function useFollowed(db: string, match: string | undefined): { events: EventRow[]; live: boolean } {
  const [events, setEvents] = useState<EventRow[]>([]);
  const [live, setLive] = useState(false);
  useEffect(() => {
    if (match === undefined) return;
    let source: EventSource | undefined;
    const open = () => {
      source?.close();
      source = undefined;
      setLive(false);
      // A stream holds one of the few connections that a browser has for a server: pages that are not seen give it back.
      if (document.hidden) return;
      source = new EventSource(api.eventsUrl(db, match));
      source.onopen = () => setLive(true);
      source.onerror = () => setLive(false);
      source.onmessage = (message: MessageEvent<string>) => {
        try {
          const event = JSON.parse(message.data) as EventRow;
          setEvents((before) => [...before, event].slice(-KEPT));
        } catch {
          // A line that was cut short comes whole with the next refresh.
        }
      };
    };
    open();
    document.addEventListener("visibilitychange", open);
    return () => {
      document.removeEventListener("visibilitychange", open);
      source?.close();
    };
  }, [db, match]);
  return { events, live };
}

function EventsView({ panel, data, span, zone }: PanelProps) {
  const followed = data.frames.find((frame) => frame.query.follow);
  const { events, live } = useFollowed(followed?.query.db ?? homeDatabase, followed?.expr);
  const limit = data.frames[0]?.query.limit ?? 100;
  const moving = Math.abs(Date.now() / 1000 - span.end) < 60;
  const shown = shownEvents([...data.frames.flatMap((frame) => frame.events), ...(moving ? events : [])], limit);
  const today = dayText(Date.now() / 1000, zone);
  return (
    <div class="events">
      {followed && <p class={`note live-mark ${live ? "is-good" : "is-dim"}`}>{live ? "● Live" : "○ Not following"}</p>}
      <ol class="event-list" tabIndex={0} aria-label={panel.title}>
        {shown.map((event) => {
          const level = Object.hasOwn(LEVELS, event.level) ? LEVELS[event.level] : undefined;
          const fraction = String(Math.floor((event.time % 1) * 1000)).padStart(3, "0");
          const day = dayText(event.time, zone);
          return (
            <li key={event.key}>
              <time dateTime={new Date(event.time * 1000).toISOString()}>{day === today ? "" : `${day.slice(5)} `}{clockText(event.time, zone)}.{fraction}</time>
              {level && level.word !== "INFO" && <span class={`level is-${level.color}`}>{level.word}</span>}
              {event.source && <span class="note">{event.source}</span>}
              <span class="event-text">{event.text}</span>
            </li>
          );
        })}
      </ol>
      {shown.length === 0 && <p class="note">Nothing happened in this range.</p>}
    </div>
  );
}

export const events: PanelType = {
  type: "events",
  height: 7,
  sizing: "fills",
  hasData: (data, panel) => data.frames.some((frame) => frame.events.length > 0) || (panel.queries ?? []).some((query) => query.follow === true && data.at > 0 && panel.empty === undefined),
  view: EventsView,
};
