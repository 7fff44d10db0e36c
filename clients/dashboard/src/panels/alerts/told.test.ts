import { describe, expect, it } from "vitest";
import type { Alert, RuleGroup, Silence, ToldAlert } from "../../api";
import { ruleOf, whyFires, whyTold } from "./told";

const alert: Alert = { labels: { alertname: "Hot", host: "a" }, annotations: {}, state: "firing", activeAt: "1970-01-01T00:00:40Z", value: "91" };
const groups: RuleGroup[] = [{ name: "g", file: "f", interval: 1, rules: [{ type: "alerting", name: "Hot", query: "cpu > 90", health: "ok", duration: 30, alerts: [alert] }] }];
const told = (status: Partial<ToldAlert["status"]>, receivers = ["team"]): ToldAlert => ({ labels: { host: "a", alertname: "Hot" }, startsAt: "", updatedAt: "", receivers: receivers.map((name) => ({ name })), status: { state: "active", silencedBy: [], inhibitedBy: [], ...status } });
const silence: Silence = { id: "1", status: { state: "active" }, comment: "moving it", createdBy: "ada", startsAt: "", endsAt: "", matchers: [] };

describe("why it fires", () => {
  const rule = ruleOf(alert, groups);
  it.each([
    [{}, "cpu > 90 gives 91, since 1m (after 30s)."], [{ state: "pending" }, "cpu > 90 gives 91 for 1m; it fires in 0s unless that ends."], [{ noData: true }, "There are no data for 1m, which its rule takes for a reason."],
    [{ recovering: true }, "cpu > 90 gives 91, since 1m (after 30s). It goes on until it has recovered."],
  ])("%j", (change, want) => expect(whyFires({ ...alert, ...change }, rule, 100)).toBe(want));
});

describe("who is told", () => {
  it.each([
    [[told({})], true, "Goes to team."], [[], false, "Nobody is told: no notifications are configured (notify.config), or it has just begun."],
    [[told({ state: "suppressed", silencedBy: ["1"] })], false, "Nobody is told: silenced by ada: moving it."], [[told({ state: "suppressed", inhibitedBy: ["x"] })], false, "Nobody is told: another alert that fires holds it back."],
    [[told({}), { ...told({}), labels: { alertname: "TidemarkReceiverFails" } }], false, "Goes to team, but a receiver does not take what is sent (TidemarkReceiverFails)."],
    [[told({ state: "unprocessed" })], false, "team will be told when its group has waited."], [[told({}, [])], false, "Nobody is told: no route leads to a receiver."],
  ])("%#", (list, yes, text) => expect(whyTold(alert, list, [silence])).toEqual({ told: yes, text }));
  it("nobody while it is pending", () => expect(whyTold({ ...alert, state: "pending" }, [told({})], []).told).toBe(false));
});
