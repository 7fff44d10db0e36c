// Units: how a number is shown. A unit is one row of UNITS; a name that has no row is put behind the number as it is.

export interface Unit {
  // What is multiplied with before it is shown; 100 for shares that are shown as percent.
  factor?: number;
  // Prefixes by powers of `base`: smallest first, beginning with the power `first` (default 0).
  scale?: { base: number; names: string[]; first?: number };
  suffix?: string;
  prefix?: string;
  // In place of all above.
  format?: (value: number, decimals: number | undefined) => string;
}

const IEC = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
const SI = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
const SHORT = ["", " K", " M", " B", " T"];
const COUNTED = ["", "k", "M", "G", "T"];
const per = (names: string[], what: string) => names.map((name) => `${name}${what}`);

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

const counted = (what: string): Unit => ({ scale: { base: 1000, names: COUNTED.map((prefix) => ` ${prefix}${what}`) } });

export const UNITS: Record<string, Unit> = {
  none: {},
  short: { scale: { base: 1000, names: SHORT } },
  percent: { format: (v, d) => share(v, d) + " %" },
  percentunit: { format: (v, d) => share(v * 100, d) + " %" },
  change: { factor: 100, suffix: " %", format: (v, d) => signed(v * 100, d) + " %" },
  changepercent: { format: (v, d) => signed(v, d) + " %" },
  s: { format: duration },
  ms: { format: (v, d) => duration(v / 1e3, d) },
  us: { format: (v, d) => duration(v / 1e6, d) },
  ns: { format: (v, d) => duration(v / 1e9, d) },
  bytes: { scale: { base: 1024, names: per(IEC, "").map((n) => ` ${n}`) } },
  decbytes: { scale: { base: 1000, names: per(SI, "").map((n) => ` ${n}`) } },
  mbytes: { factor: 1024 * 1024, scale: { base: 1024, names: per(IEC, "").map((n) => ` ${n}`) } },
  kbytes: { factor: 1024, scale: { base: 1024, names: per(IEC, "").map((n) => ` ${n}`) } },
  gbytes: { factor: 1024 ** 3, scale: { base: 1024, names: per(IEC, "").map((n) => ` ${n}`) } },
  deckbytes: { factor: 1e3, scale: { base: 1000, names: per(SI, "").map((n) => ` ${n}`) } },
  decmbytes: { factor: 1e6, scale: { base: 1000, names: per(SI, "").map((n) => ` ${n}`) } },
  decgbytes: { factor: 1e9, scale: { base: 1000, names: per(SI, "").map((n) => ` ${n}`) } },
  bits: { scale: { base: 1024, names: ["", "Ki", "Mi", "Gi", "Ti"].map((prefix) => ` ${prefix}b`) } },
  decbits: counted("b"),
  KBs: { factor: 1024, scale: { base: 1024, names: per(IEC, "/s").map((n) => ` ${n}`) } },
  MBs: { factor: 1024 * 1024, scale: { base: 1024, names: per(IEC, "/s").map((n) => ` ${n}`) } },
  m: { format: (v, d) => duration(v * 60, d) },
  h: { format: (v, d) => duration(v * 3600, d) },
  d: { format: (v, d) => duration(v * 86_400, d) },
  hertz: counted("Hz"),
  watt: counted("W"),
  joule: counted("J"),
  volt: counted("V"),
  amp: counted("A"),
  mps: counted("msg/s"),
  opm: { suffix: " ops/min" },
  cpm: { suffix: " counts/min" },
  rpm: { suffix: " reads/min" },
  wpm: { suffix: " writes/min" },
  celsius: { suffix: " °C" },
  fahrenheit: { suffix: " °F" },
  kelvin: { suffix: " K" },
  humidity: { suffix: " %H" },
  rotrpm: { suffix: " rpm" },
  dB: { suffix: " dB" },
  dBm: { suffix: " dBm" },
  lengthm: { suffix: " m" },
  currencyEUR: { format: (v, d) => "€" + grouped(v, d ?? (Math.abs(v) < 100 ? 2 : 0)) },
  bool: { format: (v) => (v === 0 ? "False" : "True") },
  bool_yes_no: { format: (v) => (v === 0 ? "No" : "Yes") },
  bool_on_off: { format: (v) => (v === 0 ? "Off" : "On") },
  hex: { format: (v) => Math.round(v).toString(16).toUpperCase() },
  hex0x: { format: (v) => `0x${Math.round(v).toString(16).toUpperCase()}` },
  sci: { format: (v, d) => v.toExponential(d ?? 2) },
  binBps: { scale: { base: 1024, names: per(IEC, "/s").map((n) => ` ${n}`) } },
  Bps: { scale: { base: 1000, names: per(SI, "/s").map((n) => ` ${n}`) } },
  bps: counted("b/s"),
  pps: counted("p/s"),
  ops: counted("ops/s"),
  reqps: counted("req/s"),
  rps: counted("reads/s"),
  wps: counted("writes/s"),
  iops: counted("io/s"),
  cps: { format: (v, d) => `${Math.abs(v) >= 100 ? grouped(v, 0) : number(v, d)} cmd/s` },
  eps: counted("/s"),
  "per s": counted("/s"),
  x: { suffix: "×" },
  cores: { suffix: " cores" },
  currencyUSD: { prefix: "$", format: (v, d) => "$" + grouped(v, d ?? (Math.abs(v) < 100 ? 2 : 0)) },
  USD: { format: (v, d) => "$" + grouped(v, d ?? (Math.abs(v) < 100 ? 2 : 0)) },
  "%": { format: (v, d) => share(v, d) + " %" },
  grouped: { format: (v, d) => grouped(v, d ?? 0) },
  // Milliseconds since 1970, as Grafana counts.
  dateTimeAsIso: { format: (v) => dateText(v / 1000) },
  dateTimeFromNow: { format: (v) => ageText(Date.now() / 1000 - v / 1000) },
  dateTime: { format: (v) => dateText(v) },
};

function dateText(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? "–" : date.toISOString().replace("T", " ").slice(0, 19);
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
  return (value < 0 ? "−" : "+") + text;
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
  if (!row) return `${number(value, decimals)} ${unit}`.trim();
  if (row.format) return row.format(value, decimals).replace(/^-/, "−");
  let scaled = value * (row.factor ?? 1);
  let name = row.suffix ?? "";
  if (row.scale) {
    const { base, names } = row.scale;
    let power = 0;
    // 999.9996 is shown as 1000, so that the next prefix takes it.
    while (power < names.length - 1 && Math.abs(scaled) >= base * 0.9995) {
      scaled /= base;
      power += 1;
    }
    name = names[power] ?? "";
  }
  return `${row.prefix ?? ""}${number(scaled, decimals)}${name}`.replace(/^-/, "−");
}

// Whether ticks of an axis of this unit go by powers of 1024.
export function isBinary(unit: string): boolean {
  return UNITS[unit]?.scale?.base === 1024;
}
