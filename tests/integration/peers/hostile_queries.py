"""200 queries that nobody means well with, for test_hostile_queries.py and tests/bench/hostile_latency.py: deep nesting,
huge ranges, tiny steps, heavy regular expressions, cartesian products, and what costs memory or time in one function."""
import random

T0 = 1_700_000_000
HOSTS = 400
METRICS = 5
SAMPLES = 360  # 10 s apart


def load(server, db="hostile"):
    """2,000 series with an hour of samples: enough that a careless query is dear."""
    for start in range(0, SAMPLES, 30):
        lines = []
        for host in range(HOSTS):
            tags = f"host=h{host},region=r{host % 8},rack=k{host % 50}"
            for i in range(start, start + 30):
                fields = ",".join(f"f{m}={(host * 31 + i * 17 + m) % 1000 / 10}" for m in range(METRICS))
                lines.append(f"load,{tags} {fields} {T0 + i * 10}000000000")
        reply = server.write("\n".join(lines), db=db)
        if reply.status != 204:
            raise RuntimeError(reply.body)


def queries():
    """(what, path, parameters) each."""
    out = []

    def instant(what, query, **more):
        out.append((what, "/api/v1/query", {"query": query, "time": T0 + 3600, **more}))

    def ranged(what, query, start=T0, end=T0 + 3600, step=1, **more):
        out.append((what, "/api/v1/query_range", {"query": query, "start": start, "end": end, "step": step,
                                                  "nocache": "1", **more}))

    every = '{__name__=~".+"}'
    # Deep nesting.
    for depth in (50, 99, 500, 5000):
        instant(f"{depth} parentheses", "(" * depth + "load_f0" + ")" * depth)
        instant(f"{depth} signs", "-" * depth + "load_f0")
        instant(f"{depth} calls", "abs(" * depth + "load_f0" + ")" * depth)
        ranged(f"{depth} sums", "sum(" * depth + "load_f0" + ")" * depth)
        ranged(f"a chain of {depth}", " + ".join(["load_f0"] * depth))
        instant(f"{depth} ors", " or ".join(["load_f0"] * depth))
        ranged(f"{depth} sorts", "sort(" * depth + "load_f0" + ")" * depth)
    for depth in range(1, 9):
        instant(f"{depth} subqueries in one another", "sum_over_time(" * depth + "load_f0" + "[1h:1s])" * depth)
        ranged(f"{depth} ranged subqueries", "max_over_time(" * depth + "load_f0" + "[30m:10s])" * depth, step=10)
    # Huge ranges.
    for span in ("1d", "1y", "10y", "100y", "290y"):
        ranged(f"rate over {span}", f"rate(load_f0[{span}])")
        ranged(f"quantile over {span}", f"quantile_over_time(0.9, load_f0[{span}])")
        ranged(f"deriv over {span}", f"deriv(load_f1[{span}])")
        ranged(f"a subquery over {span}", f"stddev_over_time(load_f0[{span}:1m])", step=60)
        instant(f"everything over {span}", every + f"[{span}]")
        ranged(f"mad over {span}", f"mad_over_time(load_f0[{span}])")
        ranged(f"offset {span}", f"rate(load_f0[{span}] offset {span})")
        ranged(f"a forecast over {span}", f"tm_forecast_linear(load_f0[{span}], 3600, 0.9)")
        ranged(f"seasons over {span}", f"tm_forecast_seasonal(load_f0[{span}], 60, 3600, 0.9)")
        ranged(f"pooled over {span}", f"tm_pooled_quantile(0.9, {every}[{span}])")
        ranged(f"days of {span}", f"tm_calendar_quantile(0.5, load_f0[{span}], \"day\", \"Europe/Berlin\")")
    # Tiny steps.
    for step in (0.001, 0.01, 0.1, 0.33):
        ranged(f"steps of {step}", every, step=step)
        ranged(f"a subquery of {step}", f"max_over_time(load_f0[1h:{int(step * 1000)}ms])", step=60)
        instant(f"an instant subquery of {step}", f"sum(quantile_over_time(0.5, {every}[1h:{int(step * 1000)}ms]))")
        ranged(f"a short range with {step}", f"quantile_over_time(0.5, {every}[1h])", end=T0 + 10_000 * step, step=step)
        instant(f"a year of {step}", f"count_over_time(vector(1)[1y:{int(step * 1000)}ms])")
    # Regular expressions.
    for what, pattern in {
            "nested stars": "(((((a*)*)*)*)*)*b", "nested pluses": "((h+)+)+x", "alternatives": "|".join(["(x+x+)+y"] * 200),
            "dots": ".*.*.*.*.*.*.*.*.*.*x", "repetition": "(h{1,1000}){1,1000}", "a counted class": "[a-z0-9]{500}.*",
            "many names": "|".join(f"h{i}" for i in range(1500)), "many prefixes": "|".join(f"h{i}.*" for i in range(800)),
            "optional": "h?" * 300 + "1", "unicode": "\\\\p{L}*" * 100, "backtracking": "(h|h)*1", "empty": "()*" * 500,
            "case": "(?i)" + "H" * 1000 + ".*", "no end": ".*(.*)(.*)(.*)(.*)$"}.items():
        instant(f"a regex: {what}", f'load_f0{{host=~"{pattern}"}}')
        ranged(f"not a regex: {what}", f'sum(rate({{__name__=~"load.*", host!~"{pattern}"}}[1h]))')
        instant(f"replaced by {what}", f'label_replace(load_f0, "d", "$1$1$1", "host", "{pattern}")')
    # Joins and labels.
    for what, query in {
            "many to many": "load_f0 * on() load_f1", "group_left of all": f"{every} * on() group_left {every}",
            "by region": "load_f0 * on(region) group_left load_f1", "ignoring all": "load_f0 * ignoring(host, rack) load_f1",
            "and": f"{every} and {every}", "unless": f"{every} unless on(host) {every}", "ors": " or ".join([every] * 40),
            "fill": "load_f0 + on(host) load_f1", "topk": f"topk(100000, {every})", "bottomk": f"bottomk(1999, {every})",
            "counted": f'count_values("v", {every})', "counted times": f'count_values("v", {every} * time())',
            "quantile": f"quantile(0.5, {every})", "stddev by": f"stddev by (host, rack, region, __name__) ({every})",
            "joined": f'label_join({every}, "x", "{"y" * 4000}", "host", "host", "host")',
            "replaced": 'label_replace(load_f0, "x", "' + "$1" * 1500 + '", "host", "(.*)")',
            "doubled": 'label_join(' * 20 + "load_f0" + ', "host", "", "host", "host")' * 20,
            "sorted": f'sort_by_label({every}, "host", "rack", "region")', "absent": "absent_over_time(load_f0[290y])",
            "cubes": f"sum without (host) ({every}) * on() group_left () count({every})",
            "buckets": f"histogram_quantile(0.9, label_replace({every}, \"le\", \"$1\", \"host\", \"h(.*)\"))",
            "smoothed": "double_exponential_smoothing(load_f0[1h], 0.5, 0.5)", "limit": f"limitk(1999, {every})"}.items():
        instant(f"instant: {what}", query)
        ranged(f"ranged: {what}", query)
    ordered = random.Random(4)
    ordered.shuffle(out)
    return out
