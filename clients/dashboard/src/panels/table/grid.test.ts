import { expect, it } from "vitest";
import { sortRows, textCell, type GridRow } from "./grid";

const columns = [{ id: "a", title: "a" }];
const rows: GridRow[] = ["x10", "x9", "x1"].map((name) => ({ key: name, cells: [textCell(name)] }));

it("sorts by numbers in texts, and leaves the foot below", () => {
  const all = [{ key: "total", foot: true, cells: [textCell("a")] }, ...rows];
  expect(sortRows(all, columns, { column: "a", down: false }).map((r) => r.key)).toEqual(["x1", "x9", "x10", "total"]);
  expect(sortRows(all, columns, { column: "a", down: true }).map((r) => r.key)).toEqual(["x10", "x9", "x1", "total"]);
  expect(sortRows(all, columns, undefined).map((r) => r.key)).toEqual(["x10", "x9", "x1", "total"]);
});
