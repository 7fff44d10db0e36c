// Explore: any PromQL, several queries, as graph, table or heat map. All of it is in the address.
import { useEffect, useRef, useState } from "preact/hooks";
import { api, ApiError, homeDatabase, type PlanNode } from "../../api";
import { emptyFrame, framesSeries, type Frame } from "../../model/frames";
import type { Mark } from "../../model/annotations";
import type { Panel, Query } from "../../model/schema";
import { alignSpan, chooseStep, pointsFor } from "../../model/time";
import { DataTable } from "../../panels/data_table";
import { resolveExpr, type PanelData } from "../../panels/source";
import { heatmap } from "../../panels/heatmap/heatmap";
import { timeseries } from "../../panels/timeseries/timeseries";
import { AddToDashboard } from "../saved/add_to_dashboard";
import { address, demanded, fixedLink, go, now, pageDefaults, range, recall, remember, setSpan, span, theme, zone } from "../../shell/state";
import { useSteady } from "../../shell/use_steady";
import type { Editor } from "./editor";
import { PlanTree } from "./plan_tree";
import { lastQueries, rememberQuery } from "./query_history";
import "./explore.css";

type View = "graph" | "table" | "heatmap";

interface Asked {
  expr: string;
  db: string;
  // Changes when the text was set by something else than typing: then alone the editor takes it over.
  revision: number;
}

interface Answered {
  frame: Frame | undefined;
  error: string | undefined;
  remarks: string[];
  plan: PlanNode | undefined;
  milliseconds: number;
}

// Nothing is marked on what is explored.
const NO_MARKS: readonly Mark[] = [];
const HISTORY = "tidemark.explore.history";

let revisions = 0;

function askedFromAddress(): Asked[] {
  const { q = [], db = [] } = address.value.rest;
  revisions += 1;
  return (q.length === 0 ? [""] : q).map((expr, i) => ({ expr, db: db[i] ?? homeDatabase, revision: revisions }));
}

// What of the queries stands in the address.
const textsOf = (queries: Asked[]) => JSON.stringify(queries.filter((q) => q.expr.trim() !== "").map((q) => [q.expr, q.db]));

// What is shown, as a panel of a dashboard; undefined without a query.
function asPanel(queries: Asked[], view: View): Omit<Panel, "id"> | undefined {
  const asked = queries.filter((query) => query.expr.trim() !== "");
  const first = asked[0];
  if (!first) return undefined;
  return {
    type: view === "graph" ? "timeseries" : view, title: first.expr.length > 60 ? `${first.expr.slice(0, 59)}…` : first.expr, width: 6, height: 6,
    queries: asked.map((query, i) => ({ id: String.fromCharCode(65 + (i % 26)), db: query.db, mode: view === "table" ? "instant" : "range", interval: "15s", expr: query.expr })),
  };
}

export function Explore() {
  useEffect(() => { pageDefaults.value = { range: { from: "now-1h", to: "now" }, refresh: 0 }; }, []);
  const inAddress = JSON.stringify(address.value.rest);
  const [queries, setQueries] = useState<Asked[]>(askedFromAddress);
  // Going back shows what was asked then. What the address has from here is in the editors already, or older than they are.
  const stored = useRef(textsOf(queries));
  useEffect(() => {
    const there = askedFromAddress();
    if (textsOf(there) === stored.current) return;
    stored.current = textsOf(there);
    setQueries(there);
  }, [inAddress]);
  const [databases, setDatabases] = useState<string[]>([]);
  const [answers, setAnswers] = useState<Answered[]>([]);
  const view = ((address.value.rest.view ?? ["graph"])[0] ?? "graph") as View;
  const [busy, setBusy] = useState(false);
  const [asked, setAsked] = useState(0);
  const [data, setData] = useState<PanelData>();
  const home = useRef<HTMLDivElement>(null);
  const steady = useSteady();

  useEffect(() => {
    api.databases().then((rows) => setDatabases(rows.map((row) => row.database)), () => undefined);
  }, []);

  const store = (next: Asked[], how: View = view) => {
    const set = next.filter((query) => query.expr.trim() !== "");
    stored.current = textsOf(next);
    go({ rest: { ...(set.length > 0 ? { q: set.map((s) => s.expr), db: set.map((s) => s.db) } : {}), ...(how === "graph" ? {} : { view: [how] }) } });
  };
  const run = (next: Asked[] = queries) => {
    store(next);
    for (const query of next) if (query.expr.trim() !== "") remember(HISTORY, rememberQuery(recall(HISTORY), query.expr));
    setAsked((n) => n + 1);
  };

  useEffect(() => {
    const wanted = askedFromAddress().filter((query) => query.expr.trim() !== "");
    if (wanted.length === 0) {
      steady.stop();
      setBusy(false);
      setAnswers([]);
      setData(undefined);
      return;
    }
    const shown = span.value;
    const step = chooseStep(shown, pointsFor(home.current?.clientWidth ?? 900));
    const aligned = alignSpan(shown, step);
    const one = async (query: Asked, i: number, signal: AbortSignal): Promise<Answered> => {
      const id = String.fromCharCode(65 + (i % 26));
      const spec: Query = { id, expr: query.expr, db: query.db, mode: view === "table" ? "instant" : "range", interval: "15s" };
      const expr = resolveExpr(spec, {}, shown, step);
      const began = performance.now();
      try {
        const at = view === "table" ? { time: shown.end } : { ...aligned, step };
        const { data: result, plan, warnings, infos } = await api.explain(query.db, expr, at, signal);
        const frame = { ...emptyFrame(spec, expr), series: framesSeries(result, spec) };
        return { frame, error: undefined, remarks: [...warnings, ...infos], plan, milliseconds: performance.now() - began };
      } catch (error) {
        return { frame: undefined, error: error instanceof ApiError && error.kind === "aborted" ? "" : error instanceof Error ? error.message : String(error), remarks: [], plan: undefined, milliseconds: performance.now() - began };
      }
    };
    // A slow answer is shown although it is time for the next.
    steady.ask(JSON.stringify([inAddress, asked, range.value, demanded.value]), async (signal) => {
      setBusy(true);
      const all = await Promise.all(wanted.map((query, i) => one(query, i, signal)));
      if (signal.aborted) return;
      setBusy(false);
      setAnswers(all);
      const frames = all.flatMap((a) => a.frame ?? []);
      const failed = all.every((a) => a.frame === undefined);
      // What was there stays when nothing new came.
      setData((before) => (failed && before ? { ...before, error: all[0]?.error } : { frames, at: shown.end, asked: shown, span: aligned, step, loadedAt: Date.now(), error: undefined }));
    });
  }, [inAddress, asked, span.value.start, span.value.end, demanded.value]);

  const panel: Panel = { id: "explore", type: view, title: "Result", height: 9, queries: [], options: { legend: "table", most: 100 } };
  const props = data && { panel, data, span: span.value, refreshed: { at: now.value, demanded: demanded.value }, endsNow: range.value.to === "now", theme: theme.value, zone: zone.value, onSpan: setSpan, values: {}, annotations: NO_MARKS };
  const series = data?.frames.reduce((sum, frame) => sum + frame.series.length, 0) ?? 0;
  return (
    <div class="explore" ref={home}>
      <datalist id="databases">{databases.map((name) => <option key={name} value={name} />)}</datalist>
      {queries.map((query, i) => (
        <QueryRow key={i} letter={String.fromCharCode(65 + (i % 26))} query={query} answer={answers[i]} alone={queries.length === 1}
          onChange={(next) => setQueries((before) => before.map((old, j) => (j === i ? next : old)))}
          onRun={(expr) => { const next = queries.map((old, j) => (j === i ? { ...old, expr } : old)); setQueries(next); run(next); }}
          onRemove={() => {
            revisions += 1;
            const next = queries.filter((_, j) => j !== i).map((old) => ({ ...old, revision: revisions }));
            setQueries(next);
            run(next);
          }} />
      ))}
      <div class="explore-actions">
        <button class="control primary" onClick={() => run()}>Run</button>
        <button class="control" onClick={() => setQueries((before) => [...before, { expr: "", db: before[before.length - 1]?.db ?? homeDatabase, revision: 0 }])}>Add a query</button>
        <span class="tabs" role="group" aria-label="View">
          {(["graph", "table", "heatmap"] as const).map((name) => (
            <button key={name} class="control" aria-pressed={view === name} onClick={() => store(queries, name)}>{name === "heatmap" ? "Heat map" : name === "graph" ? "Graph" : "Table"}</button>
          ))}
        </span>
        <button class="control" onClick={() => void navigator.clipboard?.writeText(fixedLink())}>Copy link, times fixed</button>
        <AddToDashboard panel={asPanel(queries, view)} />
        <span class="note" role="status">{busy ? "asking …" : data && answers.some((a) => a.frame) ? `${series} series, ${Math.round(Math.max(...answers.map((a) => a.milliseconds)))} ms` : ""}</span>
      </div>
      <section class={`panel explore-result${data?.error ? " stale" : ""}`} aria-label="Result" data-series={series} style={{ "--span": 12 }}>
        {!props && <p class="note">Write a query and press Enter. Completion knows this database's metrics, labels and values.</p>}
        {props && series === 0 && <p class="note">{answers.length > 0 && answers.every((answer) => answer.frame === undefined) ? "Nothing was answered; what went wrong stands above." : "No series answers this in the chosen range."}</p>}
        {props && series > 0 && view === "graph" && <timeseries.view {...props} />}
        {props && series > 0 && view === "heatmap" && <heatmap.view {...props} />}
        {props && series > 0 && view === "table" && <DataTable data={props.data} label="Result" zone={zone.value} />}
      </section>
      {answers.map((answer, i) => answer.plan && (
        <details key={i} class="panel plan" style={{ "--span": 12 }}>
          <summary>How {String.fromCharCode(65 + (i % 26))} was answered</summary>
          <PlanTree node={answer.plan} />
        </details>
      ))}
    </div>
  );
}

interface RowProps {
  letter: string;
  query: Asked;
  answer: Answered | undefined;
  alone: boolean;
  onChange: (next: Asked) => void;
  onRun: (expr: string) => void;
  onRemove: () => void;
}

function QueryRow({ letter, query, answer, alone, onChange, onRun, onRemove }: RowProps) {
  const home = useRef<HTMLDivElement>(null);
  const editor = useRef<Editor>();
  const latest = useRef({ query, onChange, onRun });
  latest.current = { query, onChange, onRun };
  const position = useRef(-1);
  useEffect(() => {
    let gone = false;
    void import("./editor").then(({ makeEditor }) => {
      if (gone || !home.current) return;
      editor.current = makeEditor(home.current, latest.current.query.expr, `Query ${letter}`, {
        db: () => latest.current.query.db,
        onText: (expr) => latest.current.onChange({ ...latest.current.query, expr }),
        onRun: () => latest.current.onRun(editor.current?.text() ?? latest.current.query.expr),
        onHistory: (by) => {
          const known = lastQueries(recall(HISTORY));
          position.current = Math.min(known.length - 1, Math.max(-1, position.current - by));
          return position.current < 0 ? "" : known[position.current];
        },
      });
      home.current.dataset.ready = "";
    });
    return () => {
      gone = true;
      editor.current?.destroy();
    };
  }, []);
  useEffect(() => { editor.current?.setText(query.expr); }, [query.revision]);
  useEffect(() => { editor.current?.showError(answer?.error); }, [answer]);
  return (
    <div class="query-row" data-query={letter}>
      <label class="query-db">{letter} <input class="field" list="databases" aria-label={`Database of query ${letter}`} value={query.db} spellcheck={false}
        onChange={(event) => onChange({ ...query, db: event.currentTarget.value })} /></label>
      <div class="query-editor" ref={home} />
      {!alone && <button class="control" aria-label={`Remove query ${letter}`} title="Remove" onClick={onRemove}>×</button>}
      {answer?.error && <p class="query-error is-bad" role="alert">{answer.error}</p>}
      {answer && answer.remarks.length > 0 && <p class="query-error is-warn">{answer.remarks.join(" · ")}</p>}
    </div>
  );
}
