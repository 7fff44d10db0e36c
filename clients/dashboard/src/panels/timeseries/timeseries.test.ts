import { describe, expect, it } from "vitest";
import { nextHidden } from "./timeseries";

describe("nextHidden", () => {
  const keys = ["a", "b", "c"];
  it("shows one alone, then all", () => {
    const alone = nextHidden(new Set(), keys, "b", false);
    expect([...alone]).toEqual(["a", "c"]);
    expect([...nextHidden(alone, keys, "b", false)]).toEqual([]);
  });
  it("goes from one to another", () => {
    expect([...nextHidden(new Set(["a", "c"]), keys, "c", false)]).toEqual(["a", "b"]);
  });
  it("toggles one", () => {
    expect([...nextHidden(new Set(["a"]), keys, "a", true)]).toEqual([]);
    expect([...nextHidden(new Set(["a"]), keys, "b", true)]).toEqual(["a", "b"]);
  });
});
