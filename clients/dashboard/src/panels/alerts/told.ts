// Why an alert is as it is: why it fires, and who was told of it or why nobody was.
import type { Alert, Labels, Rule, RuleGroup, Silence, ToldAlert } from "../../api";
import { durationText } from "../../model/time";
import { formatValue } from "../../model/units";

function sameLabels(a: Labels, b: Labels): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

export function ruleOf(alert: Alert, groups: readonly RuleGroup[]): Rule | undefined {
  return groups.flatMap((group) => group.rules).find((rule) => rule.type === "alerting" && rule.name === alert.labels.alertname && (rule.alerts ?? []).some((one) => sameLabels(one.labels, alert.labels)))
    ?? groups.flatMap((group) => group.rules).find((rule) => rule.type === "alerting" && rule.name === alert.labels.alertname);
}

// Why it fires or is pending, in a sentence. `now`: seconds since 1970.
export function whyFires(alert: Alert, rule: Rule | undefined, now: number): string {
  const since = Date.parse(alert.activeAt) / 1000;
  const value = formatValue(Number(alert.value));
  const lasted = durationText(Math.max(0, Math.round(now - since)));
  if (alert.noData) return `There are no data for ${lasted}, which its rule takes for a reason.`;
  const watched = rule ? `${rule.query} gives ${value}` : `Its value is ${value}`;
  if (alert.state === "pending") {
    const left = Math.max(0, Math.round((rule?.duration ?? 0) - (now - since)));
    return `${watched} for ${lasted}; it fires in ${durationText(left)} unless that ends.`;
  }
  const kept = alert.recovering ? " It goes on until it has recovered." : "";
  const flaps = alert.flapping ? " It begins and ends again and again, and is told of once." : "";
  return `${watched}, since ${lasted}${rule?.duration ? ` (after ${durationText(rule.duration)})` : ""}.${kept}${flaps}`;
}

// The server's own alert of receivers that refuse or do not answer.
const RECEIVER_FAILS = "TidemarkReceiverFails";

export interface Told {
  text: string;
  // Somebody is told.
  told: boolean;
}

// Who is told, or why nobody is.
export function whyTold(alert: Alert, told: readonly ToldAlert[], silences: readonly Silence[]): Told {
  if (alert.state === "pending") return { told: false, text: "Nobody is told yet: it is pending." };
  const mine = told.find((one) => sameLabels(one.labels, alert.labels)) ?? told.find((one) => Object.entries(alert.labels).every(([name, value]) => one.labels[name] === value));
  if (!mine) return { told: false, text: "Nobody is told: no notifications are configured (notify.config), or it has just begun." };
  if (mine.status.silencedBy.length > 0) {
    const by = silences.filter((silence) => mine.status.silencedBy.includes(silence.id)).map((silence) => `${silence.createdBy}: ${silence.comment}`);
    return { told: false, text: `Nobody is told: silenced by ${by.join("; ") || mine.status.silencedBy.join(", ")}.` };
  }
  if (mine.status.inhibitedBy.length > 0) return { told: false, text: "Nobody is told: another alert that fires holds it back." };
  const receivers = mine.receivers.map((receiver) => receiver.name);
  if (mine.status.state === "unprocessed") return { told: false, text: `${receivers.join(", ")} will be told when its group has waited.` };
  const failing = told.some((one) => one.labels.alertname === RECEIVER_FAILS && one.status.state === "active");
  if (receivers.length > 0 && failing) return { told: false, text: `Goes to ${receivers.join(", ")}, but a receiver does not take what is sent (${RECEIVER_FAILS}).` };
  return receivers.length > 0 ? { told: true, text: `Goes to ${receivers.join(", ")}.` } : { told: false, text: "Nobody is told: no route leads to a receiver." };
}
