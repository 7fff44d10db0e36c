// Overrides of single fields in Grafana's three forms (fieldConfig.overrides, seriesOverrides of graphs, styles of old tables) as ours.
import type { FieldLook, FieldMatch, Override } from "../schema";
import { colorOf, hexOf, mappingsOf, numberOf, percentThresholds, thresholdsOf, unitOf } from "./fields";
import { linksOf } from "./links";
import type { GrafanaLink, GrafanaOverride, GrafanaPanel, GrafanaSeriesOverride, GrafanaStep, GrafanaStyle } from "./types";

type Words = Record<string, unknown>;
const record = (value: unknown): Words => (typeof value === "object" && value !== null ? (value as Words) : {});
const oneOf = <T extends string>(value: unknown, all: readonly T[]): T | undefined => all.find((one) => one === value);

// undefined: as everything else; null: none that is known.
function cellOf(mode: unknown): FieldLook["cell"] | null {
  switch (String(mode)) {
    case "auto": return "text";
    case "color-text": return "color";
    case "color-background": case "color-background-solid": return "background";
    case "gauge": case "basic": case "lcd-gauge": case "gradient-gauge": return "gauge";
    default: return null;
  }
}

const DASHES: Record<string, number[]> = { dash: [8, 6], dot: [2, 4] };

// A property: what of a look it is, or a text that says what of it is not drawn.
type Property = (value: unknown) => FieldLook | string;
const range = (value: unknown, key: "min" | "max" | "decimals"): FieldLook => { const number = numberOf(value); return number === undefined ? {} : { [key]: number }; };

export const PROPERTIES: Record<string, Property> = {
  color: (value) => {
    const { mode, fixedColor } = record(value);
    if (mode === "fixed" || mode === "shades") { const color = hexOf(fixedColor); return color === undefined ? {} : { color }; }
    if (mode === "thresholds") return { color: "thresholds" };
    return mode === undefined || String(mode).startsWith("palette") ? {} : `the colours "${String(mode)}" are those of the page`;
  },
  unit: (value) => ({ unit: unitOf(String(value ?? "")) }),
  displayName: (value) => (typeof value === "string" && value !== "" ? { title: value } : {}),
  decimals: (value) => range(value, "decimals"),
  min: (value) => range(value, "min"),
  max: (value) => range(value, "max"),
  links: (value) => ({ links: linksOf(Array.isArray(value) ? (value as GrafanaLink[]) : []) }),
  mappings: (value) => ({ mappings: mappingsOf(Array.isArray(value) ? value : []).mappings }),
  thresholds: (value) => {
    const { mode, steps } = record(value);
    const all = thresholdsOf(steps as GrafanaStep[] | undefined);
    return all ? { thresholds: mode === "percentage" ? percentThresholds(all, 0, 100) : all } : {};
  },
  "custom.align": (value) => { const align = oneOf(value, ["left", "center", "right"]); return align ? { align } : {}; },
  "custom.width": (value) => { const width = numberOf(value); return width === undefined ? {} : { width }; },
  "custom.minWidth": () => ({}),
  "custom.filterable": () => ({}),
  "custom.inspect": () => ({}),
  "custom.hidden": (value) => ({ hidden: value === true }),
  "custom.cellOptions": (value) => { const cell = cellOf(record(value).type); return cell === null ? `cells of type "${String(record(value).type)}" are text` : { ...(cell ? { cell } : {}) }; },
  "custom.displayMode": (value) => { const cell = cellOf(value); return cell === null ? `cells of type "${String(value)}" are text` : { ...(cell ? { cell } : {}) }; },
  "custom.fillOpacity": (value) => { const fill = numberOf(value); return fill === undefined ? {} : { fill }; },
  "custom.lineWidth": (value) => { const lineWidth = numberOf(value); return lineWidth === undefined ? {} : { lineWidth }; },
  "custom.lineStyle": (value) => {
    const { fill, dash } = record(value);
    if (fill === "solid" || fill === undefined) return {};
    return { dash: Array.isArray(dash) && dash.length > 0 ? dash.map(Number) : (DASHES[String(fill)] ?? [8, 6]) };
  },
  "custom.transform": (value) => (value === "negative-Y" ? { negative: true } : value === "constant" ? "a constant is drawn as it changes" : {}),
  "custom.stacking": (value) => { const { mode, group } = record(value); return { stack: mode === "none" || mode === undefined ? "" : String(group || "all") }; },
  "custom.fillBelowTo": (value) => (typeof value === "string" && value !== "" ? { between: value } : {}),
  "custom.axisPlacement": (value) => { const axis = oneOf(value, ["left", "right", "hidden"]); return axis ? { axis } : {}; },
  "custom.drawStyle": (value) => { const draw = { line: "lines", bars: "bars", points: "points" }[String(value)] as FieldLook["draw"]; return draw ? { draw } : {}; },
  "custom.hideFrom": (value) => {
    const { viz, legend, tooltip } = record(value);
    return { hideFrom: [...(viz === true ? ["chart" as const] : []), ...(legend === true ? ["legend" as const] : []), ...(tooltip === true ? ["tooltip" as const] : [])] };
  },
  // Not seen in numbers or lines: what of them differs is too little to speak of.
  "custom.pointSize": () => ({}),
  "custom.showPoints": () => ({}),
  "custom.gradientMode": () => ({}),
  "custom.axisLabel": () => ({}),
  "custom.axisSoftMin": () => ({}),
  "custom.axisSoftMax": () => ({}),
  "custom.axisColorMode": () => ({}),
  "custom.axisBorderShow": () => ({}),
  "custom.axisGridShow": () => ({}),
  "custom.axisCenteredZero": () => ({}),
  noValue: (value) => (value === undefined || value === null || value === "" ? {} : { mappings: [{ special: "null", text: String(value) }] }),
};

// What a table's or chart's field has by default, in the same words.
export function lookOfCustom(custom: Words, keys: readonly string[], differences: Set<string>): FieldLook {
  let look: FieldLook = {};
  for (const key of keys) {
    if (custom[key] === undefined) continue;
    const made = PROPERTIES[`custom.${key}`]?.(custom[key]);
    if (typeof made === "string") differences.add(made);
    else look = { ...look, ...made };
  }
  return look;
}

const TYPES: Record<string, "number" | "time" | "text"> = { number: "number", time: "time", string: "text" };

function matchOf(matcher: GrafanaOverride["matcher"]): FieldMatch | undefined {
  const options = matcher?.options;
  switch (matcher?.id) {
    case "byName": return { by: "name", is: String(options ?? "") };
    case "byRegexp": return { by: "pattern", is: String(options ?? "") };
    case "byFrameRefID": return { by: "query", is: String(options ?? "") };
    case "byType": { const type = TYPES[String(options)]; return type && { by: "type", is: type }; }
    case "byNames": {
      const { names, mode } = record(options);
      const list = Array.isArray(names) ? names.map(String) : Array.isArray(options) ? options.map(String) : [];
      // Grafana writes "all but these" when somebody clicks in a legend.
      if (mode === "exclude") return { by: "pattern", is: `^(?!(?:${list.map((one) => one.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")).join("|")})$)` };
      return { by: "names", is: list };
    }
    case "byValue": { const { reducer, op, value } = record(options); return { by: "value", is: { reducer: String(reducer ?? "lastNotNull"), op: String(op ?? ">="), value: Number(value ?? 0) } }; }
    default: return undefined;
  }
}

export function overridesOf(list: GrafanaOverride[] | undefined, differences: Set<string>): Override[] {
  return (list ?? []).flatMap(({ matcher, properties }): Override[] => {
    const match = matchOf(matcher);
    if (!match) {
      differences.add(`overrides of fields "${String(matcher?.id)}" are left out`);
      return [];
    }
    let set: FieldLook = {};
    for (const { id = "", value } of properties ?? []) {
      const property = Object.hasOwn(PROPERTIES, id) ? PROPERTIES[id] : undefined;
      const made = property ? property(value) : `the property "${id}" of single fields is left out`;
      if (typeof made === "string") differences.add(made);
      else set = { ...set, ...made };
    }
    return Object.keys(set).length > 0 ? [{ match, set }] : [];
  });
}

const aliasMatch = (alias: string): FieldMatch => (/^\/.*\/[a-z]*$/s.test(alias) ? { by: "pattern", is: alias } : { by: "name", is: alias });

// What a graph's series override may say; the rest is reported.
const SERIES: Record<string, (value: unknown) => FieldLook> = {
  color: (value) => { const color = hexOf(value); return color ? { color } : {}; },
  yaxis: (value) => (Number(value) === 2 ? { axis: "right" } : {}),
  fill: (value) => ({ fill: Number(value) * 10 }),
  linewidth: (value) => ({ lineWidth: Number(value) }),
  lines: (value) => (value === false ? { lineWidth: 0 } : {}),
  bars: (value) => (value === true ? { draw: "bars" } : {}),
  points: (value) => (value === true ? { draw: "points" } : {}),
  dashes: (value) => (value === true ? { dash: [8, 6] } : {}),
  stack: (value) => (value === false ? { stack: "" } : { stack: value === true ? "all" : String(value) }),
  transform: (value) => (value === "negative-Y" ? { negative: true } : {}),
  fillBelowTo: (value) => ({ between: String(value) }),
  legend: (value) => (value === false ? { hideFrom: ["legend"] } : {}),
  hiddenSeries: (value) => (value === true ? { hideFrom: ["chart"] } : {}),
};
const UNSEEN = new Set(["alias", "$$hashKey", "zindex", "dashLength", "steppedLine", "stepped", "spaceLength", "pointradius", "nullPointMode", "hideTooltip", "fillGradient"]);

export function seriesOverridesOf(panel: GrafanaPanel, differences: Set<string>): Override[] {
  const colors = Object.entries(panel.aliasColors ?? {}).flatMap(([alias, value]): Override[] => { const color = hexOf(value); return color ? [{ match: { by: "name", is: alias }, set: { color } }] : []; });
  const rest = (panel.seriesOverrides ?? []).flatMap((override: GrafanaSeriesOverride): Override[] => {
    let set: FieldLook = {};
    for (const [key, value] of Object.entries(override)) {
      if (UNSEEN.has(key)) continue;
      const property = Object.hasOwn(SERIES, key) ? SERIES[key] : undefined;
      if (property) set = { ...set, ...property(value) };
      else differences.add(`"${key}" of single series is left out`);
    }
    // Points that take the place of a line have none.
    if (set.draw) delete set.lineWidth;
    const alias = override.alias ?? "";
    const right = panel.yaxes?.[1]?.format;
    if (set.axis === "right" && right !== undefined) set.unit = unitOf(right);
    return alias !== "" && Object.keys(set).length > 0 ? [{ match: aliasMatch(alias), set }] : [];
  });
  return [...colors, ...rest];
}

// Columns of tables before version 7. A pattern is a whole name or a regular expression.
export function stylesOf(styles: GrafanaStyle[] | undefined, differences: Set<string>): Override[] {
  // There the first that matches holds, here the last.
  return [...(styles ?? [])].reverse().map((style): Override => {
    const pattern = style.pattern ?? "";
    const numbers = (style.thresholds ?? []).map(numberOf).filter((one): one is number => one !== undefined);
    const colors = style.colors ?? [];
    const thresholds = style.colorMode && numbers.length > 0 ? [{ from: null, color: colorOf(colors[0]) }, ...numbers.map((from, i) => ({ from, color: colorOf(colors[i + 1]) }))] : undefined;
    const { mappings } = mappingsOf([...(style.valueMaps ?? []).map((map) => ({ ...map, type: 1 })), ...(style.rangeMaps ?? []).map((map) => ({ ...map, type: 2 }))]);
    const align = oneOf(style.align, ["left", "center", "right"]);
    if (style.colorMode === "row") differences.add("colours of whole rows are those of the cell");
    return {
      match: /[/\\.*+?()[\]{}|^$]/.test(pattern) ? { by: "pattern", is: pattern.startsWith("/") ? pattern : `^${pattern}$` } : { by: "name", is: pattern },
      set: {
        ...(style.type === "hidden" ? { hidden: true } : {}),
        ...(style.alias ? { title: style.alias } : {}),
        ...(style.type === "number" && style.unit !== undefined ? { unit: unitOf(style.unit) } : {}),
        ...(style.type === "number" && numberOf(style.decimals) !== undefined ? { decimals: numberOf(style.decimals) as number } : {}),
        ...(align ? { align } : {}),
        ...(thresholds ? { thresholds, cell: style.colorMode === "value" ? "color" as const : "background" as const } : {}),
        ...(mappings.length > 0 && (style.mappingType ?? 1) > 0 ? { mappings } : {}),
        ...(style.link === true && style.linkUrl ? { links: linksOf([{ title: style.linkTooltip ?? "", url: style.linkUrl }]) } : {}),
      },
    };
  }).filter((one) => Object.keys(one.set).length > 0);
}
