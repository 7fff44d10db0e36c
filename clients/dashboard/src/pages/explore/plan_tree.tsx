// PlanTree: the plan of a query as `explain=1` gives it: operators with what each says of itself, and those below it.
import type { PlanNode } from "../../api";

function isNode(value: unknown): value is PlanNode {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  return typeof value === "string" ? value : typeof value === "number" ? String(Math.round(value * 1000) / 1000) : JSON.stringify(value);
}

export function PlanTree({ node }: { node: PlanNode }) {
  const own = Object.entries(node).filter(([, value]) => !isNode(value) && !(Array.isArray(value) && value.some(isNode)));
  const below = Object.values(node).flatMap((value) => (Array.isArray(value) ? value.filter(isNode) : isNode(value) ? [value] : []));
  return (
    <ul class="plan-tree">
      <li>
        {own.map(([name, value]) => <span key={name}><span class="note">{name}</span> {shown(value)} </span>)}
        {below.map((child, i) => <PlanTree key={i} node={child} />)}
      </li>
    </ul>
  );
}
