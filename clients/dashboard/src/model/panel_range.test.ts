import { expect, it } from "vitest";
import { panelSpan, rangeText } from "./panel_range";
import type { Panel } from "./schema";

const panel = (change: Partial<Panel>): Panel => ({ id: "a", type: "stat", title: "", ...change });
const page = { start: 1000, end: 2000 };

it.each([
  [{}, [1000, 2000], ""], [{ last: "1h" }, [1400, 5000], "last 1h"], [{ earlier: "10m" }, [400, 1400], "10m earlier"], [{ last: "1h", earlier: "10m" }, [800, 4400], "last 1h, 10m earlier"],
  [{ last: "1h", rangeHidden: true }, [1400, 5000], ""], [{ last: "x" }, [1000, 2000], ""],
])("%j", (change, [start, end], text) => {
  expect(panelSpan(panel(change), page, 5000)).toEqual({ start, end });
  expect(rangeText(panel(change))).toBe(text);
});
