"""Random PromQL that Prometheus 2.42 and 3 both understand, from a seeded generator.

Times: queries are at 7 s past multiples of 10 s, ranges, offsets and steps are multiples of 10 s, a subquery within a
subquery is 3 s longer. So neither samples nor the steps of subqueries stand on a window's border.
"""
import samples

# What may be in a vector, and what it is like. Names with a metric of one value per label set come first.
GAUGES = ["temperature", "memory_bytes", "flaky", "tiny", "special", "sparse", "late", "early", "ended", "many", "up"]
COUNTERS = ["requests_total", "errors_total", "latency_seconds_count", "latency_seconds_sum", "cpu_seconds_total",
            "paid_total"]
MATCHERS = {
    "requests_total": ['{job="api"}', '{code!="500"}', '{instance=~"a.*|b.*"}', '{job!~"api|x"}', '{code="200"}', ""],
    "errors_total": ['{job=~".+"}', '{instance="a:9100"}', ""],
    "temperature": ['{zone="eu"}', '{zone=~"u."}', '{job=""}', '{absent=""}', ""],
    "special": ['{n="0"}', '{n=~"[12]"}', ""],
}
MAPS = ["abs", "acos", "acosh", "asin", "asinh", "atan", "atanh", "ceil", "cos", "cosh", "deg", "exp", "floor", "ln",
        "log10", "log2", "rad", "sgn", "sin", "sinh", "sqrt", "tan", "tanh", "timestamp"]
DATES = ["day_of_month", "day_of_week", "day_of_year", "days_in_month", "hour", "minute", "month", "year"]
COUNTER_ROLLUPS = ["rate", "increase", "irate", "resets"]
GAUGE_ROLLUPS = ["avg_over_time", "changes", "count_over_time", "delta", "deriv", "idelta", "last_over_time",
                 "max_over_time", "min_over_time", "present_over_time", "stddev_over_time", "stdvar_over_time",
                 "sum_over_time", "absent_over_time"]
OTHERS = ["absent", "clamp", "clamp_max", "clamp_min", "round", "label_replace", "label_join", "sort", "sort_desc",
          "vector", "histogram_quantile", "predict_linear", "quantile_over_time", "smoothing"]
AGGREGATES = ["sum", "avg", "count", "min", "max", "group", "stddev", "stdvar"]
RANKS = ["topk", "bottomk", "quantile", "count_values"]
ARITHMETIC = ["+", "-", "*", "/", "%", "^", "atan2"]
COMPARISONS = ["==", "!=", ">", "<", ">=", "<="]
SETS = ["and", "or", "unless"]
GROUPINGS = ["", "by (job)", "by (job, instance)", "without (instance)", "by ()", "without ()", "by (nothing)",
             "by (zone, code)", "without (job, code)"]
RANGES = ["50s", "1m", "2m", "5m", "10m", "30m"]
NUMBERS = ["0", "1", "2", "-1", "0.5", "1e3", "NaN", "Inf", "-Inf", "3.7", "-2.25", "0x1F"]


class Grammar:
    def __init__(self, random):
        self.random = random
        self.inside_subquery = 0

    def pick(self, choices):
        return self.random.choice(choices)

    def chance(self, probability):
        return self.random.random() < probability

    # Parts

    def modifiers(self):
        out = []
        if self.chance(0.15):
            out.append("offset " + self.pick(["10s", "1m", "5m", "-1m", "-30s", "20m"]))
        if self.chance(0.12):
            out.append("@ " + self.pick(["start()", "end()", str(samples.BASE + 1207), str(samples.BASE + 4507) + ".0"]))
        self.random.shuffle(out)
        return "".join(" " + modifier for modifier in out)

    def name(self, names):
        name = self.pick(names)
        return name + self.pick(MATCHERS.get(name, [""]))

    def selector(self, names=None):
        return self.name(names or GAUGES + COUNTERS) + self.modifiers()

    def matrix(self, names, depth):
        if depth > 0 and self.inside_subquery < 2 and self.chance(0.25):
            self.inside_subquery += 1
            inner = self.vector(depth - 1)
            self.inside_subquery -= 1
            window = self.pick(["2m", "5m", "10m"]) + ("3s" if self.inside_subquery else "")
            return f"({inner})[{window}:{self.pick(['10s', '30s', '1m', '2m', ''])}]{self.modifiers()}"
        return f"{self.name(names)}[{self.pick(RANGES)}]{self.modifiers()}"

    def scalar(self, depth):
        kind = self.random.randrange(6)
        if depth <= 0 or kind < 2:
            return self.pick(NUMBERS)
        if kind == 2:
            return self.pick(["time()", "pi()", f"(time() - {samples.BASE})"])
        if kind == 3:
            return f"scalar({self.vector(depth - 1)})"
        if kind == 4:
            return f"({self.scalar(depth - 1)} {self.pick(ARITHMETIC)} {self.scalar(depth - 1)})"
        return f"({self.scalar(depth - 1)} {self.pick(COMPARISONS)} bool {self.scalar(depth - 1)})"

    # One form each

    def map(self, depth, name=None):
        name = name or self.pick(MAPS)
        inner = self.vector(depth - 1)
        if name in ("sin", "cos", "tan"):
            inner = f"clamp({inner}, -100, 100)"  # of a large value they are noise
        return f"{name}({inner})"

    def date(self, depth, name=None):
        name = name or self.pick(DATES)
        return f"{name}({self.pick(['', 'epoch', 'vector(time())', 'epoch' + self.modifiers()])})"

    def counter_rollup(self, depth, name=None):
        name = name or self.pick(COUNTER_ROLLUPS)
        if depth > 1 and self.chance(0.3):
            # Values near zero are extrapolated in another way now: changes.py.
            inner = f"{self.pick(['sum', 'max', 'min', 'avg'])} {self.pick(GROUPINGS)} ({self.selector(COUNTERS)})"
            return f"{name}(({inner})[{self.pick(RANGES)}{'3s' if self.inside_subquery else ''}:{self.pick(['10s', '30s'])}])"
        return f"{name}({self.matrix(COUNTERS, 0)})"

    def gauge_rollup(self, depth, name=None):
        name = name or self.pick(GAUGE_ROLLUPS)
        if name in ("stddev_over_time", "stdvar_over_time"):
            return f"{name}({self.matrix(['temperature', 'memory_bytes', 'flaky'], 0)})"  # overflows: changes.py
        return f"{name}({self.matrix(GAUGES + COUNTERS, depth - 1)})"

    def other(self, depth, name=None):
        name = name or self.pick(OTHERS)
        vector = self.vector(depth - 1)
        if name == "clamp":
            return f"clamp({vector}, {self.scalar(depth - 1)}, {self.scalar(depth - 1)})"
        if name in ("clamp_max", "clamp_min"):
            return f"{name}({vector}, {self.scalar(depth - 1)})"
        if name == "round":
            return f"round({vector}{self.pick(['', ', 0.1', ', 5', ', 0', ', -3'])})"
        if name == "label_replace":
            target, text, source, pattern = self.pick(
                [("job", "$1-x", "instance", "(.*):.*"), ("new", "$1$2", "job", "(a)(.*)"), ("zone", "", "zone", ".*"),
                 ("new", "${n}", "instance", "(?P<n>[a-z]):.*"), ("instance", "same", "job", ".*"),
                 ("", "x", "job", ".*"), ("new", "x", "job", "(")])
            return f'label_replace({vector}, "{target}", "{text}", "{source}", "{pattern}")'
        if name == "label_join":
            return f'label_join({vector}, "joined", "{self.pick(["-", "", ","])}", "job", "instance", "none")'
        if name == "vector":
            return f"vector({self.scalar(depth - 1)})"
        if name == "histogram_quantile":
            q = self.pick(["0", "0.5", "0.9", "0.99", "1", "-1", "2", "NaN"])
            inner = self.pick(["latency_seconds_bucket", "rate(latency_seconds_bucket[5m])",
                               "sum by (le, job) (latency_seconds_bucket)", "sum by (le) (increase(latency_seconds_bucket[10m]))",
                               'latency_seconds_bucket{le!="+Inf"}', "temperature"])
            return f"histogram_quantile({q}, {inner})"
        if name == "predict_linear":
            # Prometheus moves a window that @ holds, here alone, over samples that it did not read.
            window = self.matrix(GAUGES, 0).split(" @")[0]
            return f"predict_linear({window}, {self.scalar(0)})"
        if name == "quantile_over_time":
            return f"quantile_over_time({self.pick(['0', '0.3', '0.5', '0.95', '1', '-1', '7', 'NaN'])}, {self.matrix(GAUGES, depth - 1)})"
        if name == "smoothing":
            return f"holt_winters({self.matrix(GAUGES, 0)}, {self.pick(['0.1', '0.5', '0.9'])}, {self.pick(['0.1', '0.5', '0.8'])})"
        return f"{name}({vector})"

    def aggregate(self, depth, name=None):
        name = name or self.pick(AGGREGATES)
        inner = self.vector(depth - 1)
        if name in ("stddev", "stdvar"):
            inner = f"({inner}) > -1e15 < 1e15"  # of one infinity or NaN: changes.py
        return f"{name} {self.pick(GROUPINGS)} ({inner})"

    def rank(self, depth, name=None):
        name = name or self.pick(RANKS)
        # Equal values at the edge of topk are anybody's choice: only metrics without.
        distinct = self.pick(["temperature", "tiny", "late", "rate(latency_seconds_sum[10m])", "avg_over_time(temperature[5m])"])
        if name in ("topk", "bottomk"):
            return f"{name} {self.pick(GROUPINGS)} ({self.pick(['0', '1', '2', '3', '100', '-1'])}, {distinct})"
        if name == "quantile":
            return f"quantile {self.pick(GROUPINGS)} ({self.pick(['0', '0.5', '0.9', '1', '-1', '1.5', 'NaN'])}, {self.vector(depth - 1)})"
        inner = self.pick(["replicas", "up", "round(temperature)", "special"])
        return f'count_values {self.pick(GROUPINGS)} ("{self.pick(["value", "job", "n"])}", {inner})'

    def operator(self, depth, operator=None):
        operator = operator or self.pick(ARITHMETIC + COMPARISONS + SETS)
        flag = self.pick(["", " bool"]) if operator in COMPARISONS else ""
        if operator not in SETS and self.chance(0.4):
            vector = self.vector(depth - 1)
            # The name that atan2 keeps in Prometheus 2: changes.py.
            pair = [f"abs({vector})" if operator == "atan2" else vector, self.scalar(depth - 1)]
            self.random.shuffle(pair)
            return f"({pair[0]}) {operator}{flag} ({pair[1]})"
        left, right, matching = self.pick([
            ("temperature", "memory_bytes", ""),
            ("temperature", "memory_bytes", "on (job, instance)"),
            ("temperature", "errors_total", "ignoring (zone)"),
            ("requests_total", "errors_total", "on (job, instance) group_left ()"),
            ("requests_total", "temperature", "on (job, instance) group_left (zone)"),
            ("requests_total", "temperature", "ignoring (code, zone) group_left (zone)"),
            ("build_info", "requests_total", "on (job, instance) group_right (version)"),
            ("requests_total", "errors_total", "on (job, instance)"),
            ("errors_total", "requests_total", "on (job, instance)"),
            ("requests_total", "errors_total", "on (job) group_left ()"),
            ('requests_total{code="200"}', 'requests_total{code="500"}', "ignoring (code)"),
            ('requests_total{code="200"}', 'requests_total{code="500"}', ""),
            ("rate(requests_total[5m])", "rate(errors_total[5m])", "on (job, instance) group_left ()"),
            ("sum by (job) (requests_total)", "sum by (job) (errors_total)", ""),
            ("sum by (job) (replicas)", "count by (job) (up)", "on (job)"),
            ("sum(replicas)", "scalar(sum(up)) * vector(2)", "on ()"),
            ("special", "flaky", "on (n)"),
            ("late", "early", ""),
            (None, None, ""),
        ])
        if operator in COMPARISONS and left == "requests_total" and matching == "on (job, instance)":
            flag = " bool"  # many-to-one that a comparison hides: changes.py
        if operator in SETS:
            matching = matching.split(" group")[0]
        left, right = left or self.vector(depth - 1), right or self.vector(depth - 1)
        if operator == "atan2":
            left, right = f"abs({left})", f"abs({right})"
        return f"({left}) {operator}{flag} {matching} ({right})"

    def vector(self, depth):
        if depth <= 0:
            return self.selector()
        form = self.random.choices(
            [self.map, self.date, self.counter_rollup, self.gauge_rollup, self.other, self.aggregate, self.rank,
             self.operator, self.negated, lambda _: self.selector()], [2, 0.7, 3, 4, 3, 4, 1.5, 4, 0.5, 1])[0]
        return form(depth)

    def negated(self, depth):
        return f"-({self.vector(depth - 1)})"

    # Queries

    def times(self):
        """{"time"} or {"start", "end", "step"}: at 7 s past a multiple of 10 s."""
        at = samples.BASE + 7 + 10 * self.random.randrange(-60, samples.SPAN // 10 + 60)
        if self.chance(0.45):
            return {"time": at}
        step = 10 * self.pick([1, 3, 6, 30])
        return {"start": at, "end": at + step * self.random.randrange(0, 40), "step": step}

    def queries(self, count):
        """Each form by name first, then whatever comes."""
        named = ([(self.map, n) for n in MAPS] + [(self.date, n) for n in DATES] +
                 [(self.counter_rollup, n) for n in COUNTER_ROLLUPS] + [(self.gauge_rollup, n) for n in GAUGE_ROLLUPS] +
                 [(self.other, n) for n in OTHERS] + [(self.aggregate, n) for n in AGGREGATES] +
                 [(self.rank, n) for n in RANKS] + [(self.operator, o) for o in ARITHMETIC + COMPARISONS + SETS])
        made = 0
        for form, name in named * 3:
            if made < count:
                made += 1
                yield form(self.random.randrange(1, 3), name), self.times()
        while made < count:
            made += 1
            if self.chance(0.08):
                yield self.scalar(2), self.times()
            else:
                yield self.vector(self.random.randrange(1, 5)), self.times()
