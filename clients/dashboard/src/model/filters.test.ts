import { describe, expect, it } from "vitest";
import { parseFilters, withFilters } from "./filters";

describe("withFilters", () => {
  it.each([
    ["up", 'up{env="x"}'],
    ['sum by (job, le) (rate(a_total{b="c{"}[5m]))', 'sum by (job, le) (rate(a_total{env="x",b="c{"}[5m]))'],
    ["a / on (host) group_left (name) b offset 5m", 'a{env="x"} / on (host) group_left (name) b{env="x"} offset 5m'],
    ['{__name__=~"x.*"} or vector(1)', '{env="x",__name__=~"x.*"} or vector(1)'],
    ["max_over_time(a:b{}[1h:5m] @ start()) > bool 1e3", 'max_over_time(a:b{env="x"}[1h:5m] @ start()) > bool 1e3'],
    ['label_replace(x, "a", "$1", "b", "(.*)") # not_this', 'label_replace(x{env="x"}, "a", "$1", "b", "(.*)") # not_this'],
    ["histogram_quantile(0.9, sum(rate(h_bucket[1m])) by (le)) and Inf", 'histogram_quantile(0.9, sum(rate(h_bucket{env="x"}[1m])) by (le)) and Inf'],
  ])("%s", (expr, want) => expect(withFilters(expr, ['env="x"'])).toBe(want));
  it("leaves what no filter is for", () => expect(withFilters("up", [])).toBe("up"));
});

it("reads what people write", () => expect(parseFilters('a="1", b!~"x\\"y" c=2')).toEqual(['a="1"', 'b!~"x\\"y"']));
