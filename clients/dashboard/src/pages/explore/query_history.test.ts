import { expect, it } from "vitest";
import { lastQueries, rememberQuery } from "./query_history";

it("keeps each once, newest first, and forgets what is damaged", () => {
  expect(lastQueries(rememberQuery(rememberQuery(rememberQuery(null, "a"), "b"), "a"))).toEqual(["a", "b"]);
  expect(lastQueries("{")).toEqual([]);
  expect(lastQueries('{"a":1}')).toEqual([]);
  expect(lastQueries('["a",5]')).toEqual(["a"]);
});
