import { describe, expect, it } from "vitest";
import { emptyFrame } from "../../model/frames";
import type { Override, Panel } from "../../model/schema";
import { NOTHING, type PanelData } from "../source";
import { drawingOf, linesOf } from "./lines";

const data: PanelData = {
  ...NOTHING, span: { start: 0, end: 10 }, step: 10,
  frames: [{ ...emptyFrame({ id: "A", expr: "" }, ""), series: ["in", "out", "sum"].map((name, i) => ({ key: name, name, labels: {}, times: [0, 10], values: [i + 1, i + 2] })) }],
};
const made = (...overrides: Override[]) => linesOf({ id: "p", type: "timeseries", title: "", overrides } as Panel, data, 40, "dark");
const style = { stack: false, share: false, drawAs: "lines" as const };

describe("lines", () => {
  it("take what overrides say", () => {
    const lines = made(
      { match: { by: "name", is: "out" }, set: { negative: true, color: "#123456", title: "Out", axis: "right", dash: [2, 2], lineWidth: 3, fill: 10, draw: "bars" } },
      { match: { by: "name", is: "sum" }, set: { hideFrom: ["chart", "tooltip"] } }, { match: { by: "name", is: "in" }, set: { between: "Out" } });
    expect(lines.map((line) => [line.name, line.values, line.drawn, line.inLegend, line.inTooltip])).toEqual([["in", [1, 2], true, true, true], ["Out", [-2, -3], true, true, true], ["sum", [3, 4], false, true, false]]);
    const { series, bands } = drawingOf(lines, new Set(["in"]), style);
    expect(series[1]).toEqual({ key: "out", name: "Out", color: "#123456", hidden: false, right: true, dash: [2, 2], width: 3, fill: 10, drawAs: "bars" });
    expect(series.map((one) => one.hidden)).toEqual([true, false, true]);
    expect(bands).toEqual([[0, 1]]);
  });
  it("stack from the top down, below zero apart, and one may stand out", () => {
    const lines = made({ match: { by: "name", is: "out" }, set: { negative: true } }, { match: { by: "name", is: "sum" }, set: { stack: "" } });
    expect(drawingOf(lines, new Set(), { ...style, stack: true }).columns).toEqual([[3, 4], [-2, -3], [1, 2]]);
    expect(drawingOf(made(), new Set(), { ...style, stack: true }).columns).toEqual([[6, 9], [3, 5], [1, 2]]);
  });
});
