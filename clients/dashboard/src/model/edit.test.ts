import { describe, expect, it } from "vitest";
import { compare } from "./conflict";
import { addPanel, changePanel, freePanelId, movePanelBefore, nameOf, nudgePanel, panelsOf, removePanel, resizePanel, textOf } from "./edit";
import type { Dashboard, Panel } from "./schema";

const panel = (id: string, more: Partial<Panel> = {}): Panel => ({ id, type: "stat", title: id.toUpperCase(), ...more });
const board: Dashboard = { schema: 1, id: "d", title: "D", rows: [{ title: "R", panels: [panel("a"), panel("b")] }, { panels: [panel("c")] }] };
const order = (dashboard: Dashboard) => dashboard.rows.map((row) => row.panels.map((p) => p.id).join(" "));

describe("edit", () => {
  it("adds, changes and removes, and leaves what was as it was", () => {
    const before = textOf(board);
    expect(order(addPanel(board, panel("d")))).toEqual(["a b", "c d"]);
    expect(order(addPanel(board, panel("a")))).toEqual(["a b", "c p4"]);
    expect(order(addPanel({ ...board, rows: [] }, panel("a")))).toEqual(["a"]);
    expect(order(removePanel(board, "a"))).toEqual(["b", "c"]);
    expect(panelsOf(changePanel(board, "b", (p) => ({ ...p, title: "new" }))).map((p) => p.title)).toEqual(["A", "new", "C"]);
    expect(textOf(board)).toBe(before);
    expect(freePanelId(addPanel(board, panel("p4")))).toBe("p5");
  });
  it("moves before another panel", () => {
    expect(order(movePanelBefore(board, "c", "a"))).toEqual(["c a b", ""]);
    expect(order(movePanelBefore(board, "a", "c"))).toEqual(["b", "a c"]);
    expect(movePanelBefore(board, "a", "a")).toBe(board);
    expect(movePanelBefore(board, "a", "x")).toBe(board);
  });
  it.each([
    ["a", 1, ["b a", "c"]], ["b", 1, ["a", "b c"]], ["c", -1, ["a b c", ""]], ["a", -1, ["a b", "c"]], ["c", 1, ["a b", "c"]],
  ] as const)("nudges %s by %i", (id, by, want) => expect(order(nudgePanel(board, id, by))).toEqual(want));
  it("sizes within bounds", () => {
    expect(panelsOf(resizePanel(board, "a", 40, 0.4))[0]).toMatchObject({ width: 12, height: 2 });
    expect(panelsOf(resizePanel(board, "a", 3.4, 9.6))[0]).toMatchObject({ width: 3, height: 10 });
  });
  it("names", () => expect([nameOf("Node exporter (full)"), nameOf("Ümläute"), nameOf("!")]).toEqual(["node-exporter-full", "ml-ute", "dashboard"]));
});

describe("compare", () => {
  const change = (id: string, title: string) => changePanel(board, id, (p) => ({ ...p, title }));
  it("puts changes of different panels together", () => {
    const mine = addPanel(change("a", "mine"), panel("m"));
    const theirs = { ...addPanel(removePanel(board, "b"), panel("t")), title: "Theirs" };
    const { merged, panels, settings } = compare(board, mine, theirs);
    expect(settings).toEqual([]);
    expect(panels.map((p) => [p.id, p.mine, p.theirs, p.conflict])).toEqual([
      ["a", "changed", "same", false], ["t", "same", "added", false], ["b", "same", "removed", false], ["m", "added", "same", false],
    ]);
    expect(merged?.title).toBe("Theirs");
    expect(merged && order(merged)).toEqual(["a", "c t m"]);
    expect(merged && panelsOf(merged)[0]?.title).toBe("mine");
  });
  it("shows both sides of one panel, and puts nothing together", () => {
    const { merged, panels } = compare(board, change("a", "mine"), change("a", "theirs"));
    expect(merged).toBeUndefined();
    expect(panels).toMatchObject([{ id: "a", conflict: true, myPanel: { title: "mine" }, theirPanel: { title: "theirs" } }]);
    expect(compare(board, change("a", "x"), removePanel(board, "a")).panels).toMatchObject([{ mine: "changed", theirs: "removed", conflict: true }]);
  });
  it("takes the same change of both for one, and names settings that both changed", () => {
    expect(compare(board, change("a", "x"), change("a", "x")).merged).toEqual(change("a", "x"));
    expect(compare(board, { ...board, title: "x" }, { ...board, title: "y" })).toMatchObject({ settings: ["title"], merged: undefined });
  });
  it("keeps the order of who moved something", () => {
    const mine = movePanelBefore(board, "b", "a");
    expect(compare(board, mine, change("c", "x")).merged?.rows.map((r) => r.panels.map((p) => p.title))).toEqual([["B", "A"], ["x"]]);
  });
});
