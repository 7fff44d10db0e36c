// Single fields of Grafana's JSON in our words: units, colours, thresholds, mappings, numbers.
import type { ColorName, Mapping, Threshold } from "../schema";
import { UNITS } from "../units";
import type { GrafanaStep } from "./types";

// Grafana's names for units that are called otherwise here; others have the same name.
const UNIT_NAMES: Record<string, string> = {
  "": "short", string: "none", percentunit: "percentunit", Bps: "binBps", binBps: "binBps", decbytes: "decbytes", bytes: "bytes", mbytes: "mbytes", decmbytes: "mbytes",
  dtdurations: "s", dtdurationms: "ms", µs: "us", locale: "grouped", sishort: "short", opm: "ops/min", celsius: "°C", dateTimeAsIso: "dateTime",
};

export function unitOf(name: string | undefined): string {
  const text = name ?? "";
  if (Object.hasOwn(UNIT_NAMES, text)) return UNIT_NAMES[text] as string;
  if (text.startsWith("suffix:")) return text.slice(7);
  return text;
}

// Whether numbers of the unit look as in Grafana; others have its name behind them.
export function isKnownUnit(unit: string): boolean {
  return unit === "" || Object.hasOwn(UNITS, unit);
}

const NAMED: [RegExp, ColorName][] = [[/green/i, "good"], [/red/i, "bad"], [/orange|yellow/i, "warn"], [/blue|purple/i, "info"]];

// Red, green and blue of "#F2495C", "#f49", "rgb(237, 129, 40)" or "rgba(237, 129, 40, 0.89)", from 0 to 255.
function channelsOf(text: string): [number, number, number] | undefined {
  const hex = /^#(?:([\da-f]{2})([\da-f]{2})([\da-f]{2})(?:[\da-f]{2})?|([\da-f])([\da-f])([\da-f]))$/i.exec(text);
  if (hex) {
    const parts = hex[1] !== undefined ? hex.slice(1, 4) : hex.slice(4, 7).map((digit) => digit + digit);
    return parts.map((part) => Number.parseInt(part, 16)) as [number, number, number];
  }
  const rgb = /^rgba?\(\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)/i.exec(text);
  return rgb ? [Number(rgb[1]), Number(rgb[2]), Number(rgb[3])] : undefined;
}

// The angle on the colour wheel, 0 to 360; undefined for what is grey.
function hueOf([r, g, b]: [number, number, number]): number | undefined {
  const most = Math.max(r, g, b);
  const spread = most - Math.min(r, g, b);
  if (spread < 24) return undefined;
  const sixth = most === r ? ((g - b) / spread + 6) % 6 : most === g ? (b - r) / spread + 2 : (r - g) / spread + 4;
  return sixth * 60;
}

// Colours are states here, so that they hold in both themes: green is good, red is bad.
export function colorOf(name: string | undefined): ColorName {
  const text = (name ?? "").trim();
  const named = NAMED.find(([pattern]) => pattern.test(text));
  if (named) return named[1];
  const channels = channelsOf(text);
  const hue = channels && hueOf(channels);
  if (hue === undefined) return "dim";
  if (hue < 15 || hue >= 330) return "bad";
  if (hue < 65) return "warn";
  return hue < 170 ? "good" : "info";
}

// A number, also as a text; undefined for nothing and for what is none.
export function numberOf(value: unknown): number | undefined {
  if (value === null || value === undefined || value === "") return undefined;
  const number = Number(value);
  return Number.isFinite(number) ? number : undefined;
}

// The first step holds for all below the second, whatever its value.
export function thresholdsOf(steps: GrafanaStep[] | undefined): Threshold[] | undefined {
  if (!steps || steps.length === 0) return undefined;
  return steps.map((step, i) => ({ from: i === 0 ? null : (numberOf(step.value) ?? null), color: colorOf(step.color) }));
}

// "80,90" of a singlestat with its three colours.
export function oldThresholdsOf(text: string, colors: string[] | undefined): Threshold[] | undefined {
  const numbers = text.split(",").map(numberOf);
  if (numbers.length === 0 || numbers.some((n) => n === undefined)) return undefined;
  const names = colors ?? ["green", "orange", "red"];
  return [{ from: null, color: colorOf(names[0]) }, ...numbers.map((n, i) => ({ from: n as number, color: colorOf(names[i + 1]) }))];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

// Value mappings of both forms. `lost`: ranges, texts and expressions, which are not drawn.
export function mappingsOf(list: unknown[] | undefined): { mappings: Mapping[]; lost: number } {
  const mappings: Mapping[] = [];
  let lost = 0;
  for (const entry of list ?? []) {
    if (!isRecord(entry)) continue;
    if (entry.type === "value" && isRecord(entry.options)) {
      for (const [value, shown] of Object.entries(entry.options)) {
        const number = numberOf(value);
        if (number === undefined || !isRecord(shown)) {
          lost += 1;
          continue;
        }
        mappings.push({ value: number, text: String(shown.text ?? value), ...(typeof shown.color === "string" ? { color: colorOf(shown.color) } : {}) });
      }
    } else if (entry.type === 1 && numberOf(entry.value) !== undefined) {
      mappings.push({ value: numberOf(entry.value) as number, text: String(entry.text ?? "") });
    } else {
      lost += 1;
    }
  }
  return { mappings, lost };
}

// Text of Markdown or HTML as the text that it shows.
export function plainText(content: string, html: boolean): string {
  const text = html ? content.replace(/<(br|\/p|\/div|\/h\d|\/li)\s*\/?>/gi, "\n").replace(/<li[^>]*>/gi, "- ").replace(/<[^>]*>/g, "") : content;
  return text
    .replace(/^#+\s*(.*)$/gm, "**$1**")
    .replace(/!\[[^\]]*\]\([^)]*\)/g, "")
    .replaceAll("&nbsp;", " ").replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&amp;", "&")
    .replace(/^\* /gm, "- ")
    .replace(/\n{3,}/g, "\n\n")
    .trim();
}
