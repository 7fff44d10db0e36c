"""Rule unit-test files: `tidemark alert test` gives the verdict of Debian's `promtool test rules`."""
import pathlib
import shutil
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import BIN, Server, expect, expect_equal, run_tests, temporary_folder  # noqa: E402
from peers import rule_test_edges, rule_test_files  # noqa: E402

RULES = """groups:
  - name: first
    rules:
      - {record: 'job:up:sum', expr: 'sum by (job) (up)'}
      - alert: Down
        expr: up == 0
        for: 2m
        labels: {severity: page, who: "{{ $labels.job }}", dc: "{{ $externalLabels.dc }}"}
        annotations: {summary: "{{ $labels.instance }} is {{ $value }} at {{ $externalURL }}"}
      - {alert: Kept, expr: up == 0, keep_firing_for: 3m}
  - name: second
    interval: 7m
    rules:
      - {alert: Low, expr: '"job:up:sum" and vector(1)', labels: {severity: info}}
      - {alert: Sum, expr: 'job:up:sum < 1', labels: {severity: "info"}}
""".replace('\'"job:up:sum" and vector(1)\'', "'job:up:sum < 0.5'")

SERIES = "{series: 'up{job=\"a\",instance=\"h\"}', values: '%s'}"


def test(body, series="1 0x5 1x5", head="", more=""):
    return f"""rule_files: [rules.yml]
{head}
tests:
  - interval: 1m
    {more}
    input_series:
      - {SERIES % series}
    {body}
"""


def alert(name, when, alerts, **keys):
    return test("alert_rule_test: [{alertname: %s, eval_time: %s, exp_alerts: [%s]}]" % (name, when, alerts), **keys)


def expr(text, when, samples, **keys):
    return test("promql_expr_test: [{expr: '%s', eval_time: %s, exp_samples: [%s]}]" % (text, when, samples), **keys)


DOWN = ("{exp_labels: {severity: page, who: a, job: a, instance: h, dc: eu}, "
        "exp_annotations: {summary: 'h is 0 at http://x/p'}}")
OUTSIDE = {"more": "external_labels: {dc: eu}\n    external_url: http://x/p"}
KEPT = "{exp_labels: {job: a, instance: h}}"
UP = "{labels: 'up{job=\"a\",instance=\"h\"}', value: %s}"
# What functions and operators leave of it.
NAMELESS = "{labels: '{job=\"a\",instance=\"h\"}', value: %s}"

# Name, file, and the rules where they are others; more of them in peers/rule_test_files.py and rule_test_edges.py.
CASES = [
    ("fires", alert("Down", "3m", DOWN, **OUTSIDE)),
    ("not yet", alert("Down", "2m", "", **OUTSIDE)),
    ("not yet, but is said to", alert("Down", "2m59s", DOWN, **OUTSIDE)),
    ("between evaluations", alert("Down", "3m30s", DOWN, **OUTSIDE)),
    ("over", alert("Down", "8m", "", **OUTSIDE)),
    ("over, but is said to fire", alert("Down", "8m", DOWN, **OUTSIDE)),
    ("fires, but is said not to", alert("Down", "4m", "", **OUTSIDE)),
    ("another label", alert("Down", "3m", DOWN.replace("who: a", "who: b"), **OUTSIDE)),
    ("a label too many", alert("Down", "3m", DOWN.replace("who: a", "who: a, x: y"), **OUTSIDE)),
    ("an empty label more", alert("Down", "3m", DOWN.replace("who: a", "who: a, x: ''"), **OUTSIDE)),
    ("no annotation", alert("Down", "3m", DOWN.split(", exp_annotations")[0] + "}", **OUTSIDE)),
    ("without external labels", alert("Down", "3m", DOWN.replace("dc: eu", "dc: ''").replace("http://x/p", ""))),
    ("without external labels at all", alert("Down", "3m", DOWN.replace(", dc: eu", "").replace("http://x/p", ""))),
    ("alertname is given", alert("Kept", "1m", KEPT.replace("job: a", "job: a, alertname: Kept"))),
    ("alertname is another", alert("Kept", "1m", KEPT.replace("job: a", "job: a, alertname: Other"))),
    ("kept", alert("Kept", "8m", KEPT)),
    ("kept no longer", alert("Kept", "9m", KEPT)),
    ("kept for its time", alert("Kept", "9m", "")),
    ("twice", alert("Kept", "3m", KEPT + "," + KEPT)),
    ("no such alert", alert("Nobody", "3m", "")),
    ("no such alert, but is said to fire", alert("Nobody", "3m", KEPT)),
    ("without a name", test("alert_rule_test: [{eval_time: 1m, exp_alerts: []}]")),
    ("a null alert", alert("Nobody", "3m", "{}")),
    ("one rule reads what another records", alert("Sum", "3m", "{exp_labels: {severity: info, job: a}}")),
    ("groups in order", alert("Sum", "3m", "{exp_labels: {severity: info, job: a}}", head="group_eval_order: [first, second]")),
    ("groups in the wrong order", alert("Sum", "1m", "", head="group_eval_order: [second, first]")),
    ("groups in the wrong order, and nobody knows", alert("Sum", "1m", "{exp_labels: {severity: info, job: a}}",
                                                           head="group_eval_order: [second, first]")),
    ("a group twice", alert("Sum", "1m", "", head="group_eval_order: [first, first]")),
    ("a group that is not there", alert("Kept", "1m", KEPT, head="group_eval_order: [none, first]")),
    ("a slower evaluation", alert("Kept", "4m", "", head="evaluation_interval: 5m")),
    ("a slower evaluation sees it later", alert("Kept", "5m", KEPT, head="evaluation_interval: 5m")),
    ("evaluation in milliseconds", alert("Kept", "1m", KEPT, head="evaluation_interval: 500ms")),
    ("interval zero", alert("Kept", "1m", KEPT, head="evaluation_interval: 0s")),
    ("a bad interval", alert("Kept", "1m", KEPT, head="evaluation_interval: 5")),
    ("an empty interval", alert("Kept", "1m", KEPT, head="evaluation_interval: ''")),
    ("an unknown key", alert("Kept", "1m", KEPT, head="evaluate: 5m")),
    ("an unknown key of a test", alert("Kept", "1m", KEPT, more="what: 5m")),
    ("a key twice", alert("Kept", "1m", KEPT, head="evaluation_interval: 1m\nevaluation_interval: 1m")),
    ("a name", alert("Kept", "1m", KEPT, more="name: first")),
    ("a value", expr("up", "1m", UP % 0)),
    ("another value", expr("up", "1m", UP % 1)),
    ("a value in quotes", expr("up", "1m", UP % "'0'")),
    ("a value as a word", expr("up", "1m", UP % "inf")),
    ("infinite", expr("up / 0", "0m", NAMELESS % ".inf")),
    ("below zero", expr("-1 * up / 0", "0m", NAMELESS % "-.Inf")),
    ("not a number is nothing", expr("up / 0", "1m", NAMELESS % ".nan")),
    ("the name is there", expr("up", "1m", UP.replace("up{", "{__name__=\"up\",") % 0)),
    ("an empty label", expr("up", "1m", UP.replace("\"h\"", "\"h\",x=\"\"") % 0)),
    ("a comma behind", expr("up", "1m", UP.replace("\"h\"", "\"h\",") % 0)),
    ("a bad label", expr("up", "1m", UP.replace("job=", "job!=") % 0)),
    ("nothing expected", expr("up", "1m", "")),
    ("nothing there", expr("down", "1m", "")),
    ("a scalar", expr("42", "1m", "{value: 42}")),
    ("a scalar with braces", expr("42", "1m", "{labels: '{}', value: 42}")),
    ("time", expr("time()", "90s", "{value: 90}")),
    ("a string", expr("\"x\"", "1m", "")),
    ("a range", expr("up[5m]", "1m", "")),
    ("does not parse", expr("up[", "1m", "")),
    ("no expression", test("promql_expr_test: [{eval_time: 1m}]")),
    ("a recorded one", expr("job:up:sum", "0m", "{labels: 'job:up:sum{job=\"a\"}', value: 1}")),
    ("ALERTS pending", expr("ALERTS{alertname=\"Down\",alertstate=\"pending\"}", "1m",
                            "{labels: 'ALERTS{alertname=\"Down\",alertstate=\"pending\",job=\"a\",instance=\"h\",severity=\"page\",who=\"a\",dc=\"eu\"}', value: 1}",
                            **OUTSIDE)),
    ("ALERTS has a stale marker", expr("ALERTS{alertname=\"Down\",alertstate=\"pending\"}", "3m", "", **OUTSIDE)),
    ("ALERTS_FOR_STATE", expr("ALERTS_FOR_STATE{alertname=\"Kept\"}", "2m",
                              "{labels: 'ALERTS_FOR_STATE{alertname=\"Kept\",job=\"a\",instance=\"h\"}', value: 60}")),
    ("between samples", expr("up", "5m30s", UP % 0)),
    ("samples behind the last evaluation are not seen", expr("up", "9m", UP % 0, head="evaluation_interval: 5m")),
    ("subqueries step as the evaluation", expr("count_over_time(up[10m:])", "10m", NAMELESS % 6,
                                               head="evaluation_interval: 2m")),
    ("an offset sees no future", expr("up offset -1m", "9m", "")),
    ("at", expr("up @ 60", "9m", UP % 0)),
    ("holes", expr("up", "3m", UP % 1, series="1 _x3 2")),
    ("a hole too long", expr("up", "6m", "", series="1 _x9 2")),
    ("stale", expr("up", "1m", "", series="1 stale 2")),
    ("stale ends", expr("up", "2m", UP % 2, series="1 stale 2")),
    ("stale more than once", expr("count_over_time(up[9m])", "4m", NAMELESS % 1, series="1 stalex2 _")),
    ("up and down", expr("up", "5m", UP % 3, series="1+1x3 4-1x3")),
    ("below zero values", expr("up", "2m", UP % -3, series="-1-1x3")),
    ("signs", expr("up", "0m", UP % 3, series="+3")),
    ("two signs", expr("up", "0m", UP % 3, series="+-3")),
    ("fractions", expr("up", "2m", UP % 0.3, series="0.1+0.1x3")),
    ("fractions as they add up", expr("up", "2m", UP % 0.30000000000000004, series="0.1+0.1x3")),
    ("exponents", expr("up", "0m", UP % 1200, series="1.2e3x2")),
    ("repeats", expr("count_over_time(up[9m])", "5m", NAMELESS % 4, series="7x3")),
    ("zero repeats", expr("count_over_time(up[9m])", "5m", NAMELESS % 1, series="7x0")),
    ("inf", expr("up", "0m", UP % ".inf", series="Inf")),
    ("minus inf", expr("up", "0m", UP % "-.inf", series="-inf")),
    ("nan", expr("up != up", "0m", "", series="NaN")),
    ("inf repeats", expr("up", "0m", "", series="infx2")),
    ("no count", expr("up", "0m", "", series="1x")),
    ("no x", expr("up", "0m", "", series="1+1")),
    ("a space in it", expr("up", "0m", "", series="1 + 1x2")),
    ("a word", expr("up", "0m", "", series="one")),
    ("a count below zero", expr("up", "0m", "", series="1x-1")),
    ("hexadecimal is a count", expr("up", "0m", UP % 0, series="0x10")),
    ("a letter behind", expr("up", "0m", "", series="5y")),
    ("a fraction as count", expr("up", "0m", "", series="1x1.5")),
    ("two in one", expr("up", "0m", "", series="1_")),
    ("spaces around", expr("up", "1m", UP % 2, series="  1   2  ")),
    ("values in two lines", expr("up", "1m", "").replace("values: '1 0x5 1x5'}", "values: \"1\\n2\"}")),
    ("values and an empty line", expr("up", "1m", UP % 2).replace("values: '1 0x5 1x5'}", "values: \"1 2\\n\"}")),
    ("no interval", expr("up", "0m", UP % 1, series="1 2").replace("interval: 1m", "name: x")),
    ("no values", expr("up", "1m", "", series="")),
    ("a series twice", expr("up", "1m", UP % 5, more="", series="1 2").replace(
        "input_series:\n", "input_series:\n      - " + SERIES % "4 5 6" + "\n")),
    ("a bad series", expr("up", "1m", "").replace("'up{job", "'up{job!")),
    ("a series without values", expr("up", "1m", "").replace(", values: '1 0x5 1x5'", "")),
    ("no series", "rule_files: [rules.yml]\ntests: [{interval: 1m, promql_expr_test: [{expr: vector(1), eval_time: 1m, exp_samples: [{value: 1}]}]}]"),
    ("no tests", "rule_files: [rules.yml]"),
    ("an empty file", ""),
    ("no rule files", "tests: [{interval: 1m, promql_expr_test: [{expr: vector(1), eval_time: 1m, exp_samples: [{value: 1}]}]}]"),
    ("no such rule file", "rule_files: [none.yml]\ntests: [{interval: 1m}]"),
    ("a pattern", "rule_files: ['r*.yml']\ntests: [{interval: 1m}]"),
    ("broken YAML", "rule_files: [rules.yml"),
    ("the first fails, the second does not", test(
        "promql_expr_test: [{expr: up, eval_time: 1m}, {expr: up, eval_time: 1m, exp_samples: [" + UP % 0 + "]}]")),
    ("rules that do not parse", alert("Kept", "1m", ""), "groups: [{name: g, rules: [{alert: A, expr: 'up ='}]}]"),
    ("rules without a test do not parse", "rule_files: [rules.yml]", "groups: [{name: g, rules: [{alert: A, expr: 'up ='}]}]"),
    ("a template that does not parse", alert("A", "1m", ""),
     "groups: [{name: g, rules: [{alert: A, expr: up, annotations: {x: '{{ $labels. }}'}}]}]"),
    ("a template that fails", alert("A", "0m", "{exp_labels: {job: a, instance: h}, exp_annotations: {x: ''}}"),
     "groups: [{name: g, rules: [{alert: A, expr: up, annotations: {x: '{{ first 5 }}'}}]}]"),
    ("an empty annotation", alert("A", "0m", "{exp_labels: {job: a, instance: h}, exp_annotations: {x: ''}}"),
     "groups: [{name: g, rules: [{alert: A, expr: up, annotations: {x: ''}}]}]"),
    ("an empty annotation is none", alert("A", "0m", "{exp_labels: {job: a, instance: h}}"),
     "groups: [{name: g, rules: [{alert: A, expr: up, annotations: {x: ''}}]}]"),
    ("a rule that fails", alert("A", "3m", ""),
     "groups: [{name: g, rules: [{alert: A, expr: up, labels: {instance: ''}}, {record: x, expr: 'up * on () up'}]}]"),
    ("two alerts with the same labels", test(
        "alert_rule_test: [{alertname: A, eval_time: 1m}]").replace("input_series:\n", "input_series:\n      - {series: 'up{job=\"b\"}', values: '1 1'}\n"),
     "groups: [{name: g, rules: [{alert: A, expr: up, labels: {job: x, instance: y}}]}]"),
    ("a limit is exceeded", test(
        "alert_rule_test: [{alertname: A, eval_time: 1m}]").replace("input_series:\n", "input_series:\n      - {series: 'up{job=\"b\"}', values: '1 1'}\n"),
     "groups: [{name: g, limit: 1, rules: [{alert: A, expr: up}]}]"),
    ("a query in a template", alert("A", "0m", "{exp_labels: {job: a, instance: h}, exp_annotations: {x: '1'}}"),
     "groups: [{name: g, rules: [{alert: A, expr: up, annotations: {x: '{{ with query \"up\" }}{{ . | first | value }}{{ end }}'}}]}]"),
    ("a label with the value begins anew", alert("A", "3m", ""),
     "groups: [{name: g, rules: [{alert: A, expr: 'up + time() * 0 + timestamp(up)', for: 2m, labels: {v: '{{ $value }}'}}]}]"),
    ("a group that is there twice", alert("A", "3m", ""), "groups: [{name: g}, {name: g}]"),
    ("absent", alert("Gone", "20m", "{exp_labels: {job: z}}"),
     "groups: [{name: g, rules: [{alert: Gone, expr: 'absent(up{job=\"z\"})', for: 15m}]}]"),
    ("a rate", alert("R", "5m", "{exp_labels: {job: a, instance: h}, exp_annotations: {v: '1'}}", series="0+60x10"),
     "groups: [{name: g, rules: [{alert: R, expr: 'rate(up[5m]) > 0.5', for: 4m, annotations: {v: '{{ $value }}'}}]}]"),
    ("a forecast", alert("F", "10m", "{exp_labels: {job: a, instance: h}}", series="100-5x20"),
     "groups: [{name: g, rules: [{alert: F, expr: 'predict_linear(up[10m], 3600) < 0'}]}]"),
    ("the start of a range counts", expr("count_over_time(up[5m])", "5m", NAMELESS % 6)),
    ("the start of a subquery counts", expr("count_over_time(up[5m:1m])", "5m", NAMELESS % 6)),
    ("the start of the lookback counts", expr("up", "15m", UP % 1)),
    ("a rate over all", expr("rate(up[5m])", "10m", NAMELESS % 0.016666666666666666, series="1+1x20")),
    ("an increase over all", expr("increase(up[5m])", "10m", NAMELESS % 5, series="1+1x20")),
    ("an average over all", expr("avg_over_time(up[5m])", "5m", NAMELESS % 3.5, series="1+1x20")),
    ("an old average", expr("avg_over_time(up[5m])", "5m", NAMELESS % 4, series="1+1x20")),
    ("changes over all", expr("changes(up[5m])", "5m", NAMELESS % 5, series="1+1x20")),
    ("delta and deriv", expr("delta(up[5m]) + deriv(up[5m])", "5m", NAMELESS % 5.016666666666667, series="1+1x20")),
    ("a histogram", expr("histogram_quantile(0.5, h)", "0m", "{labels: '{}', value: 1.5}").replace(
        "input_series:\n", "input_series:\n      - {series: 'h{le=\"1\"}', values: '0'}\n      - {series: 'h{le=\"2\"}', values: '4'}\n"
        "      - {series: 'h{le=\"+Inf\"}', values: '4'}\n")),
]


def run(*words):
    done = subprocess.run(words, capture_output=True, timeout=120)
    return done.returncode, (done.stdout + done.stderr).decode()


def verdicts_of_promtool(file, times):
    """The exit codes of so many runs, and what the last said. promtool 2.42 holds groups in a map of Go and sorts it only by the order
    that the file gives: where that names none and one group reads what another records, its verdict is a matter of chance. Ours takes the
    order of the files."""
    ran = [run("promtool", "test", "rules", str(file)) for _ in range(times)]
    return {code for code, _ in ran}, ran[-1][1]


def test_promtool_is_undecided_where_groups_have_no_order_and_we_are_not():
    """A chain of three groups of which the last must see the first at once: in 9 of 50 runs promtool did not have them in order."""
    text, rules = rule_test_files.CASES["no time"]
    with temporary_folder() as folder:
        (folder / "rules.yml").write_text(rules)
        (folder / "test.yml").write_text(text)
        codes, said = verdicts_of_promtool(folder / "test.yml", 100)
        expect_equal(codes, {0, 1}, said)
        ours = {run(str(BIN / "tidemark"), "alert", "test", str(folder / "test.yml"))[0] for _ in range(10)}
        expect_equal(ours, {0}, "in the files' order each is there at once")


def test_verdicts_are_those_of_promtool():
    expect(shutil.which("promtool"), "promtool is missing: tools/dev/setup test")
    good = 0
    faults = []
    cases = CASES + [(name, *case) for name, case in {**rule_test_files.CASES, **rule_test_edges.CASES}.items()]
    with temporary_folder() as outer:
        for number, (name, text, *rules) in enumerate(cases):
            folder = outer / str(number)
            others = rules[1] if len(rules) > 1 else {}
            for path, content in {"rules.yml": rules[0] if rules else RULES, "test.yml": text, **others}.items():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_text(content, newline="")
            want, theirs = run("promtool", "test", "rules", str(folder / "test.yml"))
            got, ours = run(str(BIN / "tidemark"), "alert", "test", str(folder / "test.yml"))
            good += want == 0
            # A difference counts only where promtool says the same each time that it is asked.
            if got != want and verdicts_of_promtool(folder / "test.yml", 50)[0] == {want}:
                faults.append(f"{name}: {got} instead of {want}\n--- promtool\n{theirs}--- ours\n{ours}{text}")
        expect(not faults, f"{len(faults)} of {len(cases)}:\n" + "\n".join(faults))
        expect(good > len(cases) / 3 and good < len(cases) * 2 / 3, f"{good} of {len(cases)} are good")


def test_many_files_end_as_the_worst():
    with temporary_folder() as folder:
        (folder / "rules.yml").write_text(RULES)
        (folder / "good.yml").write_text(alert("Kept", "1m", KEPT))
        (folder / "bad.yml").write_text(alert("Kept", "1m", ""))
        code, out = run(str(BIN / "tidemark"), "alert", "test", str(folder / "good.yml"), str(folder / "bad.yml"), str(folder / "none.yml"))
        expect_equal(code, 1, out)
        expect("SUCCESS" in out and out.count("FAILED") == 2 and "none.yml" in out, out)
        expect_equal(run(str(BIN / "tidemark"), "alert", "test", str(folder / "good.yml"), str(folder / "good.yml"))[0], 0, "both")


def test_rules_over_stored_data():
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off") as server:
        now = int(time.time()) // 60 * 60
        begin = now - 3 * 86_400
        # Above 5 for ten minutes at each full hour but the first.
        lines = [f"latency,host=a value={7 if minute % 60 < 10 and minute >= 60 else 1} {begin + minute * 60}000000000"
                 for minute in range(0, 6 * 60)]
        expect_equal(server.write("\n".join(lines), db="calls").status, 204, "write")
        (folder / "rules.yml").write_text("""groups:
  - name: g
    interval: 1m
    rules:
      - {alert: Slow, expr: latency > 5, for: 2m, labels: {severity: page}}
      - {record: x, expr: latency}
""")
        code, out = run(str(BIN / "tidemark"), "alert", "test", str(folder / "rules.yml"), "--server", server.url,
                        "--from", str(begin), "--to", str(begin + 6 * 3600), "--db", "calls")
        expect_equal(code, 0, out)
        lines = out.strip().split("\n")
        expect_equal(len(lines), 6, out)
        first = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(begin + 3600 + 120))
        expect_equal(lines[0], f"{first}  Slow  for 8m  value 7 host=a severity=page", "the first")
        expect(lines[-1].startswith("5 alerts would have fired") and lines[-1].endswith("for 40m together"), lines[-1])
        code, out = run(str(BIN / "tidemark"), "alert", "test", str(folder / "rules.yml"), "--server", server.url,
                        "--from", str(begin + 3600 + 300), "--to", str(begin + 3600 + 360), "--db", "calls")
        expect("and still fires" in out and "for 1m" in out, out)
        code, out = run(str(BIN / "tidemark"), "alert", "test", str(folder / "rules.yml"), "--server", server.url,
                        "--from", "now", "--to", "-1h")
        expect_equal((code, "--from must be before --to" in out), (2, True), out)
        # A series that is gone is a reason to alert where the rule says so.
        (folder / "rules.yml").write_text("groups: [{name: g, rules: [{alert: Gone, expr: latency > 9, no_data: alert}]}]")
        code, out = run(str(BIN / "tidemark"), "alert", "test", str(folder / "rules.yml"), "--server", server.url,
                        "--from", str(begin + 5 * 3600), "--to", str(begin + 8 * 3600), "--db", "calls")
        expect_equal((code, "1 alert would have fired" in out, "and still fires" in out), (0, True, True), out)


def test_wrong_usage_is_told_by_the_exit_code():
    for words in (["test", "r.yml", "--from", "soon"], ["test", "r.yml", "--from", "-1h", "--to", "late"], ["test", "r.yml", "--db", "calls"],
                  ["test", "r.yml", "--to", "now"], ["history", "--from", "soon"], ["history", "--from", "now", "--to", "-1h"]):
        code, out = run(str(BIN / "tidemark"), "alert", *words)
        expect_equal(code, 2, f"{words}: {out}")


if __name__ == "__main__":
    run_tests(globals())
