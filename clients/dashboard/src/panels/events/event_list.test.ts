import { expect, it } from "vitest";
import { shownEvents } from "./event_list";

const event = (name: string, ns: number, text: string, agent = "1") => ({ time: "", time_ns: ns, labels: { __name__: name, agent }, text });

it("gives each event once, newest first, with its level", () => {
  const shown = shownEvents(
    [
      event("e_text", 1e9, "started"), event("e_level", 1e9, "warning"), event("e_level", 1e9, "error", "2"),
      event("e_text", 2e9, "ended"), event("e_text", 1e9, "started"),
    ],
    10,
  );
  expect(shown.map((e) => [e.time, e.text, e.level])).toEqual([[2, "ended", "info"], [1, "started", "warning"]]);
});

it("says what an event is about", () => {
  const about = (labels: Record<string, string>) => shownEvents([{ time: "", time_ns: 1e9, labels: { __name__: "e_event", ...labels }, text: "t" }], 1)[0]?.source;
  expect([about({ alertname: "Hot", host: "a" }), about({ alertname: "Hot" }), about({ component: "router", host: "a" }), about({})]).toEqual(["Hot a", "Hot", "router", ""]);
});

it("keeps the newest", () => {
  expect(shownEvents([event("t", 1e9, "a"), event("t", 2e9, "b")], 1).map((e) => e.text)).toEqual(["b"]);
});
