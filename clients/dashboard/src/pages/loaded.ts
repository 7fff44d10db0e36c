// useLoaded: what a coded page asks the server for. The last answer stays while a newer one is awaited or fails.
import { useEffect, useState } from "preact/hooks";
import { demanded, now } from "../shell/state";

export interface Loaded<T> {
  value: T | undefined;
  error: string | undefined;
  // What was thrown, for who wants to know more than its words.
  failure?: unknown;
}

// Asks anew when `key` changes, at a refresh that a person asked for and, with `live`, at each.
export function useLoaded<T>(key: string, ask: (signal: AbortSignal) => Promise<T>, live = false): Loaded<T> {
  const [state, setState] = useState<Loaded<T> & { key: string }>({ value: undefined, error: undefined, key });
  const moment = live ? now.value : 0;
  useEffect(() => {
    const abort = new AbortController();
    ask(abort.signal).then(
      (value) => setState({ value, error: undefined, key }),
      (error: unknown) => {
        if (abort.signal.aborted) return;
        setState((before) => ({ value: before.key === key ? before.value : undefined, error: error instanceof Error ? error.message : String(error), failure: error, key }));
      },
    );
    return () => abort.abort();
  }, [key, demanded.value, moment]);
  return state;
}

// Refreshes of pages that count everything: not each five seconds.
export const SLOW_REFRESH = { range: { from: "now-1h", to: "now" }, refresh: 30 };
