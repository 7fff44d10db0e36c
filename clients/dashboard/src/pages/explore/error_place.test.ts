import { describe, expect, it } from "vitest";
import { placeOf } from "./error_place";

describe("placeOf", () => {
  it("marks the word that is named", () => {
    expect(placeOf('1:5: parse error: unexpected "nope"', "sum nope(x)")).toEqual({ from: 4, to: 8 });
    expect(placeOf("invalid parameter: 2:1: parse error", "sum(\nx y)")).toEqual({ from: 5, to: 6 });
  });
  it("stays inside of the text", () => {
    expect(placeOf("1:99: parse error: end of input", "sum(")).toEqual({ from: 3, to: 4 });
    expect(placeOf("9:1: parse error", "sum(")).toBeUndefined();
    expect(placeOf("the server does not answer", "sum(")).toBeUndefined();
  });
});
