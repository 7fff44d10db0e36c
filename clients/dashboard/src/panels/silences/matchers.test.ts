import { describe, expect, it } from "vitest";
import { matchersFor, matchersText, parseMatchers } from "./matchers";

describe("matchers", () => {
  it.each(['alertname="Hot"', 'a!="b", c=~"x|y", d!~"z"', 'path="C:\\\\x \\"y\\", z"'])("%s is read as it is written", (text) => {
    const read = parseMatchers(text);
    expect("matchers" in read && matchersText(read.matchers)).toBe(text);
  });
  it("need no quotes around plain words", () => expect(parseMatchers("a=b,c=d")).toEqual({ matchers: [{ name: "a", value: "b", isRegex: false, isEqual: true }, { name: "c", value: "d", isRegex: false, isEqual: true }] }));
  it.each([["", "A silence needs a matcher"], ["just words", '"just words" is no matcher']])("%s is refused", (text, why) => {
    const read = parseMatchers(text);
    expect("fault" in read && read.fault).toContain(why);
  });
  it("of an alert leave out where its rule stands", () => expect(matchersText(matchersFor({ alertname: "Hot", rule_group: "g", host: "a" }))).toBe('alertname="Hot", host="a"'));
});
