import { expect, test } from "vitest";
import { counted } from "./counted";

test("one is one, and none are many", () => {
  expect([counted(1, "rule"), counted(0, "rule"), counted(2, "group")]).toEqual(["1 rule", "0 rules", "2 groups"]);
});
