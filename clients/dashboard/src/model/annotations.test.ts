import { describe, expect, it } from "vitest";
import { drawnOn, marksAt, marksOfEvents, marksOfSeries } from "./annotations";
import type { Series } from "./frames";
import type { Annotation, Panel } from "./schema";

const alerts: Annotation = { name: "Alerts", kind: "query", expr: "ALERTS", tags: ["severity"] };
const series = (labels: Record<string, string>, samples: [number, number | null][]): Series => ({ key: "k", name: "n", labels, times: samples.map(([time]) => time), values: samples.map(([, value]) => value) });
const spans = (list: { start: number; end: number }[]) => list.map(({ start, end }) => [start, end]);

describe("marks of a query", () => {
  it("are stretches of samples above zero that are at most a step apart", () => {
    const made = marksOfSeries(alerts, [series({ alertname: "Hot", severity: "page" }, [[0, 1], [60, 1], [120, 0], [180, 1], [400, 1], [460, null]])], 60);
    expect(spans(made)).toEqual([[0, 60], [180, 180], [400, 400]]);
    expect(made[0]).toMatchObject({ title: "Hot", text: "", tags: ["page"] });
  });
  it("stand where the value says", () => {
    const made = marksOfSeries({ ...alerts, timeOfValue: true, title: "{{job}} began", text: "on {{instance}}{{none}}" }, [series({ job: "api", instance: "a:1" }, [[100, 50_000], [160, 50_000], [220, 210_000]])], 60);
    expect(spans(made)).toEqual([[50, 50], [210, 210]]);
    expect(made[0]).toMatchObject({ title: "api began", text: "on a:1" });
  });
  it("are called as the metric or the annotation where nothing says how", () => {
    expect(marksOfSeries(alerts, [series({ __name__: "m" }, [[0, 1]]), series({}, [[0, 1]])], 60).map((mark) => mark.title)).toEqual(["m", "Alerts"]);
  });
});

it("marks of events have their text", () => {
  const [mark] = marksOfEvents({ name: "Deploys", kind: "events", expr: "deploy_text", title: "{{service}}: {{text}}" }, [{ time: "", time_ns: "1500000000", labels: { service: "api" }, text: "v2" }]);
  expect(mark).toMatchObject({ start: 1.5, end: 1.5, title: "api: v2", text: "v2" });
});

it("are drawn on some panels or all but some", () => {
  const panel = (id: string): Panel => ({ id, type: "timeseries", title: "" });
  expect(drawnOn(alerts, panel("a"))).toBe(true);
  expect([drawnOn({ ...alerts, panels: ["a"] }, panel("a~x")), drawnOn({ ...alerts, panels: ["a"] }, panel("b"))]).toEqual([true, false]);
  expect([drawnOn({ ...alerts, panels: ["a"], except: true }, panel("a")), drawnOn({ ...alerts, panels: ["a"], except: true }, panel("b"))]).toEqual([false, true]);
});

it("those at a moment, the nearest first", () => {
  const made = marksOfSeries(alerts, [series({ alertname: "A" }, [[0, 1], [60, 1]]), series({ alertname: "B" }, [[100, 1]])], 60);
  expect(marksAt(made, 70, 40).map((mark) => mark.title)).toEqual(["A", "B"]);
  expect(marksAt(made, 30, 5).map((mark) => mark.title)).toEqual(["A"]);
  expect(marksAt(made, 200, 5)).toEqual([]);
});
