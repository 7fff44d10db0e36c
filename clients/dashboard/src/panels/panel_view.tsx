// PanelView: the frame around a panel: title, menu, what it says without data, and its error and age when a query fails.
import { useSignal, type ReadonlySignal } from "@preact/signals";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { api } from "../api";
import { drawnOn, type Mark } from "../model/annotations";
import { panelSpan, rangeText } from "../model/panel_range";
import type { Panel } from "../model/schema";
import { ageText, isMoving, parseDuration, pointsFor, type Span } from "../model/time";
import { interpolateShown, type Values } from "../model/variables";
import { demanded, fixedLink, go, now, pageAddress, range, refreshSeconds, setSpan, span, theme, zone } from "../shell/state";
import { useSteady } from "../shell/use_steady";
import { DataTable } from "./data_table";
import { Links } from "./links";
import { panelType } from "./registry";
import { PanelSource } from "./source";
import { Still } from "./still";
import { Paragraphs } from "./text/text";
import { transformed } from "./transformed";
import "./panel_view.css";

interface Props {
  panel: Panel;
  // undefined until the variables are known.
  values: Values | undefined;
  // What happened, of the whole page.
  annotations: ReadonlySignal<Happened>;
  // Whether the panel fills the page.
  alone: boolean;
}

export interface Happened {
  marks: readonly Mark[];
  // What went wrong when they were asked for.
  error: string | undefined;
}

// Whether the element is on the screen or within a screen of it.
function useNear(): [preact.RefObject<HTMLElement>, boolean] {
  const home = useRef<HTMLElement>(null);
  const [near, setNear] = useState(false);
  useEffect(() => {
    const element = home.current;
    if (!element) return;
    const observer = new IntersectionObserver((entries) => setNear(entries.some((entry) => entry.isIntersecting)), { rootMargin: "100% 0px" });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [home, near];
}

const NO_VALUES: Values = {};
const LATE_SECONDS = 15;
// What stands for the newest value among the ways to make one number of a range.
const LAST: ReadonlySet<unknown> = new Set([undefined, "last", "lastNotNull"]);

// What a load depends on: equal texts need no other answer.
function momentOf(shown: Span, values: Values, points: number): string {
  return JSON.stringify([shown, values, points, demanded.value]);
}

// Names in the titles of single fields, as the reader sees them.
function named(panel: Panel, values: Values | undefined): Panel {
  if (!values || !panel.overrides?.some(({ set }) => set.title?.includes("$"))) return panel;
  return { ...panel, overrides: panel.overrides.map((one) => (one.set.title === undefined ? one : { ...one, set: { ...one.set, title: interpolateShown(one.set.title, values) } })) };
}

const NO_MARKS: readonly Mark[] = [];

export function PanelView({ panel: written, values, annotations, alone }: Props) {
  const type = panelType(written.type);
  const panel = useMemo(
    (): Panel => named({ ...written, ...(type?.queries ? { queries: type.queries(written) } : {}), ...(alone ? { width: 12, height: 14 } : {}) }, values),
    [written, alone, values],
  );
  // A panel that is edited keeps its data for as long as it asks the same.
  const source = useMemo(() => new PanelSource(panel, type?.newest === true && LAST.has(panel.options?.calc)), [JSON.stringify(panel.queries), type, panel.options?.calc]);
  const steady = useSteady();
  const [home, near] = useNear();
  const asTable = useSignal(false);
  const asked = useRef("");
  const askedAt = useRef(0);
  const points = Math.min(pointsFor(home.current?.clientWidth ?? 480), Number(panel.options?.points ?? Infinity));
  const page = span.value;
  const own = panel.last !== undefined || panel.earlier !== undefined;
  const moved = own ? panelSpan(panel, page, Math.floor(now.value / 1000)) : page;
  const shownSpan = useMemo(() => moved, [moved.start, moved.end]);
  const moment = values ? momentOf(shownSpan, values, points) : "";
  // What a reader chose: all but the time of day. What is chosen anew is asked for at once.
  const chosen = values ? JSON.stringify([values, points, demanded.value, range.value]) : "";
  const chosenBefore = useRef("");
  useEffect(() => {
    // Another source has asked nothing yet.
    asked.current = chosenBefore.current = "";
    return () => steady.stop();
  }, [source]);
  useEffect(() => {
    if (!near || !values || moment === asked.current || (panel.queries ?? []).length === 0) return;
    const every = parseDuration(panel.every ?? "") ?? 0;
    // What has nothing to show waits for its first data.
    const before = source.data.peek();
    const has = before.error === undefined && type?.hasData(before, panel) === true;
    if (has && chosen === chosenBefore.current && Date.now() - askedAt.current < every * 1000) return;
    steady.ask(chosen, (signal) => {
      asked.current = moment;
      askedAt.current = Date.now();
      chosenBefore.current = chosen;
      return source.load({ span: shownSpan, points, values }, signal).then(() => {
        // A failed answer is asked for again at the next refresh, also of a range that stands still.
        if (source.data.value.error !== undefined) asked.current = "";
      });
    });
  }, [near, moment, source]);

  const answer = source.data.value;
  const steps = panel.transformations;
  const data = useMemo(() => (steps && steps.length > 0 ? transformed(answer, steps) : answer), [answer, JSON.stringify(steps)]);
  const height = (panel.height ?? type?.height ?? 4) * 40;
  const idle = (panel.queries ?? []).length === 0;
  const waiting = !idle && data.loadedAt === 0;
  const empty = !waiting && !idle && type !== undefined && !type.hasData(data, panel);
  const shown = useRef(false);
  if (!waiting && !empty) shown.current = true;
  const stale = data.error !== undefined && data.at !== 0;
  // Answers that take longer than refreshes, without an error: what stands there is not of now, and says so.
  const age = (now.value - data.loadedAt) / 1000;
  const late = !stale && near && data.at !== 0 && refreshSeconds.value > 0 && isMoving(range.value) && age > Math.max(LATE_SECONDS, 3 * refreshSeconds.value, 2 * (parseDuration(panel.every ?? "") ?? 0));
  const View = type?.view;
  const happened = type?.annotated === true ? annotations.value.marks : NO_MARKS;
  const marks = useMemo(() => (happened.length === 0 ? NO_MARKS : happened.filter((mark) => drawnOn(mark.of, panel))), [happened, panel]);
  // A panel is rendered when the range moves and again when its answer comes. What is in its frame has changed with the answer alone.
  const drawn = data.loadedAt === 0 ? shownSpan : data.asked;
  const endsNow = range.value.to === "now" && panel.earlier === undefined;
  const refreshed = { at: idle ? now.value : 0, demanded: idle ? demanded.value : 0 };
  const props = { panel, data, span: drawn, endsNow, theme: theme.value, zone: zone.value, values: values ?? NO_VALUES, annotations: marks };
  const flip = () => { asTable.value = !asTable.value; };
  return (
    <section class="panel" ref={home} data-panel={panel.id} data-type={panel.type} data-wide={(panel.width ?? 4) > 7 ? "" : undefined} data-at={data.at || undefined} data-state={waiting ? "waiting" : empty ? "empty" : "shown"}
      style={{ "--span": panel.width ?? 4, minHeight: `${waiting && type?.sizing !== "flows" ? height + 38 : 96}px` }} aria-label={panel.title}>
      <header class="panel-head">
        <h3 title={panel.description}>{panel.title}</h3>
        {own && rangeText(panel) !== "" && <span class="panel-range">{rangeText(panel)}</span>}
        {late && <span class="panel-range" role="status">{ageText(age)} old</span>}
        {data.error !== undefined && (
          <span class="panel-error" role="status" title={data.error}>
            {stale && `${ageText(age)} old · `}{api.connection.lost ? "reconnecting" : data.error}
          </span>
        )}
        <Still of={[panel, values, asTable.value, data, alone]} draw={() => <Menu panel={panel} values={values} asTable={asTable.value} onTable={flip} exprs={data.frames.map((f) => f.expr)} alone={alone} error={data.error} />} />
      </header>
      <div class={`panel-body ${type?.sizing ?? "flows"}${stale ? " stale" : ""}`} style={{ "--height": `${height}px` }}>
        {View === undefined && <p class="note">This page does not know panels of type {panel.type}.</p>}
        {waiting && <p class="note quiet">…</p>}
        {empty && <Empty panel={panel} error={data.error} />}
        {View !== undefined && shown.current && (
          // Kept while there are no data: what a reader hid or sorted is as before when there are some again.
          <div class="panel-view" hidden={empty}>
            {asTable.value ? <DataTable data={data} label={panel.title} zone={zone.value} />
              : <Still of={[View, ...Object.values(props), refreshed.at, refreshed.demanded]} draw={() => <View {...props} refreshed={refreshed} onSpan={setSpan} />} />}
          </div>
        )}
      </div>
    </section>
  );
}

function Empty({ panel, error }: { panel: Panel; error: string | undefined }) {
  return (
    <div class="panel-empty">
      <p>{error ?? "No data."}</p>
      {panel.empty !== undefined && error === undefined && <Paragraphs text={panel.empty} />}
    </div>
  );
}

interface MenuProps {
  panel: Panel;
  values: Values | undefined;
  asTable: boolean;
  alone: boolean;
  exprs: string[];
  error: string | undefined;
  onTable: () => void;
}

function Menu({ panel, values, asTable, alone, exprs, error, onTable }: MenuProps) {
  const home = useRef<HTMLDetailsElement>(null);
  const [copied, setCopied] = useState(false);
  // What nobody has opened is not there: of twenty panels it was a fifth of a redraw.
  const [open, setOpen] = useState(false);
  const close = () => {
    if (home.current) home.current.open = false;
  };
  const queries = (panel.queries ?? []).filter((q) => ["instant", "range"].includes(q.mode ?? "instant"));
  const explore = !open ? "" : pageAddress("explore") + queries.map((q) => `&q=${encodeURIComponent(exprs[(panel.queries ?? []).indexOf(q)] ?? q.expr)}&db=${encodeURIComponent(q.db ?? "default")}`).join("");
  return (
    <details class="menu" ref={home} onToggle={(event) => setOpen(event.currentTarget.open)} onKeyDown={(event) => { if (event.key === "Escape") close(); }}
      onBlur={(event) => { if (!home.current?.contains(event.relatedTarget as Node | null)) close(); }}>
      <summary aria-label={`Menu of ${panel.title}`} title="Menu">⋯</summary>
      {open && <div class="menu-list">
        {queries.length > 0 && <button onClick={() => { onTable(); close(); }}>{asTable ? "Show as before" : "Show as table"}</button>}
        {queries.length > 0 && <a href={explore} onClick={(event) => { event.preventDefault(); close(); openAddress(explore); }}>Open in Explore</a>}
        <button onClick={() => { go({ panel: alone ? undefined : panel.id }); close(); }}>{alone ? "Back to the page" : "Fill the page"}</button>
        <button onClick={() => { void navigator.clipboard?.writeText(fixedLink()).then(() => setCopied(true)); }}>{copied ? "Copied" : "Copy link, times fixed"}</button>
        <Links links={panel.links} values={values} />
        {error !== undefined && <p class="note panel-fault">{error}</p>}
        {panel.description && <p class="note">{panel.description}</p>}
        {exprs.length > 0 && <div class="menu-exprs">{exprs.filter((e) => e).map((expr) => <code>{expr}</code>)}</div>}
      </div>}
    </details>
  );
}

function openAddress(search: string): void {
  history.pushState(null, "", `${location.pathname}${search}`);
  dispatchEvent(new PopStateEvent("popstate"));
}

