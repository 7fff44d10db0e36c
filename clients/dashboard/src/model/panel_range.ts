// The range that a panel shows: the page's, or its own.
import type { Panel } from "./schema";
import { durationText, parseDuration, type Span } from "./time";

// `page`: what the page shows; `now`: seconds since 1970.
export function panelSpan(panel: Panel, page: Span, now: number): Span {
  const last = parseDuration(panel.last ?? "");
  const earlier = parseDuration(panel.earlier ?? "") ?? 0;
  const span = last === undefined || last <= 0 ? page : { start: now - last, end: now };
  return earlier === 0 ? span : { start: span.start - earlier, end: span.end - earlier };
}

// What its head says of that; empty where it shows the page's, or is told not to say.
export function rangeText(panel: Panel): string {
  if (panel.rangeHidden) return "";
  const last = parseDuration(panel.last ?? "");
  const earlier = parseDuration(panel.earlier ?? "");
  return [last ? `last ${durationText(last)}` : "", earlier ? `${durationText(earlier)} earlier` : ""].filter((one) => one !== "").join(", ");
}
