// silences: who has silenced which alerts until when and why; makes and ends them. It takes no queries, and asks anew with each
// refresh of the page.
import { useEffect, useRef, useState } from "preact/hooks";
import { api, type Silence } from "../../api";
import { parseDuration, timeText } from "../../model/time";
import { recall, remember } from "../../shell/kept";
import { useSteady } from "../../shell/use_steady";
import "../figures/figure.css";
import type { PanelProps, PanelType } from "../panel_type";
import { Grid, textCell } from "../table/grid";
import { matchersText, parseMatchers } from "./matchers";
import { wantedMatchers } from "./open_silence";
import "./silences.css";

const AUTHOR = "tidemark.author";
const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

// Who is signed in; on a server that asks nobody, who wrote the last one here.
function author(): string {
  const who = api.session.who.value;
  return who?.tokens ? who.name : (recall(AUTHOR) ?? "");
}

// The dialog in which one is written; `done` when it is there or is not wanted any more.
function Form({ begun, onDone }: { begun: string; onDone: (made: boolean) => void }) {
  const home = useRef<HTMLDialogElement>(null);
  const [matchers, setMatchers] = useState(begun);
  const [length, setLength] = useState("2h");
  const [who, setWho] = useState(author());
  const [comment, setComment] = useState("");
  const [error, setError] = useState<string>();
  useEffect(() => { home.current?.showModal(); }, []);
  const make = async () => {
    const read = parseMatchers(matchers);
    const seconds = parseDuration(length.trim());
    if ("fault" in read) return setError(read.fault);
    if (seconds === undefined || seconds <= 0) return setError(`"${length}" is no length of time: write 30m, 2h or 3d.`);
    if (who.trim() === "" || comment.trim() === "") return setError("Who silences it, and why? Others will want to know.");
    try {
      const now = Date.now();
      await api.alerting.silence({ matchers: read.matchers, startsAt: new Date(now).toISOString(), endsAt: new Date(now + seconds * 1000).toISOString(), createdBy: who.trim(), comment: comment.trim() });
      remember(AUTHOR, who.trim());
      onDone(true);
    } catch (failure) {
      setError(messageOf(failure));
    }
  };
  return (
    <dialog class="help silence-form" ref={home} aria-label="Silence alerts" onClose={() => onDone(false)}>
      <form onSubmit={(event) => { event.preventDefault(); void make(); }}>
        <h2>Silence alerts</h2>
        <label>Alerts that match <textarea rows={3} spellcheck={false} value={matchers} onInput={(event) => setMatchers(event.currentTarget.value)} placeholder={'alertname="NAME", host=~"web.*"'} /></label>
        <label>For <input class="field" value={length} onInput={(event) => setLength(event.currentTarget.value)} list="silence-lengths" /></label>
        <datalist id="silence-lengths">{["30m", "1h", "2h", "8h", "1d", "1w"].map((one) => <option key={one} value={one} />)}</datalist>
        <label>By <input class="field" value={who} readOnly={api.session.who.value?.tokens === true} onInput={(event) => setWho(event.currentTarget.value)} /></label>
        <label>Why <input class="field" value={comment} onInput={(event) => setComment(event.currentTarget.value)} /></label>
        {error && <p class="is-bad" role="alert">{error}</p>}
        <div class="form-actions"><button class="control primary" type="submit">Silence</button><button class="control" type="button" onClick={() => home.current?.close()}>Not now</button></div>
      </form>
    </dialog>
  );
}

const ORDER = ["active", "pending", "expired"];
const WORD: Record<Silence["status"]["state"], { text: string; color: string }> = { active: { text: "silent", color: "warn" }, pending: { text: "begins later", color: "info" }, expired: { text: "ended", color: "dim" } };

function SilencesView({ panel, refreshed, zone }: PanelProps) {
  const [list, setList] = useState<Silence[]>();
  const [error, setError] = useState<string>();
  const [ended, setEnded] = useState(false);
  const [turn, setTurn] = useState(0);
  const again = () => setTurn((n) => n + 1);
  const steady = useSteady();
  // What is silenced now, whatever range is shown.
  useEffect(() => {
    steady.ask(`${refreshed.demanded} ${turn}`, (signal) => api.alerting.silences(signal).then((all) => { if (!signal.aborted) { setList(all); setError(undefined); } }, (failure: unknown) => { if (!signal.aborted) setError(messageOf(failure)); }));
  }, [refreshed.at, refreshed.demanded, turn]);
  const shown = (list ?? []).filter((one) => ended || one.status.state !== "expired")
    .sort((a, b) => ORDER.indexOf(a.status.state) - ORDER.indexOf(b.status.state) || Date.parse(b.endsAt) - Date.parse(a.endsAt));
  const gone = (list ?? []).length - (list ?? []).filter((one) => one.status.state !== "expired").length;
  const time = (text: string) => timeText(Date.parse(text) / 1000, zone);
  return (
    <div class="silences">
      <p class="silences-bar">
        <button class="control" onClick={() => (wantedMatchers.value = "")}>Silence alerts …</button>
        {gone > 0 && <label class="note"><input type="checkbox" checked={ended} onChange={() => setEnded(!ended)} /> {gone} that ended</label>}
        {error && <span class="is-bad" role="alert">{error}</span>}
      </p>
      {list && shown.length === 0 && <p class="note">Nothing is silenced.</p>}
      {shown.length > 0 && (
        <Grid label={panel.title} stacks
          columns={[{ id: "state", title: "State" }, { id: "what", title: "Alerts" }, { id: "why", title: "Why" }, { id: "who", title: "By" }, { id: "until", title: "Until" }, { id: "end", title: "" }]}
          rows={shown.map((one) => ({
            key: one.id,
            cells: [
              { sort: one.status.state, view: <span class={`is-${WORD[one.status.state].color}`}>{WORD[one.status.state].text}</span> },
              { sort: matchersText(one.matchers), view: <code>{matchersText(one.matchers)}</code> }, textCell(one.comment), textCell(one.createdBy), { sort: Date.parse(one.endsAt), view: time(one.endsAt) },
              { sort: "", view: one.status.state === "expired" ? "" : <button class="link" aria-label={`End the silence of ${matchersText(one.matchers)}`} onClick={() => void api.alerting.endSilence(one.id).then(again, (failure: unknown) => setError(messageOf(failure)))}>End</button> },
            ],
          }))} />
      )}
      {wantedMatchers.value !== undefined && <Form key={wantedMatchers.value} begun={wantedMatchers.value} onDone={(made) => { wantedMatchers.value = undefined; if (made) again(); }} />}
    </div>
  );
}

export const silences: PanelType = { type: "silences", height: 4, sizing: "flows", hasData: () => true, view: SilencesView };
