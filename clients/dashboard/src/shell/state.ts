// The state that all of the page shares: address, theme, time. Everything else belongs to who shows it.
import { computed, effect, signal } from "@preact/signals";
import { api } from "../api";
import type { Theme } from "../model/colors";
import { isMoving, resolveRange, type Span, type TimeRange, type Zone } from "../model/time";
import { formatAddress, parseAddress, type Address } from "./address";
import { recall, remember } from "./kept";

export { recall, remember } from "./kept";

export const address = signal<Address>(parseAddress(location.search));

// What the page that is shown asks for where the address says nothing.
export const pageDefaults = signal<{ range: TimeRange; refresh: number }>({ range: { from: "now-15m", to: "now" }, refresh: 5 });

export const range = computed<TimeRange>(() => ({
  from: address.value.from ?? pageDefaults.value.range.from,
  to: address.value.to ?? pageDefaults.value.range.to,
}));
export const refreshSeconds = computed(() => address.value.refresh ?? pageDefaults.value.refresh);
export const zone = computed<Zone>(() => address.value.zone ?? "browser");

// Milliseconds of Date.now() at the last refresh. Counts only as a moment to evaluate at, so that all panels of a page
// speak of the same time.
export const now = signal(Date.now());
// Counts refreshes that a person asked for: those ask again even where nothing can have changed.
export const demanded = signal(0);

export const span = computed<Span>(() => {
  const seconds = Math.floor(now.value / 1000);
  return resolveRange(range.value, seconds) ?? { start: seconds - 900, end: seconds };
});

// Changes the address. `replace`: going back skips it.
export function go(change: Partial<Address>, replace = false): void {
  const next = { ...address.value, ...change };
  const search = formatAddress(next);
  if (search !== formatAddress(address.value)) {
    history[replace ? "replaceState" : "pushState"](null, "", `${location.pathname}${search}`);
  }
  address.value = next;
}

// The address of a page, with the range that the reader chose.
export function pageAddress(page: string): string {
  const { from, to, refresh, zone: tz, variables } = address.value;
  return formatAddress({ page, from, to, refresh, zone: tz, panel: undefined, variables, rest: {} });
}

export function setSpan(chosen: Span): void {
  go({ from: String(Math.round(chosen.start * 1000)), to: String(Math.round(chosen.end * 1000)) });
}

// The present address with its times fixed: what somebody else sees with it does not depend on when they look.
export function fixedLink(): string {
  const fixed = { ...address.value, from: String(span.value.start * 1000), to: String(span.value.end * 1000) };
  return `${location.origin}${location.pathname}${formatAddress(fixed)}`;
}

addEventListener("popstate", () => {
  address.value = parseAddress(location.search);
});

// Theme: the system's, unless the reader chose another.
export type ThemeChoice = "system" | Theme;
const dark = matchMedia("(prefers-color-scheme: dark)");
const systemTheme = signal<Theme>(dark.matches ? "dark" : "light");
dark.addEventListener("change", () => {
  systemTheme.value = dark.matches ? "dark" : "light";
});

const chosen = recall("tidemark.theme");
export const themeChoice = signal<ThemeChoice>(chosen === "dark" || chosen === "light" ? chosen : "system");
export const theme = computed<Theme>(() => (themeChoice.value === "system" ? systemTheme.value : themeChoice.value));
effect(() => {
  document.documentElement.dataset.theme = theme.value;
});
export function chooseTheme(choice: ThemeChoice): void {
  themeChoice.value = choice;
  remember("tidemark.theme", choice);
}

// The clock of refreshes. Hidden pages and lost servers are not asked; both are asked at once when they are back.
let timer: ReturnType<typeof setTimeout> | undefined;

export function refreshNow(): void {
  demanded.value += 1;
  now.value = Date.now();
}

function schedule(): void {
  clearTimeout(timer);
  if (refreshSeconds.value === 0 || document.hidden || api.connection.lost) return;
  timer = setTimeout(() => {
    if (isMoving(range.value)) now.value = Date.now();
    schedule();
  }, refreshSeconds.value * 1000);
}

export function startClock(): void {
  effect(() => {
    // Both are read so that a change of either schedules anew.
    void refreshSeconds.value;
    void api.connection.state.value.lostAt;
    schedule();
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && refreshSeconds.value > 0) now.value = Date.now();
    schedule();
  });
  api.connection.onBack(() => {
    now.value = Date.now();
    schedule();
  });
}
