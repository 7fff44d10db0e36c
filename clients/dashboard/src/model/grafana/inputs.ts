// What a shared file leaves to whoever imports it: constants, and which source its data are of.
import type { GrafanaDashboard } from "./types";

type Replace = (text: string, key: string) => unknown;

// The same value with each text in it replaced. `key`: the name that it has.
function mapped(value: unknown, replace: Replace, key = ""): unknown {
  if (typeof value === "string") return replace(value, key);
  if (Array.isArray(value)) return value.map((one) => mapped(one, replace, key));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, mapped(one, replace, name)]));
}

// Constants in place of their names, and the kind of a source in place of the name of an input or variable that stands for it.
export function withInputs(file: GrafanaDashboard): GrafanaDashboard {
  const source = file.dashboard ?? file;
  const inputs = [...(file.__inputs ?? []), ...(file === source ? [] : (source.__inputs ?? []))];
  const constants = new Map(inputs.flatMap((input) => (input.type === "constant" && input.name ? [[input.name, input.value ?? ""] as const] : [])));
  const plugins = new Map([
    ...inputs.flatMap((input) => (input.type === "datasource" && input.name && input.pluginId ? [[input.name, input.pluginId] as const] : [])),
    ...(source.templating?.list ?? []).flatMap((variable) => (variable.type === "datasource" && variable.name && typeof variable.query === "string" ? [[variable.name, variable.query] as const] : [])),
  ]);
  if (constants.size === 0 && plugins.size === 0) return file;
  return mapped(file, (text, key) => {
    const name = /^\$(?:\{(\w+)\}|(\w+))$/.exec(text) ?? /^\[\[(\w+)\]\]$/.exec(text);
    const plugin = key === "datasource" && name ? plugins.get((name[1] ?? name[2]) as string) : undefined;
    if (plugin !== undefined) return { type: plugin, uid: text };
    return constants.size === 0 ? text : text.replace(/\$\{(\w+)\}/g, (whole, one: string) => constants.get(one) ?? whole);
  }) as GrafanaDashboard;
}
