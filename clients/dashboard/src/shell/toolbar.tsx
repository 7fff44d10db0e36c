// Toolbar: time range, refresh, zone, theme, and whether the server answers.
import { useEffect, useRef, useState } from "preact/hooks";
import { api } from "../api";
import { ageText, resolveRange, timeText, zoneName } from "../model/time";
import { toggleZone } from "./keys";
import { address, chooseTheme, go, now, range, refreshNow, refreshSeconds, setSpan, span, themeChoice, zone, type ThemeChoice } from "./state";
import "./toolbar.css";

const PRESETS: [string, string][] = [
  ["5m", "5 minutes"], ["15m", "15 minutes"], ["1h", "1 hour"], ["3h", "3 hours"], ["6h", "6 hours"], ["12h", "12 hours"], ["1d", "1 day"],
  ["2d", "2 days"], ["1w", "1 week"], ["2w", "2 weeks"], ["6w", "6 weeks"], ["90d", "90 days"], ["1y", "1 year"],
];

const REFRESHES: [number, string][] = [[0, "Off"], [1, "1 s"], [2, "2 s"], [5, "5 s"], [10, "10 s"], [30, "30 s"], [60, "1 min"], [300, "5 min"]];

function rangeText(): string {
  const { from, to } = range.value;
  const preset = to === "now" && PRESETS.find(([short]) => from === `now-${short}`);
  if (preset) return `Last ${preset[1]}`;
  if (from.startsWith("now-") && to === "now") return `Last ${from.slice(4)}`;
  if (from.startsWith("now") || to.startsWith("now")) return `${from} to ${to}`;
  return `${timeText(span.value.start, zone.value)} to ${timeText(span.value.end, zone.value)}`;
}

function localInput(seconds: number): string {
  return timeText(seconds, zone.value).replace(" ", "T");
}

function RangePicker() {
  const home = useRef<HTMLDetailsElement>(null);
  const [from, setFrom] = useState("");
  const [to, setTo] = useState("");
  const close = () => {
    if (home.current) home.current.open = false;
  };
  const apply = () => {
    const parse = (text: string) => {
      if (text.trim().startsWith("now")) return text.trim();
      const time = Date.parse(zone.value === "utc" ? `${text.trim().replace(" ", "T")}Z` : text.trim().replace(" ", "T"));
      return Number.isNaN(time) ? undefined : String(time);
    };
    const chosen = { from: parse(from), to: parse(to) };
    if (chosen.from === undefined || chosen.to === undefined) return;
    if (!resolveRange({ from: chosen.from, to: chosen.to }, Date.now() / 1000)) return;
    go(chosen);
    refreshNow();
    close();
  };
  return (
    <details class="picker" ref={home}
      onToggle={() => { setFrom(range.value.from.startsWith("now") ? range.value.from : localInput(span.value.start)); setTo(range.value.to.startsWith("now") ? range.value.to : localInput(span.value.end)); }}
      onKeyDown={(event) => { if (event.key === "Escape") close(); }}
      onBlur={(event) => { if (!home.current?.contains(event.relatedTarget as Node | null)) close(); }}>
      <summary class="control" data-range={`${range.value.from} ${range.value.to}`}>{rangeText()} <span class="zone">{zoneName(zone.value)}</span></summary>
      <div class="picker-list">
        <div class="presets">
          {PRESETS.map(([short, long]) => (
            <button key={short} class={range.value.from === `now-${short}` && range.value.to === "now" ? "chosen" : ""}
              onClick={() => { go({ from: `now-${short}`, to: "now" }); refreshNow(); close(); }}>{long}</button>
          ))}
        </div>
        <form onSubmit={(event) => { event.preventDefault(); apply(); }}>
          <label>From <input value={from} onInput={(event) => setFrom(event.currentTarget.value)} spellcheck={false} /></label>
          <label>To <input value={to} onInput={(event) => setTo(event.currentTarget.value)} spellcheck={false} /></label>
          <button type="submit">Show</button>
          <p class="note">now, now-6h, or 2024-01-15 14:32:18 ({zoneName(zone.value)})</p>
          <button type="button" class="link" onClick={toggleZone}>Times {zone.value === "utc" ? "as here" : "in UTC"}</button>
          {address.value.from !== undefined && <button type="button" class="link" onClick={() => { go({ from: undefined, to: undefined }); refreshNow(); close(); }}>The page's own range</button>}
        </form>
      </div>
    </details>
  );
}

function Health() {
  const [tick, setTick] = useState(0);
  const { lostAt, tries } = api.connection.state.value;
  useEffect(() => {
    if (lostAt === undefined) return;
    const timer = setInterval(() => setTick((n) => n + 1), 1000);
    return () => clearInterval(timer);
  }, [lostAt]);
  void tick;
  if (lostAt !== undefined) {
    return <span class="health is-bad" role="status" data-health="reconnecting">Reconnecting · no answer for {ageText((Date.now() - lostAt) / 1000)}{tries > 0 && ` · try ${tries + 1}`}</span>;
  }
  const paused = refreshSeconds.value === 0;
  return <span class={`health ${paused ? "is-warn" : ""}`} role="status" data-health={paused ? "paused" : "live"}>{paused ? "Paused · " : ""}as of {timeText(now.value / 1000, zone.value).slice(11)}</span>;
}

export function Toolbar({ title, onHelp }: { title: string; onHelp: () => void }) {
  const half = (span.value.end - span.value.start) / 2;
  const move = (by: number) => setSpan({ start: span.value.start + by, end: span.value.end + by });
  return (
    <header class="toolbar">
      <h1>{title}</h1>
      <Health />
      <div class="controls">
        <button class="control" title="Earlier (,)" aria-label="Earlier" onClick={() => move(-half)}>‹</button>
        <RangePicker />
        <button class="control" title="Later (.)" aria-label="Later" onClick={() => move(half)}>›</button>
        <button class="control" title="Refresh (r)" aria-label="Refresh now" onClick={refreshNow}>⟳</button>
        <select class="control" aria-label="Refresh every" title="Refresh every" value={refreshSeconds.value}
          onChange={(event) => go({ refresh: Number(event.currentTarget.value) }, true)}>
          {!REFRESHES.some(([seconds]) => seconds === refreshSeconds.value) && <option value={refreshSeconds.value}>{refreshSeconds.value} s</option>}
          {REFRESHES.map(([seconds, text]) => <option key={seconds} value={seconds}>{text}</option>)}
        </select>
        <select class="control" aria-label="Theme" title="Theme (t)" value={themeChoice.value} onChange={(event) => chooseTheme(event.currentTarget.value as ThemeChoice)}>
          <option value="system">System</option><option value="dark">Dark</option><option value="light">Light</option>
        </select>
        <button class="control" title="Keys (?)" aria-label="Keys" onClick={onHelp}>?</button>
      </div>
    </header>
  );
}
