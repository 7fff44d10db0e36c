"""What Prometheus 3 does differently from 2.42, on purpose. Each entry: a query, its time, the values that it gives
now, and why. The run fails when an entry is not a difference any more.
"""
import math

import samples

AT = samples.BASE + 640  # a whole minute


def series():
    """Samples on whole seconds, a minute apart: 1, 2, 4 ... at AT - 4 min up to AT, and a counter that begins at 10."""
    powers = [((AT - 240 + 60 * i) * 1000, float(2 ** i)) for i in range(5)]
    born = [((AT - 60 + 20 * i) * 1000, 10.0 + 10 * i) for i in range(4)]
    return [({"__name__": "on_the_second"}, powers), ({"__name__": "born_total"}, born),
            ({"__name__": "endless", "n": "0"}, [((AT - 10) * 1000, float("inf"))]),
            ({"__name__": "overflowing"}, [((AT - 100 + 10 * i) * 1000, value) for i, value in enumerate([1.0, 1e308, 2.0])]),
            ({"__name__": "side", "n": "0"}, [((AT - 10) * 1000, 1.0)]),
            ({"__name__": "side", "n": "1"}, [((AT - 10) * 1000, 3.0)])]


CHANGES = [
    {"query": "sum_over_time(on_the_second[1m])", "time": AT, "now": ["16"], "why": "ranges are open at their start"},
    {"query": "count_over_time(on_the_second[2m])", "time": AT, "now": ["2"], "why": "ranges are open at their start"},
    {"query": "count_over_time(vector(1)[2m:1m])", "time": AT, "now": ["2"],
     "why": "subqueries are open at their start"},
    {"query": "on_the_second", "time": AT + 300, "now": [], "why": "the look-back is open at its start"},
    {"query": "stddev(endless)", "time": AT, "now": ["NaN"], "why": "the deviation of an infinity is not 0"},
    {"query": "stddev_over_time(overflowing[5m])", "time": AT, "now": ["+Inf"],
     "why": "a compensated sum that overflows is infinite"},
    {"query": "on_the_second atan2 2", "time": AT, "now": [str(math.atan2(16, 2))], "labels": [{}],
     "why": "atan2 drops the name like every other operator"},
    {"query": 'label_replace(vector(1), "any name", "x", "", "")', "time": AT, "now": ["1"],
     "labels": [{"any name": "x"}], "why": "names of labels are UTF-8"},
    {"query": "increase(born_total[5m])", "time": AT, "now": ["35"],
     "why": "how far a counter is extended to zero is limited first"},
    {"query": "side > on () vector(2)", "time": AT, "now": [],
     "error": "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)",
     "why": "many-to-one is an error also where the comparison leaves one of the many"},
]
