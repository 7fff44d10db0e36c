// VariableBar: the variables of a dashboard as fields that people choose in.
import type { Variable } from "../model/schema";
import { ALL, type Choice } from "../model/variables";
import { address, go } from "../shell/state";
import type { Resolved } from "./variable_values";

function choose(name: string, values: string[]): void {
  go({ variables: { ...address.value.variables, [name]: values } });
}

// Several of many. "All" and single values shut each other out.
function Several({ variable, choices, chosen }: { variable: Variable; choices: Choice[]; chosen: string[] }) {
  const toggle = (value: string) => {
    if (value === ALL) return choose(variable.name, [ALL]);
    const rest = chosen.filter((one) => one !== ALL);
    const next = rest.includes(value) ? rest.filter((one) => one !== value) : [...rest, value];
    choose(variable.name, next.length > 0 ? next : variable.all !== undefined ? [ALL] : [value]);
  };
  const name = (value: string) => choices.find((choice) => choice.value === value)?.text ?? value;
  const shown = chosen.length > 2 ? `${chosen.length} chosen` : chosen.map(name).join(" + ") || "none yet";
  return (
    <details class="picker several" onKeyDown={(event) => { if (event.key === "Escape") event.currentTarget.open = false; }}
      onBlur={(event) => { if (!event.currentTarget.contains(event.relatedTarget as Node | null)) event.currentTarget.open = false; }}>
      <summary class="control" aria-label={`${variable.label ?? variable.name}: ${shown}`}>{shown}</summary>
      <div class="several-list" tabIndex={-1}>
        {choices.map((choice) => (
          <label key={choice.value}><input type="checkbox" checked={chosen.includes(choice.value)} onChange={() => toggle(choice.value)} /> {choice.text}</label>
        ))}
        {choices.length === 0 && <span class="note">none yet</span>}
      </div>
    </details>
  );
}

function VariableField({ variable, resolved }: { variable: Variable; resolved: Resolved | undefined }) {
  const { name } = variable;
  const choices = resolved?.choices[name] ?? [];
  const chosen = address.value.variables[name] ?? resolved?.chosen[name] ?? [];
  const title = variable.label ?? name;
  if (variable.kind === "text" || variable.kind === "filters") {
    return (
      <label>{title}{" "}
        <input value={chosen[0] ?? ""} placeholder={variable.kind === "filters" ? 'label="value"' : undefined} onChange={(event) => choose(name, [event.currentTarget.value])} />
      </label>
    );
  }
  if (variable.multi) return <span class="variable" role="group" aria-label={title}>{title} <Several variable={variable} choices={choices} chosen={chosen} /></span>;
  const value = chosen[0] ?? "";
  return (
    <label>{title}{" "}
      <select value={value} onChange={(event) => choose(name, [event.currentTarget.value])} disabled={choices.length === 0 && value === ""}>
        {!choices.some((choice) => choice.value === value) && <option value={value}>{value || "none yet"}</option>}
        {choices.map((choice) => <option key={choice.value} value={choice.value}>{choice.text}</option>)}
      </select>
    </label>
  );
}

export function VariableBar({ variables, resolved }: { variables: Variable[]; resolved: Resolved | undefined }) {
  return <div class="variables">{variables.map((variable) => <VariableField key={variable.name} variable={variable} resolved={resolved} />)}</div>;
}
