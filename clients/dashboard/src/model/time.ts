// Time ranges as the address names them, steps, and times as text.

// A time of a range: "now", "now-6h", or milliseconds since 1970.
export type TimePoint = string;

export interface TimeRange {
  from: TimePoint;
  to: TimePoint;
}

// Seconds since 1970.
export interface Span {
  start: number;
  end: number;
}

const UNIT_SECONDS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800, y: 31_536_000 };

// "90s", "1h30m", "6w" in seconds; undefined when it is none.
export function parseDuration(text: string): number | undefined {
  if (!/^(\d+(?:\.\d+)?(?:ms|[smhdwy]))+$/.test(text)) return undefined;
  let seconds = 0;
  for (const [, count, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhdwy])/g)) {
    seconds += Number(count) * (unit === "ms" ? 0.001 : (UNIT_SECONDS[unit as string] ?? 0));
  }
  return seconds;
}

// The shortest text that parseDuration reads back, for whole seconds.
export function durationText(seconds: number): string {
  if (seconds > 0 && seconds < 1) return `${Math.round(seconds * 1000)}ms`;
  let rest = Math.round(seconds);
  let out = "";
  for (const unit of ["w", "d", "h", "m", "s"] as const) {
    const size = UNIT_SECONDS[unit] as number;
    const count = Math.floor(rest / size);
    if (count > 0) out += `${count}${unit}`;
    rest -= count * size;
  }
  return out || "0s";
}

// Seconds since 1970; undefined when the text names no time.
export function resolveTime(point: TimePoint, now: number): number | undefined {
  if (point === "now") return now;
  const relative = /^now([-+])(.+)$/.exec(point);
  if (relative) {
    const seconds = parseDuration(relative[2] as string);
    if (seconds === undefined) return undefined;
    return relative[1] === "-" ? now - seconds : now + seconds;
  }
  if (/^\d{1,16}$/.test(point)) return Number(point) / 1000;
  const absolute = Date.parse(point);
  return Number.isNaN(absolute) ? undefined : absolute / 1000;
}

export function resolveRange(range: TimeRange, now: number): Span | undefined {
  const start = resolveTime(range.from, now);
  const end = resolveTime(range.to, now);
  return start === undefined || end === undefined || start >= end ? undefined : { start, end };
}

// Whether a range moves with the time of day.
export function isMoving(range: TimeRange): boolean {
  return range.from.startsWith("now") || range.to.startsWith("now");
}

// Steps that people name, in seconds.
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800];

// The smallest of STEPS that is at least `least` and gives at most `points` of them in the span.
export function chooseStep(span: Span, points: number, least = 1): number {
  const wanted = Math.max(least, (span.end - span.start) / Math.max(points, 1));
  const named = STEPS.find((step) => step >= wanted);
  return named ?? Math.ceil(wanted / 86_400) * 86_400;
}

// Start and end on multiples of the step, so that points do not move as time goes on.
export function alignSpan(span: Span, step: number): Span {
  return { start: Math.floor(span.start / step) * step, end: Math.floor(span.end / step) * step };
}

// With a fixed step, from the end backwards: the newest point is of now, a week is the last seven days, and the first
// point is the end of the first whole step of the range.
export function alignToEnd(span: Span, step: number): Span {
  const steps = Math.floor((span.end - span.start) / step + 1e-9);
  return { start: span.end - Math.max(0, steps - 1) * step, end: span.end };
}

// How many points a chart asks for that is `width` CSS pixels wide: one for each two, in steps of 120, so that a small
// change of the width does not change what is drawn.
export function pointsFor(width: number): number {
  return Math.min(1200, Math.max(120, Math.round(width / 2 / 120) * 120));
}

// The window of $__rate_interval: at least four samples, at least a step and one sample.
export function rateInterval(step: number, scrape: number): number {
  return Math.max(step + scrape, 4 * scrape);
}

export type Zone = "browser" | "utc";

const formats = new Map<string, Intl.DateTimeFormat>();
// The ticks of twenty charts are the same few times.
const texts = new Map<string, string>();
const MOST_TEXTS = 5000;

function formatted(seconds: number, zone: Zone, kind: string, options: Intl.DateTimeFormatOptions): string {
  const key = `${zone} ${kind}`;
  const known = texts.get(`${key} ${seconds}`);
  if (known !== undefined) return known;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat("sv-SE", { ...options, hourCycle: "h23", ...(zone === "utc" ? { timeZone: "UTC" } : {}) });
    formats.set(key, format);
  }
  const text = format.format(seconds * 1000);
  if (texts.size >= MOST_TEXTS) texts.clear();
  texts.set(`${key} ${seconds}`, text);
  return text;
}

// "14:32:18"
export function clockText(seconds: number, zone: Zone): string {
  return formatted(seconds, zone, "clock", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
}

// "14:32"
export function minuteText(seconds: number, zone: Zone): string {
  return formatted(seconds, zone, "minute", { hour: "2-digit", minute: "2-digit" });
}

// "2024-01-15"
export function dayText(seconds: number, zone: Zone): string {
  return formatted(seconds, zone, "day", { year: "numeric", month: "2-digit", day: "2-digit" });
}

// "2024-01-15 14:32:18"
export function timeText(seconds: number, zone: Zone): string {
  return `${dayText(seconds, zone)} ${clockText(seconds, zone)}`;
}

// Minutes that local time is ahead of UTC at that time.
function offsetMinutes(seconds: number, zone: Zone): number {
  return zone === "utc" ? 0 : -new Date(seconds * 1000).getTimezoneOffset();
}

export function zoneName(zone: Zone): string {
  if (zone === "utc") return "UTC";
  const minutes = offsetMinutes(Date.now() / 1000, zone);
  if (minutes === 0) return "UTC";
  const size = Math.abs(minutes);
  const rest = size % 60;
  return `UTC${minutes < 0 ? "−" : "+"}${Math.floor(size / 60)}${rest ? `:${String(rest).padStart(2, "0")}` : ""}`;
}

const TICKS = [1, 5, 10, 15, 30, 60, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 1_209_600, 2_592_000];

// Times for the ticks of an axis, at most `most` of them: whole minutes, hours and days of the zone, across changes to
// and from summer time.
export function timeTicks(span: Span, most: number, zone: Zone): number[] {
  const step = TICKS.find((tick) => (span.end - span.start) / tick <= Math.max(most, 1)) ?? 31_536_000;
  const out: number[] = [];
  let at = span.start;
  while (out.length < 100) {
    const offset = offsetMinutes(at, zone) * 60;
    let tick = Math.ceil((at + offset) / step) * step - offset;
    // Behind a change of the offset the same local time lies elsewhere.
    const then = offsetMinutes(tick, zone) * 60;
    if (then !== offset && step > 3600) tick += offset - then;
    if (tick > span.end) break;
    if (tick >= span.start) out.push(tick);
    at = tick + Math.min(step, 3600) / 2 + (step > 3600 ? step / 2 : 0);
  }
  return out;
}

// What stands at a tick: a day where days differ, else a time.
export function tickText(seconds: number, spacing: number, zone: Zone): string {
  if (spacing >= 86_400) return dayText(seconds, zone).slice(5);
  if (clockText(seconds, zone) === "00:00:00") return dayText(seconds, zone).slice(5);
  return spacing < 60 ? clockText(seconds, zone) : minuteText(seconds, zone);
}

// "3 s ago", "2 min ago"
export function ageText(seconds: number): string {
  if (seconds < 90) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 129_600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}
