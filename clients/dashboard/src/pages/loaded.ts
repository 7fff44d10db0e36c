// useLoaded: what a coded page asks the server for. The last answer stays while a newer one is awaited or fails.
import { useEffect, useState } from "preact/hooks";
import { demanded, now } from "../shell/state";
import { useSteady } from "../shell/use_steady";

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
  const steady = useSteady();
  useEffect(() => {
    steady.ask(`${key} ${demanded.value}`, (signal) => ask(signal).then(
      (value) => { if (!signal.aborted) setState({ value, error: undefined, key }); },
      (error: unknown) => {
        if (signal.aborted) return;
        setState((before) => ({ value: before.key === key ? before.value : undefined, error: error instanceof Error ? error.message : String(error), failure: error, key }));
      },
    ));
  }, [key, demanded.value, moment]);
  return state;
}

// Refreshes of pages that count everything: not each five seconds.
export const SLOW_REFRESH = { range: { from: "now-1h", to: "now" }, refresh: 30 };
