// Colours of series and of states. Series colours are told apart by people with any of the common colour blindnesses
// (after Okabe and Ito, 2008), with at least 3:1 against the panel in either theme.
import type { ColorName, Mapping, Threshold } from "./schema";
import { patternOf } from "./tables/columns";

export type Theme = "light" | "dark";

const SERIES: Record<Theme, readonly string[]> = {
  dark: ["#4cc9b8", "#f0a43a", "#6ea8fe", "#f2789f", "#b6d957", "#b794f6", "#ff8a65", "#5fd3f3", "#e8d44d", "#a8b3c7"],
  light: ["#0b7f76", "#b85c00", "#2f62c9", "#b02a65", "#5b7a00", "#7442c4", "#c0392b", "#0077a3", "#8a6d00", "#566176"],
};

const STATES: Record<Theme, Record<ColorName, string>> = {
  dark: { good: "#4ccf8e", warn: "#f0b13a", bad: "#ff7a70", info: "#6ea8fe", dim: "#8f9bb0", accent: "#4cc9b8" },
  light: { good: "#0f7a45", warn: "#96600a", bad: "#c0322b", info: "#2f62c9", dim: "#5d687c", accent: "#0b7f76" },
};

export function seriesColor(index: number, theme: Theme): string {
  const colors = SERIES[theme];
  return colors[index % colors.length] as string;
}

export function stateColor(name: ColorName, theme: Theme): string {
  return STATES[theme][name];
}

// Black or white with `amount` of the way (0 to 1) from the panel's ground to the accent, for heat maps.
export function heatColor(amount: number, theme: Theme): string {
  const clamped = Math.min(1, Math.max(0, amount));
  const stops: readonly (readonly [number, number, number])[] =
    theme === "dark"
      ? [[28, 36, 50], [27, 94, 110], [44, 168, 136], [190, 206, 76], [255, 214, 102]]
      : [[240, 244, 248], [167, 219, 211], [62, 160, 170], [44, 96, 150], [52, 30, 96]];
  const at = clamped * (stops.length - 1);
  const low = stops[Math.floor(at)] as readonly [number, number, number];
  const high = stops[Math.ceil(at)] as readonly [number, number, number];
  const part = at - Math.floor(at);
  const mixed = low.map((c, i) => Math.round(c + ((high[i] as number) - c) * part));
  return `rgb(${mixed.join(",")})`;
}

// The colour of the highest threshold that the value has reached.
export function thresholdColor(value: number | null | undefined, thresholds: Threshold[] | undefined): ColorName | undefined {
  if (value === null || value === undefined || Number.isNaN(value) || !thresholds) return undefined;
  let found: ColorName | undefined;
  for (const threshold of [...thresholds].sort((a, b) => (a.from ?? -Infinity) - (b.from ?? -Infinity))) {
    if (threshold.from === null || value >= threshold.from) found = threshold.color;
  }
  return found;
}

type Shown = number | string | boolean | null | undefined;

function isSpecial(special: Mapping["special"], value: Shown): boolean {
  const none = value === null || value === undefined;
  const nan = typeof value === "number" && Number.isNaN(value);
  switch (special) {
    case "null": return none;
    case "nan": return nan;
    case "null+nan": return none || nan;
    case "empty": return value === "";
    case "true": return value === true;
    case "false": return value === false;
    case undefined: return false;
  }
}

function maps(mapping: Mapping, value: Shown): boolean {
  if (mapping.special !== undefined) return isSpecial(mapping.special, value);
  if (value === null || value === undefined) return false;
  if (mapping.value !== undefined) return mapping.value === value || String(mapping.value) === String(value);
  if (mapping.pattern !== undefined) return patternOf(mapping.pattern)?.test(String(value)) === true;
  if (mapping.from === undefined && mapping.to === undefined) return false;
  return typeof value === "number" && value >= (mapping.from ?? -Infinity) && value <= (mapping.to ?? Infinity);
}

// The first that speaks of the value.
export function mappingOf(value: Shown, mappings: Mapping[] | undefined): Mapping | undefined {
  return mappings?.find((mapping) => maps(mapping, value));
}

// "#rrggbb" as it is, a name as the theme has it; undefined for what is neither.
export function fixedColor(color: string | undefined, theme: Theme): string | undefined {
  if (color === undefined) return undefined;
  if (/^#[\da-f]{6}$/i.test(color)) return color;
  return Object.hasOwn(STATES[theme], color) ? STATES[theme][color as ColorName] : undefined;
}
