// Units: how a number is shown. A unit is one row of units.json, which the terminal monitor reads too; a name that has no row is put behind the number
// as it is. units_cases.json has what each shows: this file and the monitor's are held to it.
import table from "./units.json";

type Way = "share" | "signed" | "duration" | "rate" | "money" | "grouped" | "hex" | "sci" | "date" | "ago";

export interface Unit {
  // What is multiplied with, and divided by, before it is shown; 100 for shares that are shown as percent.
  factor?: number;
  per?: number;
  // The name of a row of scales: prefixes by powers of its base, smallest first.
  scale?: string;
  front?: string;
  behind?: string;
  // Of zero, and of all else.
  words?: string[];
  // Other than a plain number, between what stands in front and behind.
  way?: Way;
}

export const UNITS: Record<string, Unit> = table.units as Record<string, Unit>;
const SCALES: Record<string, { base: number; names: string[] }> = table.scales;

function duration(seconds: number, decimals: number | undefined): string {
  const size = Math.abs(seconds);
  if (size === 0) return "0 s";
  if (size < 1e-6) return number(seconds * 1e9, decimals) + " ns";
  if (size < 1e-3) return number(seconds * 1e6, decimals) + " µs";
  if (size < 1) return number(seconds * 1e3, decimals) + " ms";
  if (size < 120) return number(seconds, decimals) + " s";
  if (size < 7200) return number(seconds / 60, decimals) + " min";
  if (size < 172_800) return number(seconds / 3600, decimals) + " h";
  return number(seconds / 86_400, decimals) + " d";
}

// Of a share that is nearly whole.
const MOST_PLACES = 5;

const WAYS: Record<Way, (value: number, decimals: number | undefined, unit: Unit) => string> = {
  share, signed, duration,
  rate: (v, d) => (Math.abs(v) >= 100 ? grouped(v, 0) : number(v, d)),
  money: (v, d) => grouped(v, d ?? (Math.abs(v) < 100 ? 2 : 0)),
  grouped: (v, d) => grouped(v, d ?? 0),
  hex: (v) => Math.round(v).toString(16).toUpperCase(),
  sci: (v, d) => v.toExponential(d ?? 2),
  date: dateText,
  ago: (v) => ageText(Date.now() / 1000 - v),
};

function dateText(seconds: number): string {
  const date = new Date(Math.floor(seconds) * 1000);
  // As far as the server's nanoseconds go.
  return !(Math.abs(seconds) < 9_214_646_400) ? "–" : date.toISOString().replace("T", " ").slice(0, 19);
}

function ageText(seconds: number): string {
  return seconds >= 0 ? `${duration(seconds, 0)} ago` : `in ${duration(-seconds, 0)}`;
}

function number(value: number, decimals: number | undefined): string {
  const size = Math.abs(value);
  if (decimals !== undefined) {
    // What is not nothing is not shown as nothing.
    const least = 10 ** -decimals;
    return value !== 0 && size < least / 2 ? `<${least.toFixed(decimals)}` : value.toFixed(decimals);
  }
  if (size === 0 || Number.isInteger(value)) return size < 1e15 ? String(value) : value.toExponential(2);
  if (size >= 100) return value.toFixed(0);
  if (size >= 10) return trim(value.toFixed(1));
  if (size >= 1) return trim(value.toFixed(2));
  if (size >= 0.001) return trim(value.toPrecision(size < 0.1 ? 2 : 3));
  return value.toExponential(1);
}

function trim(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

// What is not whole is not shown as whole: 99.99 of 100 is a goal, and 100 is none that anybody reaches.
function share(percent: number, decimals: number | undefined): string {
  const text = number(percent, decimals);
  if (decimals !== undefined || Math.abs(percent) >= 100 || Math.abs(Number(text)) !== 100) return text;
  for (let places = 2; places <= MOST_PLACES; places++) if (Math.abs(Number(percent.toFixed(places))) !== 100) return percent.toFixed(places);
  return text;
}

function signed(value: number, decimals: number | undefined): string {
  const text = number(Math.abs(value), decimals ?? (Math.abs(value) >= 10 ? 0 : 1));
  // What is next to nothing has no direction.
  return text.startsWith("<") ? text : (value < 0 ? "−" : "+") + text;
}

function grouped(value: number, decimals: number): string {
  const [whole = "", part] = Math.abs(value).toFixed(decimals).split(".");
  return (value < 0 ? "−" : "") + whole.replace(/\B(?=(\d{3})+$)/g, ",") + (part ? `.${part}` : "");
}

// The number with its unit: "1.2 GiB", "34 ms", "91.2 %". Without decimals, three digits or so. "–" for nothing.
export function formatValue(value: number | null | undefined, unit = "short", decimals?: number): string {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "+∞" : "−∞";
  const row = Object.hasOwn(UNITS, unit) ? UNITS[unit] : undefined;
  if (!row) return `${number(value, decimals)} ${unit}`.trim().replace(/^-/, "−");
  if (row.words) return row.words[value === 0 ? 0 : 1] as string;
  let scaled = (value * (row.factor ?? 1)) / (row.per ?? 1);
  let name = "";
  const scale = row.scale === undefined ? undefined : SCALES[row.scale];
  if (scale) {
    const { base, names } = scale;
    let power = 0;
    // 999.9996 is shown as 1000, so that the next prefix takes it.
    while (power < names.length - 1 && Math.abs(scaled) >= base * 0.9995) {
      scaled /= base;
      power += 1;
    }
    name = names[power] ?? "";
  }
  // A sign stands in front of everything: −$5, −0xFF.
  const text = row.way === undefined ? number(scaled, decimals) : WAYS[row.way](scaled, decimals, row);
  const sign = /^[-−]/.test(text) ? "−" : "";
  return `${sign}${row.front ?? ""}${sign === "" ? text : text.slice(1)}${name}${row.behind ?? ""}`;
}

// Whether ticks of an axis of this unit go by powers of 1024.
export function isBinary(unit: string): boolean {
  const scale = Object.hasOwn(UNITS, unit) ? UNITS[unit]?.scale : undefined;
  return scale !== undefined && SCALES[scale]?.base === 1024;
}
