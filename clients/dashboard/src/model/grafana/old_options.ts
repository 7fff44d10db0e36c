// The options that gauges, bar gauges and stats had in version 6, in the words of later ones: `fieldOptions`, and before that `valueOptions`.
import { numberOf } from "./fields";
import type { GrafanaDefaults, GrafanaPanel, GrafanaStep } from "./types";

type Words = Record<string, unknown>;
const record = (value: unknown): Words => (typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Words) : {});

// Steps with an index, in any order; the first holds below all others.
function stepsOf(value: unknown): { mode: string; steps: GrafanaStep[] } | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const steps = [...(value as (GrafanaStep & { index?: number })[])].sort((a, b) => (a.index ?? 0) - (b.index ?? 0));
  return { mode: "absolute", steps };
}

function without(value: Words): GrafanaDefaults {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined && one !== null && one !== "")) as GrafanaDefaults;
}

export function withNewOptions(panel: GrafanaPanel): GrafanaPanel {
  const options = record(panel.options);
  const fields = record(options.fieldOptions);
  const values = record(options.valueOptions);
  if (Object.keys(fields).length === 0 && Object.keys(values).length === 0) return panel;
  const defaults = record(fields.defaults);
  const calcs = Array.isArray(fields.calcs) ? fields.calcs : values.stat !== undefined ? [{ avg: "mean", current: "lastNotNull", total: "sum" }[String(values.stat)] ?? values.stat] : undefined;
  const made = without({
    ...defaults, unit: defaults.unit ?? values.unit, decimals: defaults.decimals ?? values.decimals, min: defaults.min ?? options.minValue, max: defaults.max ?? options.maxValue,
    displayName: defaults.displayName ?? defaults.title, thresholds: defaults.thresholds ?? stepsOf(fields.thresholds ?? options.thresholds),
    mappings: defaults.mappings ?? fields.mappings ?? options.valueMappings,
  });
  const text = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);
  const [prefix, postfix] = [text(values.prefix ?? fields.prefix), text(values.suffix ?? fields.suffix)];
  return {
    ...panel, ...(prefix ? { prefix } : {}), ...(postfix ? { postfix } : {}),
    options: { ...options, reduceOptions: { ...record(options.reduceOptions), ...(calcs ? { calcs } : {}), ...(fields.values === true ? { values: true } : {}), ...(numberOf(fields.limit) !== undefined ? { limit: fields.limit } : {}) } },
    fieldConfig: { ...panel.fieldConfig, defaults: { ...made, ...panel.fieldConfig?.defaults } },
  };
}
