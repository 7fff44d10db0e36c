"""Unit-test files of rules, to be judged by promtool and by us: by name the test file, its rules, and other files beside it.

`rules.yml` is the rules of each; SERIES, T and the like keep a case on a few lines.
"""


def alerting(*rules, head=""):
    return "groups:\n  - name: g\n" + (f"    {head}\n" if head else "") + "    rules:\n" + "".join(f"      - {rule}\n" for rule in rules)


def file(*tests, head="rule_files: [rules.yml]"):
    return head + "\ntests:\n" + "".join(tests)


def test(series, *checks, interval="1m", more=""):
    """`series`: (name, values)...; `checks`: keys of the test."""
    rows = "".join(f"      - {{series: '{name}', values: '{values}'}}\n" for name, values in series)
    return f"  - interval: {interval}\n" + (f"    {more}\n" if more else "") + f"    input_series:\n{rows}" + "".join(f"    {check}\n" for check in checks)


def fires(name, when, *alerts):
    return f"alert_rule_test: [{{alertname: {name}, eval_time: {when}, exp_alerts: [{', '.join(alerts)}]}}]"


def gives(expr, when, *samples):
    return f"promql_expr_test: [{{expr: '{expr}', eval_time: {when}, exp_samples: [{', '.join(samples)}]}}]"


def sample(value, labels="{}"):
    return f"{{labels: '{labels}', value: {value}}}"


UP = [('up{job="a"}', "0x20")]
DOWN = "{alert: Down, expr: up == 0%s}"
JOB = "{exp_labels: {job: a}}"


def annotated(text, want, series=UP, expr="up", more=""):
    """A rule whose annotation is `text`, said to be `want`."""
    quoted = text.replace("'", "''")
    return (file(test(series, fires("A", "1m", f"{{exp_labels: {{job: a}}, exp_annotations: {{x: '{want}'}}}}"), more=more)),
            alerting(f"{{alert: A, expr: '{expr}', annotations: {{x: '{quoted}'}}}}"))


CHAIN = """groups:
  - {name: one, rules: [{record: one, expr: up + 1}]}
  - {name: two, rules: [{record: two, expr: one * 10}]}
  - {name: three, rules: [{alert: Three, expr: two >= 10}]}
"""

CASES = {
    # Templates.
    "a value for people": annotated("{{ $value | humanize }}", "1.234k", [('up{job="a"}', "1234x5")]),
    "a value for people, another": annotated("{{ $value | humanize }}", "1.23k", [('up{job="a"}', "1234x5")]),
    "a percentage": annotated("{{ $value | humanizePercentage }}", "12.5%", [('up{job="a"}', "0.125x5")]),
    "a duration": annotated("{{ $value | humanizeDuration }}", "1h 2m 5s", [('up{job="a"}', "3725x5")]),
    "bytes": annotated("{{ $value | humanize1024 }}B", "1kiB", [('up{job="a"}', "1024x5")]),
    "a time": annotated("{{ $value | humanizeTimestamp }}", "1970-01-01 00:02:00 +0000 UTC", [('up{job="a"}', "120x5")]),
    "a float printed as a whole": annotated('{{ printf "%d" $value }}', "%!d(float64=2)", [('up{job="a"}', "2x5")]),
    "two digits": annotated('{{ $value | printf "%.2f" }}', "0.33", [('up{job="a"}', "0.3333x5")]),
    "a label that is not there": annotated("[{{ $labels.nope }}]", "[]"),
    "a label that is not there, by index": annotated('[{{ index $labels "nope" }}]', "[]"),
    "a part replaced": annotated('{{ reReplaceAll "(.)" "<$1>" $labels.job }}', "<a>"),
    "words in capitals": annotated("{{ title $labels.job }}{{ toUpper $labels.job }}", "AA"),
    "a loop over a query": annotated('{{ range query "up" | sortByLabel "job" }}{{ .Labels.job }}={{ .Value }};{{ end }}', "a=0;b=7;",
                                     [*UP, ('up{job="b"}', "7x5")], 'up{job="a"}'),
    "a template of its own": annotated('{{ define "n" }}<{{ . }}>{{ end }}{{ template "n" $labels.job }}', "<a>"),
    "external labels": annotated("{{ $externalLabels.dc }}", "eu", more="external_labels: {dc: eu}"),
    "an external label that is a number": annotated("{{ $externalLabels.dc }}", "5", more="external_labels: {dc: 5}"),
    "an external label that is missing": annotated("{{ $externalLabels.dc }}", "", more="external_labels: {other: x}"),
    "an annotation of lines": annotated("a\n\n          b", "a b", UP),
    "quotes in a template": annotated("{{ with $labels.job }}`{{ . }}`{{ end }}", "`a`"),
    "nothing but blanks": annotated("{{- /* why */ -}}", ""),
    "a comparison": annotated("{{ if gt $value 1.0 }}high{{ else }}low{{ end }}", "low"),
    "a comparison of kinds": annotated("{{ if gt $value 1 }}high{{ else }}low{{ end }}", "low"),
    # Labels.
    "a label of a template": (file(test(UP, fires("Down", "1m", "{exp_labels: {job: a, who: team-a}}"))), alerting(DOWN % ", labels: {who: 'team-{{ $labels.job }}'}")),
    "a label over one of the series": (file(test(UP, fires("Down", "1m", "{exp_labels: {job: z}}"))), alerting(DOWN % ", labels: {job: z}")),
    "a label taken away": (file(test([('up{job="a",x="y"}', "0x5")], fires("Down", "1m", JOB))), alerting(DOWN % ", labels: {x: ''}")),
    "alertname as a label": (file(test(UP, fires("Down", "1m", JOB))), alerting(DOWN % ", labels: {alertname: Other}")),
    "a name as a label": (file(test(UP, fires("Down", "1m", JOB))), alerting(DOWN % ", labels: {__name__: other}")),
    "a bad label": (file(test(UP, fires("Down", "1m", JOB))), alerting(DOWN % ", labels: {a-b: c}")),
    "the name of the metric": annotated("{{ $labels.__name__ }}", "up"),
    "alertstate as a label": (file(test(UP, gives("ALERTS", "1m", sample(1, 'ALERTS{alertname="Down",alertstate="firing",job="a"}')))), alerting(DOWN % ", labels: {alertstate: mine}")),
    "a label in another tongue": (file(test([('up{job="grün\\"a"}', "0x5")], fires("Down", "1m", "{exp_labels: {job: 'grün\"a'}}"))), alerting(DOWN % "")),
    # For, and what interrupts it.
    "a hole within the lookback": (file(test([("up", "0 0 _x3 0 0")], fires("Down", "6m", "{}"))), alerting(DOWN % ", for: 5m")),
    "a hole beyond it": (file(test([("up", "0 0 _x6 0 0 0")], fires("Down", "9m", "{}"))), alerting(DOWN % ", for: 5m")),
    "a stale marker begins anew": (file(test([("up", "0 0 0 stale 0 0 0")], fires("Down", "5m", "{}"))), alerting(DOWN % ", for: 3m")),
    "a stale marker begins anew, and fires in the end": (file(test([("up", "0 0 0 stale 0 0 0 0")], fires("Down", "7m", "{}"))), alerting(DOWN % ", for: 3m")),
    "for of nothing": (file(test(UP, fires("Down", "0m", JOB))), alerting(DOWN % ", for: 0s")),
    "for of a minute and a half": (file(test(UP, fires("Down", "1m", ""), interval="30s"), head="rule_files: [rules.yml]\nevaluation_interval: 30s"), alerting(DOWN % ", for: 1m30s")),
    "for of a minute and a half is over": (file(test(UP, fires("Down", "90s", JOB), interval="30s"), head="rule_files: [rules.yml]\nevaluation_interval: 30s"), alerting(DOWN % ", for: 1m30s")),
    "for below zero": (file(test(UP, fires("Down", "1m", JOB))), alerting(DOWN % ", for: -1m")),
    "for of a number": (file(test(UP, fires("Down", "1m", JOB))), alerting(DOWN % ", for: 60")),
    "kept, then pending again": (file(test([("up", "0 0 1 1 0 0 0")], fires("Down", "4m", "{}"))), alerting(DOWN % ", for: 1m, keep_firing_for: 1m")),
    "kept over a hole": (file(test([("up", "0 0 1 1 0 0 0")], fires("Down", "3m", "{}"))), alerting(DOWN % ", for: 1m, keep_firing_for: 5m")),
    "two of an alert, in another order": (file(test([*UP, ('up{job="b"}', "0x5")], fires("Down", "1m", "{exp_labels: {job: b}}", JOB))), alerting(DOWN % "")),
    "one of two": (file(test([*UP, ('up{job="b"}', "0x5")], fires("Down", "1m", JOB))), alerting(DOWN % "")),
    "one name, two rules": (file(test(UP, fires("Down", "1m", "{exp_labels: {job: a, s: x}}", "{exp_labels: {job: a, s: y}}"))), alerting(DOWN % ", labels: {s: x}", DOWN % ", labels: {s: y}")),
    "one name, two rules, one told": (file(test(UP, fires("Down", "1m", "{exp_labels: {job: a, s: x}}"))), alerting(DOWN % ", labels: {s: x}", DOWN % ", labels: {s: y}")),
    "ALERTS read by a rule": (file(test(UP, fires("Second", "1m", "{exp_labels: {}}"))), alerting(DOWN % "", "{alert: Second, expr: 'count(ALERTS{alertname=\"Down\"}) > 0'}")),
    "ALERTS_FOR_STATE read by a rule": (file(test([('up{job="a"}', "1x3 0x9")], gives("since", "6m", sample(240, "since")))), alerting(DOWN % "", "{record: since, expr: max(ALERTS_FOR_STATE)}")),
    # Groups, order and intervals.
    "a chain in order": (file(test(UP, fires("Three", "0m", JOB)), head="rule_files: [rules.yml]\ngroup_eval_order: [one, two, three]"), CHAIN),
    "a chain backwards": (file(test(UP, fires("Three", "1m", JOB)), head="rule_files: [rules.yml]\ngroup_eval_order: [three, two, one]"), CHAIN),
    "a chain backwards, later": (file(test(UP, fires("Three", "2m", JOB)), head="rule_files: [rules.yml]\ngroup_eval_order: [three, two, one]"), CHAIN),
    "a chain with one named": (file(test(UP, fires("Three", "2m", JOB)), head="rule_files: [rules.yml]\ngroup_eval_order: [two]"), CHAIN),
    "an order of nothing": (file(test(UP, fires("Three", "2m", JOB)), head="rule_files: [rules.yml]\ngroup_eval_order: []"), CHAIN),
    "a group's own interval": (file(test(UP, gives("one", "1m", sample(1, 'one{job="a"}')))), CHAIN.replace("name: one,", "name: one, interval: 10m,")),
    "faster than the samples": (file(test([("up", "0+1x5")], gives("count_over_time(one[1m])", "1m", sample(5))), head="rule_files: [rules.yml]\nevaluation_interval: 15s"), CHAIN),
    "faster than the samples, counted wrong": (file(test([("up", "0+1x5")], gives("count_over_time(one[1m])", "1m", sample(4))), head="rule_files: [rules.yml]\nevaluation_interval: 15s"), CHAIN),
    "two tests of two intervals": (file(test([("up", "1 2 3")], gives("up", "1m", sample(3, "up")), interval="30s"), test([("up", "1 2 3")], gives("up", "1m", sample(2, "up")))), CHAIN),
    "a test knows nothing of another": (file(test(UP, gives("up", "1m", sample(0, 'up{job="a"}'))), test([("other", "1")], gives("up", "1m"))), CHAIN),
    "long after the last sample": (file(test([("up", "1 2")], gives("up", "1d", ))), CHAIN),
    "a day": (file(test([("up", "1x3000")], gives("up", "1d", sample(1, "up")))), CHAIN),
    "no time": (file(test(UP, f"alert_rule_test: [{{alertname: Three, exp_alerts: [{JOB}]}}]")), CHAIN),
    "a time of a number": (file(test(UP, fires("Three", "60", JOB))), CHAIN),
    "a time below zero": (file(test(UP, fires("Three", "-1m"))), CHAIN),
    "a time in parts": (file(test(UP, fires("Three", "1m30s500ms", JOB))), CHAIN),
    # Several files.
    "two files": (file(test(UP, fires("Down", "1m", JOB)), head="rule_files: [rules.yml, more.yml]"), CHAIN, {"more.yml": alerting(DOWN % "")}),
    "two files with groups of one name": (file(test(UP, fires("Down", "1m", JOB, "{exp_labels: {job: a, s: x}}")), head="rule_files: [rules.yml, more.yml]"), alerting(DOWN % ""),
                                          {"more.yml": alerting(DOWN % ", labels: {s: x}")}),
    "groups of one name, in an order": (file(test(UP, fires("Down", "1m", JOB)), head="rule_files: [rules.yml, more.yml]\ngroup_eval_order: [g]"), alerting(DOWN % ""), {"more.yml": CHAIN}),
    "a file twice": (file(test(UP, fires("Down", "1m", JOB)), head="rule_files: [rules.yml, rules.yml]"), alerting(DOWN % "")),
    "a pattern and a name": (file(test(UP, fires("Down", "1m", JOB)), head="rule_files: ['rule?.yml', rules.yml]"), alerting(DOWN % "")),
    "a pattern of nothing": (file(test(UP, fires("Down", "1m")), head="rule_files: ['none*.yml']"), alerting(DOWN % "")),
    "the second file is broken": (file(test(UP, fires("Down", "1m", JOB)), head="rule_files: [rules.yml, more.yml]"), alerting(DOWN % ""), {"more.yml": "groups: [{name: h, rules: [{record: x}]}]"}),
    "a file in a folder": (file(test(UP, fires("Down", "1m", JOB)), head="rule_files: [sub/more.yml]"), CHAIN, {"sub/more.yml": alerting(DOWN % "")}),
    # Samples and series.
    "an expression over lines": (file(test(UP, 'promql_expr_test: [{expr: "up # the first\\n + 1", eval_time: 1m, exp_samples: [{labels: \'{job="a"}\', value: 1}]}]')), CHAIN),
    "samples in another order": (file(test([*UP, ('up{job="b"}', "1x5")], gives("up", "1m", sample(1, 'up{job="b"}'), sample(0, 'up{job="a"}')))), CHAIN),
    "a sample twice": (file(test(UP, gives("up", "1m", sample(0, 'up{job="a"}'), sample(0, 'up{job="a"}')))), CHAIN),
    "labels with blanks": (file(test(UP, gives("up", "1m", sample(0, 'up { job = "a" , }')))), CHAIN),
    "a sample without labels": (file(test([("up", "3x5")], gives("sum(up)", "1m", "{value: 3}"))), CHAIN),
    "a sample with an empty text of labels": (file(test([("up", "3x5")], gives("sum(up)", "1m", "{labels: '', value: 3}"))), CHAIN),
    "a sample without a value": (file(test([("up", "0x5")], gives("sum(up)", "1m", "{labels: '{}'}"))), CHAIN),
    "a value of a word": (file(test([("up", "0x5")], gives("sum(up)", "1m", "{labels: '{}', value: none}"))), CHAIN),
    "a number in hexadecimal": (file(test([("up", "16x5")], gives("sum(up)", "1m", "{labels: '{}', value: 0x10}"))), CHAIN),
    "a number in octal": (file(test([("up", "8x5")], gives("sum(up)", "1m", "{labels: '{}', value: 010}"))), CHAIN),
    "a number in octal, the new way": (file(test([("up", "8x5")], gives("sum(up)", "1m", "{labels: '{}', value: 0o10}"))), CHAIN),
    "a number in bits": (file(test([("up", "5x5")], gives("sum(up)", "1m", "{labels: '{}', value: 0b101}"))), CHAIN),
    "a number with strokes": (file(test([("up", "1000x5")], gives("sum(up)", "1m", "{labels: '{}', value: 1_000}"))), CHAIN),
    "a number with a zero in front": (file(test([("up", "9x5")], gives("sum(up)", "1m", "{labels: '{}', value: 09}"))), CHAIN),
    "a number below zero in hexadecimal": (file(test([("up", "-16x5")], gives("sum(up)", "1m", "{labels: '{}', value: -0x10}"))), CHAIN),
    "names with colons": (file(test([("a:b:c", "1x5")], gives("a:b:c", "1m", sample(1, "a:b:c")))), CHAIN),
    "markers and holes together": (file(test([("up", "_x2 1 stale _ 2")], gives("up", "4m"))), CHAIN),
    "a hole of nothing": (file(test([("up", "1 _x0 2")], gives("up", "2m", sample(2, "up")))), CHAIN),
    "exponents that grow": (file(test([("up", "1e2+1e1x3")], gives("up", "3m", sample(130, "up")))), CHAIN),
    "a step below zero of a number below zero": (file(test([("up", "-5-2.5x3")], gives("up", "2m", sample(-10, "up")))), CHAIN),
    "a step of zero": (file(test([("up", "4+0x3")], gives("up", "3m", sample(4, "up")))), CHAIN),
    "not a number, again and again": (file(test([("up", "NaNx3")], gives("count_over_time(up[9m])", "3m", sample(4)))), CHAIN),
    "infinite, again and again": (file(test([("up", "1 Infx3")], gives("up", "3m", sample(".inf", "up")))), CHAIN),
    "values of a list": (file("  - interval: 1m\n    input_series: [{series: up, values: [1, 2]}]\n"), CHAIN),
    "values of a number": (file("  - interval: 1m\n    input_series: [{series: up, values: 7}]\n    " + gives("up", "0m", sample(7, "up")) + "\n"), CHAIN),
    "a series without labels or braces": (file(test([("up{}", "1")], gives("up", "0m", sample(1, "up")))), CHAIN),
    "the ends of the test": (file(test([("up", "1+1x5")], gives("up @ end()", "2m", sample(3, "up")))), CHAIN),
    "a histogram of rules": (file(test([('h_bucket{le="1"}', "0+5x10"), ('h_bucket{le="2"}', "0+10x10"), ('h_bucket{le="+Inf"}', "0+10x10")], gives("q", "5m", sample(1, "q")))),
                             alerting("{record: q, expr: 'histogram_quantile(0.5, sum by (le) (rate(h_bucket[5m])))'}")),
    "a sum that is recorded with labels": (file(test([*UP, ('up{job="b"}', "1x5")], gives("s", "1m", sample(1, 's{t="x"}')))), alerting("{record: s, expr: sum(up), labels: {t: x}}")),
    "two that become one": (file(test([*UP, ('up{job="b"}', "1x5")], gives("s", "1m"))), alerting("{record: s, expr: up, labels: {job: x}}")),
    "exactly the limit": (file(test(UP, fires("Down", "1m", JOB))), alerting(DOWN % "", head="limit: 1")),
    # Files that are wrong.
    "both a record and an alert": (file(test(UP, fires("Down", "1m", JOB))), alerting("{record: x, alert: Down, expr: up == 0}")),
    "neither": (file(test(UP)), alerting("{expr: up == 0}")),
    "a record with annotations": (file(test(UP)), alerting("{record: x, expr: up, annotations: {a: b}}")),
    "a record with for": (file(test(UP)), alerting("{record: x, expr: up, for: 1m}")),
    "a record of a bad name": (file(test(UP)), alerting("{record: a-b, expr: up}")),
    "a group without a name": (file(test(UP)), "groups: [{rules: [{record: x, expr: up}]}]"),
    "no groups": (file(test(UP)), "groups: []"),
    "empty rules": (file(test(UP)), ""),
    "no expression": (file(test(UP)), alerting("{alert: A}")),
    "an empty expression": (file(test(UP)), alerting("{alert: A, expr: ''}")),
    "an unknown function": (file(test(UP)), alerting("{alert: A, expr: 'what(up)'}")),
    "an unknown function of a template": (file(test(UP)), alerting("{alert: A, expr: up, annotations: {x: '{{ what }}'}}")),
    "an unknown key of a rule": (file(test(UP)), alerting("{alert: A, expr: up, severity: x}")),
    "an expression that is a range": (file(test(UP, fires("A", "1m"))), alerting("{alert: A, expr: 'up[5m]'}")),
    "an alert of an empty name": (file(test(UP, fires("''", "1m"))), CHAIN),
    "an alert of a number": (file(test(UP, fires("5", "1m", JOB))), alerting("{alert: 5, expr: up == 0}")),
    "an unknown key of an alert": (file(test(UP, f"alert_rule_test: [{{alertname: Three, eval_time: 1m, what: 1, exp_alerts: [{JOB}]}}]")), CHAIN),
    "an unknown key of what is expected": (file(test(UP, fires("Three", "1m", "{exp_labels: {job: a}, labels: {x: y}}"))), CHAIN),
    "no list of tests": (file().replace("tests:", "tests: x"), CHAIN),
    "no list of files": (file(test(UP), head="rule_files: rules.yml"), CHAIN),
    "tests of null": (file().replace("tests:", "tests: null"), CHAIN),
    "a test of nothing": (file("  - {}\n"), CHAIN),
    "tabs": (file(test(UP)).replace("    input", "\tinput"), CHAIN),
    "lines of Windows": (file(test(UP, fires("Three", "1m", JOB))).replace("\n", "\r\n"), CHAIN),
    "anchors": (file("  - interval: 1m\n    input_series: &s [{series: up, values: 0x5}]\n  - interval: 1m\n    input_series: *s\n    " + fires("Three", "1m", "{}") + "\n"), CHAIN),
    "a mark of byte order": ("\ufeff" + file(test(UP, fires("Three", "1m", JOB))), CHAIN),
    "comments": ("# first\n" + file(test(UP, fires("Three", "1m", JOB))) + "# last\n", CHAIN),
    "a bad external address": (file(test(UP, fires("Three", "1m", JOB), more="external_url: '::'")), CHAIN),
    "external labels of a list": (file(test(UP, fires("Three", "1m", JOB), more="external_labels: [x]")), CHAIN),
}
