"""Files that are wrong: rules, routes and templates. Each fault is told with file, line, column and reason, by a reload and by
--check; what was in force before goes on, and all else with it."""
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import BIN, Server, expect, expect_equal, run_tests, temporary_folder, wait_until  # noqa: E402


def rule(text):
    return f"groups:\n  - name: g\n    rules:\n      - {text}\n"


def template(text):
    return rule("{alert: A, expr: up, annotations: {x: §'" + text.replace("'", "''") + "'}}")


# Where § stands the fault is; then words of its reason.
RULES = {
    "an expression that ends": (rule("{record: x, expr: §'up +'}"), "unexpected end of input"),
    "an expression with a bad label": (rule("{record: x, expr: §'up{a-b=\"c\"}'}"), "parse error"),
    "an unknown function": (rule("{record: x, expr: §'what(up)'}"), "unknown function"),
    "a range as an alert": (rule("{alert: A, expr: §'rate(up)'}"), "expected type range vector"),
    "a bad pattern": (rule("{alert: A, expr: §'up{job=~\"(\"}'}"), "("),
    "no expression": (rule("§{alert: A}"), "expr"),
    "an alert and a record": (rule("§{record: x, alert: A, expr: up}"), "only one of"),
    "neither": (rule("§{expr: up}"), "one of"),
    "a record of a bad name": (rule("{record: §a-b, expr: up}"), "a-b"),
    "a record with for": (rule("{record: x, expr: up, for: §1m}"), "for"),
    "a record with annotations": (rule("{record: x, expr: up, annotations: §{a: b}}"), "annotations"),
    "a duration that is none": (rule("{alert: A, expr: up, for: §5x}"), "5x"),
    "a duration below zero": (rule("{alert: A, expr: up, keep_firing_for: §-1m}"), "-1m"),
    "an unknown key of a rule": (rule("{alert: A, expr: up, §severity: x}"), "severity"),
    "a key twice": (rule("{alert: A, expr: up, §expr: up}"), "expr"),
    "a bad label name": (rule("{alert: A, expr: up, labels: {§a-b: c}}"), "a-b"),
    "labels of a list": (rule("{alert: A, expr: up, labels: §[a]}"), "labels"),
    "a policy that is none": (rule("{alert: A, expr: up > 1, no_data: §maybe}"), "maybe"),
    "no data of absent": (rule("{alert: A, expr: absent(up), no_data: §alert}"), "needs an expression that compares"),
    "a recovery that does not parse": (rule("{alert: A, expr: up > 1, recover: §'up <'}"), "unexpected end"),
    "a bad damping": (rule("{alert: A, expr: up, flapping: §often}"), "often"),
    "a group without a name": ("groups:\n  - §rules: []\n", "name"),
    "a group twice": ("groups:\n  - name: g\n  - §name: g\n", "repeated in the same file"),
    "an unknown key of a group": ("groups:\n  - name: g\n    §every: 5m\n", "every"),
    "a limit below zero": ("groups:\n  - name: g\n    limit: §-1\n", "limit"),
    "an interval that is none": ("groups:\n  - name: g\n    interval: §soon\n", "soon"),
    "rules of a text": ("groups:\n  - name: g\n    rules: §x\n", "rules"),
    "an unknown key of the file": ("§group: []\n", "group"),
    "YAML that is not closed": ("§groups: [{name: g", "end of map flow not found"),
    "a tab": ("groups:\n\t§- name: g\n", "illegal block entry"),
    "an action that is not closed": (template("{{ $value"), "unclosed action"),
    "a block that is not ended": (template("{{ if true }}x"), "unexpected EOF"),
    "an end too much": (template("x{{ end }}"), "end"),
    "a function of a template that is none": (template("{{ what }}"), 'function "what" not defined'),
    "a variable that is none": (template("{{ $what }}"), "undefined variable"),
    "a field without a name": (template("{{ $labels. }}"), ""),
    "a template of a label": (rule("{alert: A, expr: up, labels: {x: §'{{ nope }}'}}"), "nope"),
}
HEAD = "route: {receiver: a}\nreceivers:\n  - name: a\n"
ROUTES = {
    "a receiver that is none": ("route:\n  receiver: §b\nreceivers: [{name: a}]\n", "undefined receiver"),
    "a receiver of an inner route": ("route:\n  receiver: a\n  routes:\n    - receiver: §b\nreceivers: [{name: a}]\n", "undefined receiver"),
    "no receiver": ("route: §{group_wait: 5s}\nreceivers: [{name: a}]\n", "receiver"),
    "no route": ("§receivers: [{name: a}]\n", "route"),
    "matchers of the first route": ("route:\n  receiver: a\n  matchers: §[x=y]\nreceivers: [{name: a}]\n", "matchers"),
    "a duration that is none": ("route: {receiver: a, group_wait: §5x}\nreceivers: [{name: a}]\n", "5x"),
    "a group interval of nothing": ("route: {receiver: a, group_interval: §0s}\nreceivers: [{name: a}]\n", "group_interval"),
    "a repeat of nothing": ("route: {receiver: a, repeat_interval: §0s}\nreceivers: [{name: a}]\n", "repeat_interval"),
    "a bad matcher": ("route:\n  receiver: a\n  routes: [{matchers: [§'x>y']}]\nreceivers: [{name: a}]\n", "x>y"),
    "a bad pattern": ("route:\n  receiver: a\n  routes: [{matchers: [§'x=~\"(\"']}]\nreceivers: [{name: a}]\n", "("),
    "an old label of a bad name": ("route:\n  receiver: a\n  routes: [{match: {§a-b: x}}]\nreceivers: [{name: a}]\n", "label's name"),
    "a bad old pattern": ("route:\n  receiver: a\n  routes: [{match_re: {x: §'('}}]\nreceivers: [{name: a}]\n", "("),
    "a label of groups that is none": ("route: {receiver: a, group_by: [§a-b]}\nreceivers: [{name: a}]\n", "a-b"),
    "a label of groups twice": ("route: {receiver: a, group_by: [a, §a]}\nreceivers: [{name: a}]\n", "a"),
    "an interval that nobody has": ("route:\n  receiver: a\n  routes: [{mute_time_intervals: [§night]}]\nreceivers: [{name: a}]\n", "night"),
    "a receiver twice": (HEAD + "  - §name: a\n", "is not unique"),
    "a receiver without a name": (HEAD + "  - §webhook_configs: []\n", "name"),
    "a webhook without an address": (HEAD + "    webhook_configs: [§{max_alerts: 5}]\n", "url"),
    "a webhook of a bad address": (HEAD + "    webhook_configs: [{url: §'ftp://x'}]\n", "http://"),
    "an unknown kind of receiver": (HEAD + "    §carrier_pigeon_configs: []\n", "carrier_pigeon_configs"),
    "an unknown key of a webhook": (HEAD + "    webhook_configs: [{url: 'http://x/', §colour: red}]\n", "colour"),
    "mail without whom": (HEAD + "    email_configs: [§{from: a@b, smarthost: 'h:25'}]\n", "to"),
    "mail without where": (HEAD + "    email_configs: [§{to: a@b, from: a@b}]\n", "smarthost"),
    "a command that is no path": (HEAD + "    command_configs: [§{command: [ls]}]\n", "absolute"),
    "inhibition without a source": (HEAD + "inhibit_rules: [§{target_matchers: [a=b]}]\n", "source"),
    "a time that is none": (HEAD + "time_intervals: [{name: x, time_intervals: [{times: [{start_time: §'25:00', end_time: '26:00'}]}]}]\n", "25:00"),
    "a time that ends before it begins": (HEAD + "time_intervals: [{name: x, time_intervals: [{times: [§{start_time: '12:00', end_time: '11:00'}]}]}]\n", "must be before"),
    "a zone that is none": (HEAD + "time_intervals: [{name: x, time_intervals: [{location: §Mars/Olympus}]}]\n", "Mars/Olympus"),
    "a weekday that is none": (HEAD + "time_intervals: [{name: x, time_intervals: [{weekdays: [§moonday]}]}]\n", "moonday"),
    "an interval twice": (HEAD + "time_intervals: [{name: x}, §{name: x}]\n", "is not unique"),
}


def placed(text):
    """The text, and its place as LINE:COLUMN."""
    before = text[:text.index("§")]
    return text.replace("§", ""), f"{before.count(chr(10)) + 1}:{len(before) - (before.rfind(chr(10)) + 1) + 1}"


def faults_of(told, path, place, words):
    """What is missing in what was told of the file."""
    if f"{path}:{place}: " not in told:
        return f"{place} is not named"
    reason = told.split(f"{path}:{place}: ", 1)[1].split("\n")[0]
    return "" if words in reason and len(reason) > 8 else f"the reason is {reason!r}"


def run_all(cases, path, good, reload, check):
    """Puts each in the place of a good file."""
    wrong = []
    for name, (text, words) in cases.items():
        bad, place = placed(text)
        path.write_text(bad)
        for told in (reload(), check()):
            if fault := faults_of(told, path, place, words):
                wrong.append(f"{name}: {fault}:\n{bad}--- told:\n{told}")
                break
    path.write_text(good)
    expect(not wrong, f"{len(wrong)} of {len(cases)}:\n" + "\n".join(wrong))


def test_bad_files_are_told_and_the_others_go_on():
    with temporary_folder() as folder:
        (folder / "good.rules").write_text("groups: [{name: good, interval: 1s, rules: [{record: x, expr: time()}]}]")
        was = "groups: [{name: was, interval: 1s, rules: [{alert: Was, expr: vector(1)}]}]"
        route = "route: {receiver: a}\nreceivers: [{name: a}]\n"
        rules, notify = folder / "other.rules", folder / "notify.yml"
        rules.write_text(was)
        notify.write_text(route)
        words = ["--rules-files", str(folder / "*.rules"), "--notify-config", str(notify)]
        with Server(folder / "data", "--host-metrics", "off", *words) as server:
            def reload():
                reply = server.request("POST", "/-/reload")
                expect_equal(reply.status, 500, str(reply.body))
                return reply.json()["error"]

            def check():
                done = subprocess.run([str(BIN / "tidemarkd"), "--check", "--data", str(folder / "other"), "--http", "127.0.0.1:0", *words],
                                      capture_output=True, timeout=120)
                expect(done.returncode != 0, "--check has found nothing")
                return (done.stdout + done.stderr).decode()

            def groups():
                return {group["name"]: group for group in server.request("GET", "/api/v1/rules").json()["data"]["groups"]}
            run_all(RULES, rules, was, reload, check)
            run_all(ROUTES, notify, route, reload, check)
            expect_equal(set(groups()), {"good", "was"}, "groups in force")
            before = {name: group["lastEvaluation"] for name, group in groups().items()}
            wait_until(lambda: all(group["lastEvaluation"] > before[name] for name, group in groups().items()), what="further evaluations")
            expect_equal({group["rules"][0]["health"] for group in groups().values()}, {"ok"}, "health")
            expect_equal(groups()["was"]["rules"][0]["state"], "firing", "the alert")
            expect_equal(server.request("POST", "/-/reload").status, 200, "all is good again")
            print(f"{len(RULES) + len(ROUTES)} bad files")


def test_a_bad_group_is_refused_by_the_api_with_its_place():
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off") as server:
        good = "{name: good, interval: 1s, rules: [{record: x, expr: time()}]}"
        expect_equal(server.request("POST", "/config/v1/rules/ns", good).status, 202, "a good one")
        wrong = []
        for name, (text, words) in {"an expression": ("name: g\nrules:\n  - record: x\n    expr: §'up +'\n", "unexpected end"), "a template": ("name: g\nrules:\n  - {alert: A, expr: up, labels: {x: §'{{ nope }}'}}\n", "nope"),
                                    "a key": ("name: good\n§every: 5m\nrules: []\n", "every"), "YAML": ("§{name: g", "end of map flow not found"), "no name": ("§rules: []\n", "name")}.items():
            bad, place = placed(text)
            reply = server.request("POST", "/config/v1/rules/ns", bad)
            if reply.status != 400 or faults_of(reply.body.decode(), "ns", place, words):
                wrong.append(f"{name}: {place}: {reply.status} {reply.body}")
        expect(not wrong, "\n".join(wrong))
        expect("time()" in server.request("GET", "/config/v1/rules/ns/good").body.decode(), "the good one is there")


if __name__ == "__main__":
    run_tests(globals())
