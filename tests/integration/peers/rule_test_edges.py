"""More unit-test files of rules, in the form of rule_test_files.py: functions over time at the edges of their ranges, alerts that are
counted and kept, what templates make of several series, groups of other intervals, and files that are nearly right."""
from peers.rule_test_files import CHAIN, DOWN, JOB, UP, alerting, annotated, file, fires, gives, sample, test

TWO = [*UP, ('up{job="b"}', "1x20")]
NATIVE = "{{schema:0 count:10 sum:20 buckets:[1 2 3 4]}}"


def records(expr, series, when, want, more=""):
    """What a rule records as x."""
    return (file(test(series, gives("x", when, *([] if want is None else [sample(want, "x")])))), alerting(f"{{record: x, expr: '{expr}'{more}}}"))


CASES = {
    # Functions at the edges.
    "resets of a counter": records("resets(c[10m])", [("c", "1 5 2 8 3 9")], "5m", 2),
    "an increase over a reset": records("increase(c[5m])", [("c", "0 10 20 5 15 25")], "5m", 45),
    "a rate of one sample": records("rate(c[1m])", [("c", "_ _ _ 5")], "3m", None),
    "a rate over a hole": records("rate(c[10m])", [("c", "0 60 _x4 360 420")], "7m", 0.7),
    "irate of the last two": records("irate(c[5m])", [("c", "0 60 180")], "2m", 2),
    "idelta below zero": records("idelta(c[5m])", [("c", "9 3")], "1m", -6),
    "a quantile over time": records("quantile_over_time(0.5, c[5m])", [("c", "1 2 3 4 5")], "4m", 3),
    "a deviation over time": records("stddev_over_time(c[3m])", [("c", "2 4 4 4")], "3m", 0.8660254037844386),
    "what was present": records("present_over_time(c[5m])", [("c", "7 _x2 _")], "3m", 1),
    "absent over time": (file(test([("c", "1 _x3 _")], gives("x", "9m", sample(1, "x")))), alerting("{record: x, expr: 'absent_over_time(c[5m])'}")),
    "absent with labels": (file(test([("c", "1")], gives("x", "1m", sample(1, 'x{job="a"}')))), alerting("{record: x, expr: 'absent(nothing{job=\"a\"})'}")),
    "the last over time beyond the lookback": records("last_over_time(c[20m])", [("c", "7 _x15")], "15m", 7),
    "a stale marker within a range": records("count_over_time(c[5m])", [("c", "1 2 stale 3")], "3m", 3),
    "an offset into what is gone": records("c offset 5m", [("c", "1 2 stale")], "6m", 2),
    "at the start": records("c @ start()", [("c", "1+1x5")], "5m", 6),
    "a subquery of a rate": records("max_over_time(rate(c[2m])[5m:1m])", [("c", "0 60 120 300 360 420 480")], "6m", 3),
    "days of the calendar": records("day_of_month(vector(86400 * 31)) + month()", [("c", "1")], "1m", 2),
    "a scalar of two": records("scalar(up) + 1", TWO, "1m", "NaN"),
    "a division of zeros": (file(test([("c", "0")], gives("x != x", "0m", sample(".nan", "x")))), alerting("{record: x, expr: c / c}")),
    "clamped": records("clamp(c, 2, 4)", [("c", "9")], "0m", 4),
    "clamped the wrong way round": records("clamp(c, 4, 2)", [("c", "9")], "0m", None),
    "joined labels": (file(test([('c{a="1",b="2"}', "5")], gives("x", "0m", sample(5, 'x{a="1",b="2",ab="1-2"}')))),
                      alerting("{record: x, expr: 'label_join(c, \"ab\", \"-\", \"a\", \"b\")'}")),
    "many to one": (file(test([('m{a="1",b="2"}', "6"), ('n{a="1",v="z"}', "2")], gives("x", "0m", sample(3, 'x{a="1",b="2",v="z"}')))),
                    alerting("{record: x, expr: 'm / on (a) group_left (v) n'}")),
    "the greatest two": (file(test([('m{a="1"}', "6"), ('m{a="2"}', "7"), ('m{a="3"}', "5")], gives("count(x)", "0m", sample(2)))), alerting("{record: x, expr: 'topk(2, m)'}")),
    "counted by value": (file(test([('m{a="1"}', "6"), ('m{a="2"}', "6.5"), ('m{a="3"}', "6")], gives("x", "0m", sample(2, 'x{v="6"}'), sample(1, 'x{v="6.5"}')))),
                         alerting("{record: x, expr: 'count_values(\"v\", m)'}")),
    "a series in exponents": records("c", [("c", "1e-3+1e-3x3")], "3m", 0.004),
    "numbers of another base": records("c", [("c", "0x1F")], "0m", 31),
    # Native histograms, which 2.42 does not know in a file.
    "a native histogram": (file(test([("h", NATIVE)], gives("histogram_count(h)", "0m", sample(10)))), CHAIN),
    "a native histogram that is expected": (file(test([("h", "1")], f"promql_expr_test: [{{expr: h, eval_time: 0m, exp_samples: [{{labels: h, histogram: '{NATIVE}'}}]}}]")), CHAIN),
    "fuzzy comparison is not known": (file(test(UP, gives("up", "1m", sample(0, 'up{job="a"}'))), head="rule_files: [rules.yml]\nfuzzy_compare: true"), CHAIN),
    "nearly the same number": (file(test([("c", "0.1")], gives("c * 3", "0m", sample(0.3)))), CHAIN),
    "nearly the same number, to the last bit": (file(test([("c", "0.1")], gives("c * 3", "0m", sample("0.30000000000000004")))), CHAIN),
    # Templates over several series.
    "a sum in a template": annotated('{{ with query "sum(up)" }}{{ . | first | value | humanize }}{{ end }}', "1", TWO, 'up{job="a"}'),
    "nothing of a query": annotated('{{ with query "none" }}there{{ else }}nothing{{ end }}', "nothing"),
    "the first of nothing": annotated('{{ query "none" | first | value }}', ""),
    "labels in a loop": annotated("{{ range $k, $v := $labels }}{{ $k }}={{ $v }};{{ end }}", "__name__=up;job=a;"),
    "an answer by its labels": annotated('{{ range query "up" }}{{ if eq (label "job" .) "b" }}{{ .Value }}{{ end }}{{ end }}', "1", TWO, 'up{job="a"}'),
    "a host without its port": (file(test([('up{job="a.b:90"}', "0x5")], fires("A", "1m", "{exp_labels: {job: 'a.b:90'}, exp_annotations: {x: 'a.b|a:90'}}"))),
                                alerting("{alert: A, expr: up, annotations: {x: '{{ stripPort $labels.job }}|{{ stripDomain $labels.job }}'}}")),
    "an external label as a label": (file(test(UP, fires("Down", "1m", "{exp_labels: {job: a, dc: eu}}"), more="external_labels: {dc: eu}")),
                                     alerting(DOWN % ", labels: {dc: '{{ $externalLabels.dc }}'}")),
    "an external label is none of a series": (file(test(UP, gives("up", "1m", sample(0, 'up{job="a",dc="eu"}')), more="external_labels: {dc: eu}")), CHAIN),
    "a label from the value of the series": (file(test([('up{job="a"}', "3x5")], fires("A", "1m", "{exp_labels: {job: a, v: '3'}}"))), alerting("{alert: A, expr: up, labels: {v: '{{ $value }}'}}")),
    # Groups.
    "groups of two intervals in one test": (file(test(UP, gives("count_over_time(one[10m])", "9m", sample(10, '{job="a"}')))), CHAIN.replace("name: one,", "name: one, interval: 5m,")),
    "an order that names what is not there": (file(test(UP, fires("Three", "2m", JOB)), head="rule_files: [rules.yml]\ngroup_eval_order: [nobody, one, two, three]"), CHAIN),
    "an order that names one twice": (file(test(UP, fires("Three", "0m", JOB)), head="rule_files: [rules.yml]\ngroup_eval_order: [one, two, one, three]"), CHAIN),
    "an interval beyond the end": (file(test(UP, gives("one", "1m", sample(1, 'one{job="a"}'))), head="rule_files: [rules.yml]\nevaluation_interval: 1h"), CHAIN),
    "an interval of a fraction": (file(test(UP, gives("one", "1m", sample(1, 'one{job="a"}'))), head="rule_files: [rules.yml]\nevaluation_interval: 1.5m"), CHAIN),
    "an interval in milliseconds": (file(test([("up", "0x5")], gives("count_over_time(one[1s])", "1s", sample(5)), interval="1s"), head="rule_files: [rules.yml]\nevaluation_interval: 250ms"), CHAIN),
    "kept and counted": (file(test([("up", "0 0 1 1 1 1")], gives("count_over_time(ALERTS{alertstate=\"firing\"}[10m])", "5m", sample(4, '{alertname="Down",alertstate="firing"}')))),
                         alerting(DOWN % ", keep_firing_for: 2m")),
    "for and a subquery": (file(test([("up", "1 1 0 0 0 0 0 0")], fires("Down", "7m", "{}"))), alerting("{alert: Down, expr: 'min_over_time(up[2m:1m]) == 0', for: 3m}")),
    "no alerts named": (file(test(UP, "alert_rule_test: [{alertname: Three, eval_time: 1m}]")), CHAIN),
    "an alert that nobody has": (file(test(UP, fires("Nobody", "1m"))), CHAIN),
    "an alert that nobody has, expected": (file(test(UP, fires("Nobody", "1m", JOB))), CHAIN),
    "a name given in the labels": (file(test(UP, fires("Three", "1m", "{exp_labels: {job: a, alertname: Three}}"))), CHAIN),
    "another name given in the labels": (file(test(UP, fires("Three", "1m", "{exp_labels: {job: a, alertname: Other}}"))), CHAIN),
    "a number as a label": (file(test([('up{job="5"}', "0x5")], fires("Three", "1m", "{exp_labels: {job: 5}}"))), CHAIN),
    "no as a label": (file(test([('up{job="no"}', "0x5")], fires("Three", "1m", "{exp_labels: {job: no}}"))), CHAIN),
    "null as a label": (file(test(UP, fires("Three", "1m", "{exp_labels: {job: a, x: null}}"))), CHAIN),
    "two checks of which the second fails": (file(test(UP, f"alert_rule_test: [{{alertname: Three, eval_time: 1m, exp_alerts: [{JOB}]}}, {{alertname: Three, eval_time: 2m}}]")), CHAIN),
    "two checks out of order": (file(test(UP, f"alert_rule_test: [{{alertname: Three, eval_time: 5m, exp_alerts: [{JOB}]}}, {{alertname: Three, eval_time: 1m, exp_alerts: [{JOB}]}}]")), CHAIN),
    "a bad file beside rules": (file(test(UP, fires("Three", "1m", JOB)), head="rule_files: [rules.yml, 'bad*.yml']"), CHAIN, {"bad1.yml": "groups: ["}),
    "rules that name a metric twice": (file(test(UP, gives("x", "1m", sample(1, 'x{job="a"}')))), alerting("{record: x, expr: up}", "{record: x, expr: up + 1}")),
    "source of a label that is gone": (file(test([('up{job="a",x="1"}', "0 0 stale"), ('up{job="a",x="2"}', "1 1 0 0")], fires("Down", "3m", "{exp_labels: {job: a, x: '2'}}"))), alerting(DOWN % "")),
}
