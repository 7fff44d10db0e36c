import { describe, expect, it } from "vitest";
import { drawnRows } from "./repeat";
import type { Dashboard } from "./schema";

const board: Dashboard = {
  schema: 1, id: "d", title: "D",
  rows: [{ title: "Of $job", repeat: "job", panels: [{ id: "a", type: "stat", title: "$disk of $job", repeat: { variable: "disk", most: 2 } }] }, { panels: [{ id: "b", type: "text", title: "$50", width: 3 }] }],
};
const values = { job: { query: "x|y", list: ["x", "y"] }, disk: { query: "", list: ["1", "2", "3"], texts: ["one", "two", "three"] } };

describe("drawnRows", () => {
  it("are one for each value, each with its own", () => {
    const rows = drawnRows(board, values);
    expect(rows.map((row) => row.title)).toEqual(["Of x", "Of y", undefined]);
    expect(rows[1]?.panels.map(({ key, panel, values: own }) => [key, panel.title, panel.width, own?.job, own?.disk])).toEqual([
      ["a~y", "one of y", 6, { query: "y", pattern: "y", list: ["y"] }, { query: "1", pattern: "1", list: ["1"], texts: ["one"] }],
      ["a~y~2", "two of y", 6, { query: "y", pattern: "y", list: ["y"] }, { query: "2", pattern: "2", list: ["2"], texts: ["two"] }],
      ["a~y~3", "three of y", 6, { query: "y", pattern: "y", list: ["y"] }, { query: "3", pattern: "3", list: ["3"], texts: ["three"] }],
    ]);
  });
  it("are as they are written until the values are known, and the same objects where nothing changes", () => {
    expect(drawnRows(board, undefined).map((row) => row.panels.map((one) => one.panel.title))).toEqual([["$disk of $job"], ["$50"]]);
    expect(drawnRows(board, values)[2]?.panels[0]?.panel).toBe(board.rows[1]?.panels[0]);
  });
});
