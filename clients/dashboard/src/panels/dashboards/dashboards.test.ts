import { expect, it } from "vitest";
import type { SavedInfo } from "../../api";
import { wantedBoards } from "./dashboards";

const board = (name: string, title: string, deleted = false): SavedInfo => ({ name, title, version: 1, bytes: 1, deleted, author: "", time: "" });
const all = [board("b", "Redis 2"), board("a", "Redis 10"), board("c", "Hosts"), board("d", "Redis gone", true)];

it.each([[{}, ["Hosts", "Redis 2", "Redis 10"]], [{ query: "redis" }, ["Redis 2", "Redis 10"]], [{ query: "$what", most: 1 }, ["Redis 2"]], [{ query: "none" }, []]])("%j", (options, want) => {
  expect(wantedBoards(all, options, { what: "Redis" }).map((one) => one.title)).toEqual(want);
});
