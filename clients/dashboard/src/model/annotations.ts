// Annotations: what happened, as marks on the charts over time: of samples above zero, or of events.
import type { EventRow, Labels } from "../api";
import type { Series } from "./frames";
import type { Annotation, Panel, SeriesColor } from "./schema";
import { parseDuration } from "./time";

export interface Mark {
  // Seconds since 1970; equal for what has no length.
  start: number;
  end: number;
  title: string;
  text: string;
  tags: string[];
  color: SeriesColor | undefined;
  // Whose mark it is.
  of: Annotation;
}

const DEFAULT_STEP = 60;

export function stepOf(annotation: Annotation): number {
  return parseDuration(annotation.step ?? "") ?? DEFAULT_STEP;
}

function filled(template: string, labels: Labels): string {
  return template.replace(/\{\{\s*([\w.]+)\s*\}\}/g, (_, name: string) => (Object.hasOwn(labels, name) ? (labels[name] as string) : "")).trim();
}

function markOf(annotation: Annotation, labels: Labels, text: string, start: number, end: number): Mark {
  return {
    start, end, of: annotation, color: annotation.color,
    title: (annotation.title ? filled(annotation.title, labels) : "") || labels.alertname || (annotation.kind === "query" ? labels.__name__ : undefined) || annotation.name,
    text: annotation.text ? filled(annotation.text, labels) : text,
    tags: (annotation.tags ?? []).flatMap((name) => (Object.hasOwn(labels, name) ? [labels[name] as string] : [])),
  };
}

// `step`: what was asked with, in seconds. Samples at most so far apart are one stretch.
export function marksOfSeries(annotation: Annotation, all: readonly Series[], step: number): Mark[] {
  return all.flatMap((series) => {
    const times = annotation.timeOfValue
      ? [...new Set(series.values.flatMap((value) => (typeof value === "number" && Number.isFinite(value) ? [value / 1000] : [])))].sort((a, b) => a - b)
      : series.times.filter((_, i) => (series.values[i] ?? 0) > 0);
    const marks: Mark[] = [];
    for (const time of times) {
      const last = marks[marks.length - 1];
      if (last && !annotation.timeOfValue && time <= last.end + step * 1.01) last.end = time;
      else marks.push(markOf(annotation, series.labels, "", time, time));
    }
    return marks;
  });
}

export function marksOfEvents(annotation: Annotation, events: readonly EventRow[]): Mark[] {
  return events.map((event) => {
    const time = Number(event.time_ns) / 1e9;
    return markOf(annotation, { ...event.labels, text: event.text }, event.text, time, time);
  });
}

// Whether it is drawn on the panel. Copies of a repeated panel have its id before "~".
export function drawnOn(annotation: Annotation, panel: Panel): boolean {
  if (annotation.panels === undefined) return true;
  return annotation.panels.includes(panel.id.split("~")[0] as string) !== (annotation.except === true);
}

// Those at a moment, or within `reach` seconds of it, the nearest first.
export function marksAt(marks: readonly Mark[], time: number, reach: number): Mark[] {
  const distance = (mark: Mark) => Math.max(0, mark.start - time, time - mark.end);
  return marks.filter((mark) => distance(mark) <= reach).sort((a, b) => distance(a) - distance(b));
}
