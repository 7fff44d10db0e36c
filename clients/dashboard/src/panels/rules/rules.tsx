// rules: the rules that the server evaluates: what each watches for, how it is, and its last error.
import type { Rule, RuleGroup } from "../../api";
import { durationText } from "../../model/time";
import type { ColorName } from "../../model/schema";
import type { PanelProps, PanelType } from "../panel_type";
import { Grid } from "../table/grid";
import "../figures/figure.css";

const STATE_COLOR: Record<string, ColorName> = { firing: "bad", pending: "warn", inactive: "good" };

function stateOf(rule: Rule): { text: string; color: ColorName } {
  if (rule.health === "err") return { text: "error", color: "bad" };
  if (rule.type === "recording") return { text: rule.health, color: rule.health === "ok" ? "good" : "dim" };
  const state = rule.state ?? "unknown";
  return { text: state, color: Object.hasOwn(STATE_COLOR, state) ? (STATE_COLOR[state] as ColorName) : "dim" };
}

// `onEdit`: what the name of a group does.
export function RuleTable({ groups, label, onEdit }: { groups: RuleGroup[]; label: string; onEdit?: (group: RuleGroup) => void }) {
  return (
    <Grid label={label} stacks
      columns={[{ id: "state", title: "State" }, { id: "name", title: "Rule" }, { id: "query", title: "Watches for" }, { id: "for", title: "For" }, { id: "group", title: "Group" }, { id: "every", title: "Every", numeric: true }]}
      rows={groups.flatMap((group) => group.rules.map((rule, i) => {
        const state = stateOf(rule);
        return {
          key: `${group.file} ${group.name} ${i}`,
          cells: [
            { sort: state.text, view: <span class={`is-${state.color}`}>{state.text}</span> },
            { sort: rule.name, view: <>{rule.name}{rule.lastError && <div class="is-bad note">{rule.lastError}</div>}</> },
            { sort: rule.query, view: <code>{rule.query}</code> },
            { sort: rule.duration ?? 0, view: rule.duration ? durationText(rule.duration) : "–" },
            { sort: group.name, view: onEdit ? <button class="link" aria-label={`Change the group ${group.name}`} onClick={() => onEdit(group)}>{group.name}</button> : group.name },
            { sort: group.interval, view: durationText(group.interval) },
          ],
        };
      }))} />
  );
}

const RulesView = ({ panel, data }: PanelProps) => <RuleTable groups={data.frames.flatMap((frame) => frame.groups)} label={panel.title} />;

export const rules: PanelType = {
  type: "rules",
  height: 6,
  sizing: "list",
  hasData: (data) => data.frames.some((frame) => frame.groups.length > 0),
  view: RulesView,
};
