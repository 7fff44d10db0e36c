// Keys for all that the toolbar does, and the list of them.
import { useEffect, useRef } from "preact/hooks";
import { PAGES } from "../pages/registry";
import { chooseTheme, go, refreshNow, refreshSeconds, setSpan, span, theme } from "./state";

const KEYS: [string, string][] = [
  ["g, then a number or letter", `pages: ${PAGES.map((page, i) => `${keyOf(i)} ${page.title}`).join(", ")}`],
  ["r", "refresh now"],
  ["p", "pause, and go on"],
  ["←, → with alt held", "go back and forward, as the browser does"],
  [", and .", "earlier and later by half of the range"],
  ["- and +", "twice and half of the range"],
  ["t", "dark or light"],
  ["u", "times in UTC or as here"],
  ["on a chart: ←, →, enter", "read values, pin them"],
  ["?", "this list"],
];

function keyOf(index: number): string {
  return index < 9 ? String(index + 1) : "abcdefgh".charAt(index - 9);
}

function shift(part: number): void {
  const { start, end } = span.value;
  setSpan({ start: start + (end - start) * part, end: end + (end - start) * part });
}

function scale(by: number): void {
  const { start, end } = span.value;
  const middle = (start + end) / 2;
  const half = Math.max(2, ((end - start) * by) / 2);
  setSpan({ start: middle - half, end: middle + half });
}

export function useKeys(onHelp: () => void): void {
  useEffect(() => {
    let goes = false;
    const press = (event: KeyboardEvent) => {
      const target = event.composedPath()[0] as HTMLElement;
      if (event.ctrlKey || event.metaKey || event.altKey || target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName)) return;
      if (goes) {
        goes = false;
        const page = PAGES.find((_, i) => keyOf(i) === event.key);
        if (page) go({ page: page.id, panel: undefined, rest: {} });
        return;
      }
      switch (event.key) {
        case "g": goes = true; break;
        case "r": refreshNow(); break;
        case "p": go({ refresh: refreshSeconds.value === 0 ? undefined : 0 }, true); break;
        case ",": shift(-0.5); break;
        case ".": shift(0.5); break;
        case "-": scale(2); break;
        case "+": case "=": scale(0.5); break;
        case "t": chooseTheme(theme.value === "dark" ? "light" : "dark"); break;
        case "u": toggleZone(); break;
        case "?": onHelp(); break;
        default: return;
      }
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
}

export function toggleZone(): void {
  const utc = new URLSearchParams(location.search).get("tz") === "utc";
  go({ zone: utc ? undefined : "utc" }, true);
}

export function Help({ onClose }: { onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => { dialog.current?.showModal(); }, []);
  return (
    <dialog ref={dialog} class="help" onClose={onClose} aria-label="Keys">
      <h2>Keys</h2>
      <dl>{KEYS.map(([key, what]) => <div key={key}><dt><kbd>{key}</kbd></dt><dd>{what}</dd></div>)}</dl>
      <button onClick={() => dialog.current?.close()}>Close</button>
    </dialog>
  );
}
