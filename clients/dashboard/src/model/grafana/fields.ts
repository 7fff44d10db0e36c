// Single fields of Grafana's JSON in our words: units, colours, thresholds, mappings, numbers.
import type { ColorName, Mapping, Threshold } from "../schema";
import { UNITS } from "../units";
import type { GrafanaStep } from "./types";

// Grafana's names for units that are called otherwise here; others have the same name.
const UNIT_NAMES: Record<string, string> = {
  "": "short", string: "none", Bps: "binBps", dtdurations: "s", dtdurationms: "ms", dtdhms: "s", clocks: "s", clockms: "ms", timeticks: "s", µs: "us", "µs ": "us",
  locale: "grouped", sishort: "short", dateTimeAsUS: "dateTimeAsIso", dateTimeAsLocal: "dateTimeAsIso", dateTimeAsSystem: "dateTimeAsIso", dateTimeAsIsoNoDateIfToday: "dateTimeAsIso",
  percentage: "percent", binbps: "bps", hours: "h", minutes: "m", days: "d", decKBs: "Bps",
};

export function unitOf(name: string | undefined): string {
  const text = name ?? "";
  if (Object.hasOwn(UNIT_NAMES, text)) return UNIT_NAMES[text] as string;
  if (/^(suffix|prefix|count|currency|si|bool|time):/.test(text)) return text.slice(text.indexOf(":") + 1);
  return text;
}

// Whether numbers of the unit look as in Grafana; others have its name behind them.
export function isKnownUnit(unit: string): boolean {
  return unit === "" || Object.hasOwn(UNITS, unit);
}

// Grafana's named colours, from dark to light: dark, semi-dark, plain, light, super-light.
const SHADES = ["dark-", "semi-dark-", "", "light-", "super-light-"];
const HUES: Record<string, string[]> = {
  green: ["#37872d", "#56a64b", "#73bf69", "#96d98d", "#c8f2c2"],
  yellow: ["#e0b400", "#f2cc0c", "#fade2a", "#ffee52", "#fff899"],
  red: ["#c4162a", "#e02f44", "#f2495c", "#ff7383", "#ffa6b0"],
  blue: ["#1f60c4", "#3274d9", "#5794f2", "#8ab8ff", "#c0d8ff"],
  orange: ["#fa6400", "#ff780a", "#ff9830", "#ffb357", "#ffcb7d"],
  purple: ["#8f3bb8", "#a352cc", "#b877d9", "#ca95e5", "#deb6f2"],
};

// The colour of a series as "#rrggbb"; undefined for none ("transparent", "text").
export function hexOf(name: unknown): string | undefined {
  if (typeof name !== "string") return undefined;
  const text = name.trim().toLowerCase();
  for (const [hue, shades] of Object.entries(HUES)) {
    const at = SHADES.findIndex((shade) => text === shade + hue);
    if (at >= 0) return shades[at];
  }
  const channels = channelsOf(text);
  return channels && `#${channels.map((one) => Math.min(255, one).toString(16).padStart(2, "0")).join("")}`;
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

// The colours that states have there.
export const STATE_HEX: Record<string, string> = { good: "green", warn: "orange", bad: "red", info: "blue", dim: "text", accent: "blue" };

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

// Thresholds in percent of the way from `min` to `max`.
export function percentThresholds(thresholds: Threshold[], min: number, max: number): Threshold[] {
  return thresholds.map((one) => ({ ...one, from: one.from === null ? null : min + ((max - min) * one.from) / 100 }));
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

const colored = (color: unknown): { color?: ColorName } => (typeof color === "string" && color !== "" ? { color: colorOf(color) } : {});
const SPECIAL = new Set(["null", "nan", "null+nan", "empty", "true", "false"]);

// Value mappings of both forms. `lost`: those that say nothing that can be drawn.
export function mappingsOf(list: unknown[] | undefined): { mappings: Mapping[]; lost: number } {
  const mappings: Mapping[] = [];
  let lost = 0;
  for (const entry of list ?? []) {
    if (!isRecord(entry)) continue;
    const options = isRecord(entry.options) ? entry.options : {};
    const result = isRecord(options.result) ? options.result : {};
    const shown = (fallback: string) => ({ text: String(result.text ?? fallback), ...colored(result.color) });
    if (entry.type === "value") {
      // In the order that people gave them.
      const all = Object.entries(options).filter((pair): pair is [string, Record<string, unknown>] => isRecord(pair[1])).sort(([, a], [, b]) => Number(a.index ?? 0) - Number(b.index ?? 0));
      for (const [value, one] of all) mappings.push({ value: numberOf(value) ?? value, text: String(one.text ?? value), ...colored(one.color) });
    } else if (entry.type === "range") {
      const [from, to] = [numberOf(options.from) ?? null, numberOf(options.to) ?? null];
      mappings.push({ from, to, ...shown(`${from ?? ""} to ${to ?? ""}`) });
    } else if (entry.type === "special" && SPECIAL.has(String(options.match))) {
      mappings.push({ special: options.match as NonNullable<Mapping["special"]>, ...shown(String(options.match)) });
    } else if (entry.type === "regex" && typeof options.pattern === "string") {
      mappings.push({ pattern: options.pattern, ...shown(options.pattern) });
    } else if (entry.type === 1 && entry.value !== undefined) {
      if (entry.value === "null") mappings.push({ special: "null", text: String(entry.text ?? "") });
      else mappings.push({ value: numberOf(entry.value) ?? String(entry.value), text: String(entry.text ?? "") });
    } else if (entry.type === 2 && (entry.from !== undefined || entry.to !== undefined)) {
      if (entry.from === "null") mappings.push({ special: "null", text: String(entry.text ?? "") });
      else mappings.push({ from: numberOf(entry.from) ?? null, to: numberOf(entry.to) ?? null, text: String(entry.text ?? "") });
    } else {
      lost += 1;
    }
  }
  return { mappings, lost };
}

// Text of Markdown or HTML as the text that it shows.
export function plainText(content: string, html: boolean): string {
  const text = html ? content.replace(/<(script|style)\b[\s\S]*?<\/\1\s*>/gi, "").replace(/<(br|\/p|\/div|\/h\d|\/li)\s*\/?>/gi, "\n").replace(/<li[^>]*>/gi, "- ").replace(/<[^>]*>/g, "") : content;
  return text
    .replace(/^#+\s*(.*)$/gm, (_, title: string) => `**${title.replaceAll("**", "")}**`)
    .replace(/!\[[^\]]*\]\([^)]*\)/g, "")
    .replaceAll("&nbsp;", " ").replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&amp;", "&")
    .replace(/^\* /gm, "- ")
    .replace(/\n{3,}/g, "\n\n")
    .trim();
}
