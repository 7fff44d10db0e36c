// Annotations of a page: asked with each refresh, once for all its charts, and the switches that put them on and off. The address says which are on
// where somebody chose: mark=NAME for each, or mark= for none.
import { effect, signal, type ReadonlySignal, type Signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { api, homeDatabase } from "../api";
import { marksOfEvents, marksOfSeries, stepOf, type Mark } from "../model/annotations";
import { emptyFrame, framesSeries } from "../model/frames";
import { FILTERS, withFilters } from "../model/filters";
import type { Annotation, Dashboard, Query } from "../model/schema";
import { Steady } from "../model/steady";
import { alignSpan, chooseStep, type Span } from "../model/time";
import { interpolate, type Values } from "../model/variables";
import type { Happened } from "../panels/panel_view";
import { builtIns } from "../panels/source";
import { address, demanded, go, range, span } from "../shell/state";

const CHOSEN = "mark";
const MOST_EVENTS = 500;
// Steps of a range at most, as many as a wide chart has.
const POINTS = 600;
const NOTHING: Happened = { marks: [], error: undefined };

// Whether it is drawn.
export function isOn(annotation: Annotation, chosen: readonly string[] | undefined): boolean {
  return chosen === undefined || annotation.hidden ? annotation.off !== true : chosen.includes(annotation.name);
}

async function ask(annotation: Annotation, values: Values, shown: Span): Promise<Mark[]> {
  const db = interpolate(annotation.db ?? homeDatabase, values);
  // Finer than what is one stretch, where nothing says otherwise: what has just begun is there at the next refresh.
  const step = chooseStep(shown, POINTS, annotation.step === undefined ? 1 : stepOf(annotation));
  const query: Query = { id: annotation.name, expr: annotation.expr, interval: `${Math.max(1, Math.round(stepOf(annotation)))}s` };
  const expr = interpolate(annotation.expr, { ...values, ...builtIns(query, shown, step) });
  if (annotation.kind === "events") return marksOfEvents(annotation, await api.batch.events(db, expr, shown.start, shown.end, MOST_EVENTS));
  const { start, end } = alignSpan(shown, step);
  const filters = values[FILTERS];
  const asked = typeof filters === "object" ? withFilters(expr, filters.list) : expr;
  return marksOfSeries(annotation, framesSeries(await api.batch.queryRange(db, asked, start, end, step), emptyFrame(query, asked).query), Math.max(step, stepOf(annotation)));
}

// What happened in the range that is shown; nothing before the variables are known.
export function useAnnotations(dashboard: Dashboard, values: Values | undefined): ReadonlySignal<Happened> {
  const happened: Signal<Happened> = useMemo(() => signal(NOTHING), []);
  useEffect(() => {
    const all = dashboard.annotations ?? [];
    if (all.length === 0 || !values) {
      happened.value = NOTHING;
      return undefined;
    }
    const steady = new Steady();
    const stop = effect(() => {
      const shown = span.value;
      void demanded.value;
      const on = all.filter((one) => isOn(one, address.value.rest[CHOSEN]));
      if (on.length === 0) {
        steady.stop();
        happened.value = NOTHING;
        return;
      }
      const chosen = JSON.stringify([on.map((one) => one.name), range.value, demanded.value]);
      steady.ask(chosen, (signal) => Promise.allSettled(on.map((one) => ask(one, values, shown))).then((answers) => {
        if (signal.aborted) return;
        const failed = answers.find((answer) => answer.status === "rejected") as PromiseRejectedResult | undefined;
        const marks = answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
        // What was there stays when nothing new comes.
        happened.value = failed ? { marks: marks.length > 0 ? marks : happened.peek().marks, error: failed.reason instanceof Error ? failed.reason.message : String(failed.reason) } : { marks, error: undefined };
      }));
    });
    return () => {
      steady.stop();
      stop();
    };
  }, [JSON.stringify(dashboard.annotations ?? []), values]);
  return happened;
}

export function AnnotationSwitches({ annotations, marks }: { annotations: Annotation[]; marks: ReadonlySignal<Happened> }) {
  const chosen = address.value.rest[CHOSEN];
  const on = annotations.filter((one) => isOn(one, chosen)).map((one) => one.name);
  const { marks: all, error } = marks.value;
  const choose = (name: string) => {
    const next = on.includes(name) ? on.filter((one) => one !== name) : [...on, name];
    go({ rest: { ...address.value.rest, [CHOSEN]: next.length > 0 ? next : [""] } });
  };
  return (
    <span class="annotation-switches" role="group" aria-label="Marks on the charts">
      {annotations.map((one) => (
        <label key={one.name}><input type="checkbox" checked={on.includes(one.name)} onChange={() => choose(one.name)} /> {one.name}{on.includes(one.name) && <span class="note"> {all.filter((mark) => mark.of.name === one.name).length}</span>}</label>
      ))}
      {error !== undefined && <span class="is-warn note" role="status">What happened could not be had: {error}</span>}
    </span>
  );
}
