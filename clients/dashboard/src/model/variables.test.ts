import { describe, expect, it } from "vitest";
import {
  choicesBy, customChoices, escapeForString, inOrder, interpolate, interpolateShown, parseLabelValues, parseVariableQuery, referencesOf, sortChoices, withOnly,
} from "./variables";

describe("interpolate", () => {
  it("takes both forms and leaves unknown names", () => {
    expect(interpolate("a{x=\"$x\",y=\"${y}z\"}[$__range] $other", { x: "1", y: "2", __range: "5m" })).toBe('a{x="1",y="2z"}[5m] $other');
  });
  it("follows constants", () => {
    expect(interpolate("m{$run}", { run: 'pipeline="$pipeline",mode="parallel"', pipeline: "ci" })).toBe('m{pipeline="ci",mode="parallel"}');
  });
  it("ends where a value names itself", () => expect(interpolate("$a", { a: "$a" })).toBe("$a"));
  it("does not take the prototype's names for values", () => expect(interpolate("$constructor", {})).toBe("$constructor"));
});

describe("escapeForString", () => {
  it("keeps a value inside of its quotes", () => {
    const value = '"} or {x="$b\\';
    const text = interpolate('{a="$v"}', { v: escapeForString(value), b: "leaked" });
    expect(text).toBe('{a="\\"} or {x=\\"\\x24b\\\\"}');
  });
});

describe("parseLabelValues", () => {
  it.each([
    ["label_values(job)", undefined, "job"],
    ['label_values(up{a="b, c"}, job)', 'up{a="b, c"}', "job"],
  ])("%s", (text, match, label) => expect(parseLabelValues(text)).toEqual({ match, label }));
  it("refuses other functions", () => expect(parseLabelValues("metrics(.*)")).toBeUndefined());
});

describe("referencesOf", () => {
  it("names them", () => expect(referencesOf("$a ${b}")).toEqual(["a", "b"]));
});

describe("values that are several", () => {
  const nodes = { query: "a.b|c", pattern: "(a\\\\.b|c)", list: ["a.b", "c"], texts: ["A", "C"] };
  it("stand in patterns as one, elsewhere as they are", () => {
    expect(interpolate('x{n=~"$n", m!~"^${n}$", k="$n"}', { n: nodes })).toBe('x{n=~"(a\\\\.b|c)", m!~"^(a\\\\.b|c)$", k="a.b|c"}');
  });
  it.each([
    ["pipe", "a.b|c"], ["csv", "a.b,c"], ["raw", "a.b,c"], ["regex", "(a\\\\.b|c)"], ["glob", "{a.b,c}"], ["doublequote", '"a.b","c"'], ["singlequote", "'a.b','c'"], ["json", '["a.b","c"]'], ["text", "A + C"],
    ["queryparam", "var-n=a.b&var-n=c"], ["percentencode", "%7Ba.b%2Cc%7D"], ["unheardof", "a.b|c"],
  ])("${n:%s}", (format, want) => expect(interpolate(`\${n:${format}} [[n:${format}]]`, { n: nodes })).toBe(`${want} ${want}`));
  it("are called by their names where people read them", () => expect(interpolateShown("Rows of $n", { n: nodes })).toBe("Rows of A + C"));
  it("are called together what they are called together, and one by one what each is", () => {
    const all = { n: { ...nodes, called: "All" } };
    expect(interpolateShown("$n", all)).toBe("All");
    expect(interpolateShown("$n", withOnly(all, "n", 1))).toBe("C");
  });
  it("are one alone in what is drawn for each", () => expect(withOnly({ n: nodes }, "n", 0)).toEqual({ n: { query: "a.b", pattern: "a\\\\.b", list: ["a.b"], texts: ["A"] } }));
});

describe("choices", () => {
  it("of lists with names", () => expect(customChoices("a : 1, b\\,c,x:y")).toEqual([{ text: "a", value: "1" }, { text: "b,c", value: "b,c" }, { text: "x:y", value: "x:y" }]));
  it("by a pattern", () => {
    expect(choicesBy(/(\w+)-x/, ["a-x", "b", "a-x"])).toEqual([{ value: "a", text: "a" }]);
    expect(choicesBy(/(?<text>\w+):(?<value>\d+)/, ["a:1"])).toEqual([{ value: "1", text: "a" }]);
  });
  it("sorted", () => {
    const of = (names: string[], sort: string) => sortChoices(names.map((text) => ({ text, value: text })), sort).map((one) => one.text);
    expect(of(["n10", "n9"], "number")).toEqual(["n9", "n10"]);
    expect(of(["n10", "n9"], "name")).toEqual(["n10", "n9"]);
    expect(of(["a", "b"], "-name")).toEqual(["b", "a"]);
  });
});

describe("parseVariableQuery", () => {
  it.each([
    ["label_names(up)", { ask: "names", match: "up" }], ["label_names()", { ask: "names", match: undefined }], ["metrics(go_.*)", { ask: "metrics", pattern: "go_.*" }],
    ["query_result(topk(5, sum by (a) (b)))", { ask: "result", expr: "topk(5, sum by (a) (b))" }], ["SELECT 1", undefined],
  ])("%s", (text, want) => expect(parseVariableQuery(text)).toEqual(want));
});

describe("the order in which variables are looked up", () => {
  const of = (...all: [string, string, string?][]) => inOrder(all.map(([name, query, regex]) => ({ name, query, ...(regex ? { regex } : {}) }))).map((one) => one.name);
  it("is the file's where each names those before it", () => expect(of(["a", "label_values(a)"], ["b", "label_values(m{a=\"$a\"}, b)"])).toEqual(["a", "b"]));
  it("puts first what others refer to, in queries and patterns, over several", () => {
    expect(of(["c", "label_values(m{b=\"${b}\"}, c)"], ["b", "label_values(b)", "/[[a]].*/"], ["a", "label_values(a)"])).toEqual(["a", "b", "c"]);
  });
  it("leaves a ring as it is", () => expect(of(["a", "$b"], ["b", "$a"], ["c", "$c"])).toEqual(["b", "a", "c"]));
});
