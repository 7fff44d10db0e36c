// events: string points, newest first. A query with "follow": true gets new ones pushed while the page is seen.
import { useEffect, useRef, useState } from "preact/hooks";
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

// What came since the panel was answered, of the time up to `until`, seconds since 1970. The browser reconnects by itself. A stream has what happens
// while it is open: what was missed before, or while the page was not seen, is asked for when it opens, also where nothing refreshes the panel.
function useFollowed(db: string, match: string | undefined, until: number): { events: EventRow[]; live: boolean } {
  const answered = useRef(until);
  answered.current = until;
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
      const mine = source;
      const add = (more: EventRow[]) => setEvents((before) => [...before, ...more].slice(-KEPT));
      source.onopen = () => {
        setLive(true);
        // Before the first answer there is nothing to go on from, and that answer has it all.
        if (answered.current <= 0) return;
        api.batch.events(db, match, answered.current, undefined, KEPT).then((missed) => { if (source === mine) add(missed); }, () => undefined);
      };
      source.onerror = () => setLive(false);
      source.onmessage = (message: MessageEvent<string>) => {
        try {
          add([JSON.parse(message.data) as EventRow]);
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

function EventsView({ panel, data, span, endsNow, zone }: PanelProps) {
  const followed = data.frames.find((frame) => frame.query.follow);
  const { events, live } = useFollowed(followed?.query.db ?? homeDatabase, followed?.expr, data.at === 0 ? 0 : data.asked.end);
  const limit = data.frames[0]?.query.limit ?? 100;
  // A range that ends elsewhere has no place for what happens now. One that ends now has, however long ago it was refreshed.
  const pushed = endsNow ? events.filter((event) => Number(event.time_ns) / 1e9 >= span.start) : [];
  const shown = shownEvents([...data.frames.flatMap((frame) => frame.events), ...pushed], limit);
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
