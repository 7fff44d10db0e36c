import { expect, it } from "vitest";
import { piecesOf } from "./runs";

it("joins what is equal and leaves gaps", () => {
  expect(piecesOf([0, 0, 1, null, 1])).toEqual([{ from: 0, to: 2, value: 0 }, { from: 2, to: 3, value: 1 }, { from: 4, to: 5, value: 1 }]);
});
