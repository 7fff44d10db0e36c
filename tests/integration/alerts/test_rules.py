"""Rule groups through the API, as Grafana changes them: in force at once, kept, and only for administrators."""
import json
import pathlib
import re
import subprocess
import sys
import time
from urllib.parse import quote

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import BIN, Server, expect, expect_equal, run_tests, temporary_folder, wait_until  # noqa: E402
from test_access import ask, bearer, make

GROUP = """name: latency
interval: 200ms
rules:
  - alert: Slow
    expr: latency > 1
    for: 1h
    labels: {severity: page}
    annotations: {summary: "{{ $labels.host }} takes {{ $value }} ms"}
  - {record: 'latency:max', expr: max(latency)}
"""
BASES = ["/config/v1/rules", "/prometheus/config/v1/rules", "/rules", "/api/v1/rules"]


def groups_of(server):
    return {(group["file"], group["name"]): group["rules"] for group in server.request("GET", "/api/v1/rules").json()["data"]["groups"]}


def put(server, space, text, status=202, base=BASES[0], **headers):
    reply = server.request("POST", f"{base}/{space}", text, {"Content-Type": "application/yaml", **headers})
    expect_equal(reply.status, status, reply.body)
    return reply


def test_what_is_put_is_in_force_at_once_and_after_a_kill():
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off") as server:
        server.write(f"latency,host=a value=7 {int(time.time() * 1e9)}")
        put(server, "team", GROUP)
        rules = groups_of(server)["team", "latency"]
        expect_equal([rule["name"] for rule in rules], ["Slow", "latency:max"], "shown when the answer is there")
        wait_until(lambda: groups_of(server)["team", "latency"][0]["state"] == "pending", what="the alert")
        active = groups_of(server)["team", "latency"][0]["alerts"][0]["activeAt"]
        # Another group does not disturb it.
        put(server, "team", "{name: other, rules: [{record: x, expr: vector(1)}]}")
        expect_equal(groups_of(server)["team", "latency"][0]["alerts"][0]["activeAt"], active, "it goes on")
        server.kill()
        server.start()
        expect_equal(sorted(groups_of(server)), [("team", "latency"), ("team", "other")], "after a kill")
        expect_equal(server.request("DELETE", "/config/v1/rules/team/other").status, 202, "delete")
        expect_equal(sorted(groups_of(server)), [("team", "latency")], "gone at once")
        expect_equal(server.request("DELETE", "/config/v1/rules/team").status, 202, "delete all")
        expect_equal(groups_of(server), {}, "all gone")
        # The series end: nothing is left to be read.
        expect_equal(server.query("ALERTS"), [], "ALERTS has ended")


def test_names_of_any_letters():
    names = ["a/b", "a//b/", ".", "..", "../x", "a b", "grün/π", "a%2Fb", "a?b#c", "a+b&c=d", "rules.yml", "'\"\\"]
    pairs = sorted({(name, other) for name, other in [*zip(names, names), *zip(names, names[1:])]})
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off") as server:
        for base in BASES:
            for space, name in pairs:
                put(server, quote(space, safe=""), f"{{name: {json.dumps(name)}, rules: [{{record: x, expr: vector(1)}}]}}", base=base)
            expect_equal(sorted(groups_of(server)), pairs, f"all, below {base}")
            for space, name in pairs:
                path = f"{base}/{quote(space, safe='')}/{quote(name, safe='')}"
                reply = server.request("GET", path)
                expect(reply.status == 200 and b"record: x" in reply.body, f"{path}: {reply.status} {reply.body}")
                expect_equal(server.request("DELETE", path).status, 202, path)
                expect_equal(server.request("GET", path).status, 404, path)
            expect_equal(groups_of(server), {}, f"none, below {base}")


def test_addresses_of_mimir_grafana_and_cortex():
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off") as server:
        for base in BASES:
            put(server, "a%20b", GROUP, base=base)
            one = server.request("GET", f"{base}/a%20b/latency")
            expect_equal((one.status, one.headers["Content-Type"]), (200, "application/yaml"), base)
            expect(one.body.startswith(b"name: latency\n"), one.body)
            all_of_it = server.request("GET", f"{base}/a%20b").body
            expect(all_of_it.startswith(b'"a b":\n    - name: latency\n'), all_of_it)
            if base != BASES[3]:
                expect_equal(server.request("GET", base).body, all_of_it, base)
            missing = server.request("GET", f"{base}/a%20b/none")
            expect_equal((missing.status, missing.json()["error"]), (404, "group does not exist"), base)
            expect_equal(server.request("DELETE", f"{base}/a%20b/latency").status, 202, base)
            expect_equal(server.request("DELETE", f"{base}/a%20b").status, 404, base)
        expect_equal(server.request("GET", BASES[0]).body, b"{}\n", "none")
        features = server.request("GET", "/api/v1/status/buildinfo").json()["data"]["features"]
        expect_equal(features["ruler_config_api"], "true", "Grafana asks for it")


def test_promtool_accepts_what_is_stored():
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off") as server:
        put(server, "ns", GROUP)
        put(server, "ns", "name: odd\nrules:\n  - alert: A\n    expr: |\n      up == 0\n        and on () vector(1)\n    labels: {v: \"1.0\", t: 'true', e: ''}\n")
        put(server, "ns", "name: more\nquery_offset: 1s\nrules:\n  - alert: B\n    expr: up < 1\n    no_data: keep\n    recover: up > 2\n    flapping: 4 in 10m\n    keep_firing_for: 1m\n")
        text = server.request("GET", "/config/v1/rules").body.decode()
        # Debian's does not know keys that are newer, nor our own.
        newer = re.compile(r"^ +(- )?(query_offset|no_data|recover|flapping|keep_firing_for): .*\n", re.MULTILINE)
        expect_equal(len(newer.findall(text)), 5, "newer keys")
        (folder / "rules.yml").write_text(newer.sub("", text.replace('"ns":', "groups:")))
        run = subprocess.run(["promtool", "check", "rules", str(folder / "rules.yml")], capture_output=True, timeout=60)
        expect_equal(run.returncode, 0, run.stderr.decode() + text)
        expect(b"4 rules found" in run.stdout, run.stdout)


def test_bad_bodies_are_refused_with_their_place():
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off") as server:
        put(server, "ns", GROUP)
        before = server.request("GET", "/config/v1/rules").body
        for text, fault in [("name: g\nrules:\n  - alert: A\n    expr: up ==\n", "ns:4:11: could not parse expression: 1:6: "),
                            ("name: [", "ns:1:1: end of sequence flow not found"), ("", "ns:1:1: "), ("rules: []", "a group needs a name"),
                            ("name: latency\nwhat: x", "ns:2:1: "), ("name: g\ninterval: 5", "ns:2:11: ")]:
            reply = put(server, "ns", text, status=400).json()
            expect_equal((reply["status"], reply["errorType"]), ("error", "bad_data"), "envelope")
            expect(fault in reply["error"], reply["error"])
        expect_equal(server.request("GET", "/config/v1/rules").body, before, "nothing has changed")


def test_files_by_patterns_are_their_own():
    with temporary_folder() as folder:
        (folder / "rules").mkdir()
        for name in ("a", "b"):
            (folder / "rules" / f"{name}.yml").write_text(f"groups: [{{name: {name}, rules: [{{record: {name}, expr: vector(1)}}]}}]")
        pattern = str(folder / "rules" / "*.yml")
        with Server(folder / "data", "--host-metrics", "off", "--rules-files", pattern, "--rules-files", f"{folder}/rules/a.yml") as server:
            expect_equal(sorted(name for _, name in groups_of(server)), ["a", "b"], "each once")
            put(server, "ns", GROUP)
            (folder / "rules" / "c.yml").write_text("groups: [{name: c, rules: [{record: c, expr: vector(1)}]}]")
            server.process.send_signal(1)
            wait_until(lambda: len(groups_of(server)) == 4, what="the new file")


def test_rules_read_one_database_and_record_into_another():
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off") as server:
        server.write(f"latency,host=a value=7 {int(time.time() * 1e9)}", db="calls")
        put(server, "ns", "{name: g, interval: 200ms, database: calls, into: sums, rules: [{record: worst, expr: max(latency)}, "
                          "{alert: Slow, expr: latency > 5}]}")
        wait_until(lambda: server.query("worst", db="sums"), what="the record")
        expect_equal(server.query("worst", db="sums")[0]["value"][1], "7", "recorded there")
        wait_until(lambda: server.query("ALERTS", db="sums"), what="alerts too, which the next rule writes")


def test_only_administrators_change_rules():
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off") as server:
        root = make(server, "root", "admin:*")
        reader = make(server, "reader", "read:default", root)
        writer = make(server, "writer", "write:default", root)
        other = make(server, "other", "read:calls", root)
        put(server, "ns", GROUP, **bearer(root))
        for secret, status in ((root, 200), (reader, 200), (other, 403)):
            for path in ("", "/ns", "/ns/latency"):
                expect_equal(ask(server, "GET", BASES[0] + path, bearer(secret))[0], status, f"GET {path}")
        for secret in (reader, writer, other):
            put(server, "ns", GROUP, status=403, **bearer(secret))
            expect_equal(ask(server, "DELETE", BASES[0] + "/ns", bearer(secret))[0], 403, "delete all")
            expect_equal(ask(server, "DELETE", BASES[0] + "/ns/latency", bearer(secret))[0], 403, "delete")
        put(server, "ns", GROUP, status=401)
        expect_equal(ask(server, "DELETE", BASES[0] + "/ns", bearer(root))[0], 202, "the administrator")
        audit = ask(server, "GET", "/api/v1/admin/audit", bearer(root))[2].decode()
        expect("/config/v1/rules/ns" in audit and '"root"' in audit, audit)


def tidemark(server, *words):
    run = subprocess.run([str(BIN / "tidemark"), "alert", *words, "--server", server.url], capture_output=True, stdin=subprocess.DEVNULL, timeout=60)
    return run.returncode, run.stdout.decode() + run.stderr.decode()


def test_a_threshold_becomes_a_rule():
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off") as server:
        now = int(time.time())
        # Two days ago it was slow for ten minutes; it is slow now.
        slow = range(now - 2 * 86_400, now - 2 * 86_400 + 600, 10)
        lines = [f"api_seconds,host=a value={0.07 if at in slow else 0.01} {at}000000000" for at in range(now - 2 * 86_400 - 600, now - 2 * 86_400 + 1200, 10)]
        lines.append(f"api_seconds,host=a value=0.08 {now}000000000")
        expect_equal(server.write("\n".join(lines), db="calls").status, 204, "write")
        words = ["add", "api > 50ms for 1m", "--db", "calls", "--severity", "page"]
        code, out = tidemark(server, *words)
        expect_equal(code, 0, out)
        for text in ('expr: "api_seconds > 0.05"', "for: 1m", 'severity: "page"', 'database: "calls"', "now: the condition holds:",
                     'api_seconds{host="a"} 0.08', "1 alert would have fired", "not saved: --yes saves it"):
            expect(text in out, f"{text} is missing in\n{out}")
        expect_equal(groups_of(server), {}, "nothing was saved")
        # What is compared is shown although it does not hold, and any name will do.
        code, out = tidemark(server, "add", "api > 500ms and sum(api_seconds) > 0", "--db", "calls", "--name", "a: {b")
        expect_equal(code, 0, out)
        for text in ('alert: "a: {b"', "now: the condition does not hold:", 'api_seconds{host="a"} 0.08', "  sum(api_seconds) 0.08"):
            expect(text in out, f"{text} is missing in\n{out}")
        code, out = tidemark(server, *words, "--yes")
        expect_equal(code, 0, out)
        rule = groups_of(server)["thresholds", "Api"][0]
        expect_equal((rule["name"], rule["query"], rule["duration"]), ("Api", "api_seconds > 0.05", 60), "the rule")
        # The same one again is no other; another of its name takes its place only when that is said.
        code, out = tidemark(server, *words, "--yes")
        expect_equal((code, "it is there already" in out), (0, True), out)
        other = ["add", "api > 60ms", "--db", "calls", "--yes"]
        code, out = tidemark(server, *other)
        expect_equal((code, "the namespace thresholds has another group Api" in out, "--replace" in out, "api_seconds > 0.05" in out), (1, True, True, True), out)
        expect_equal(groups_of(server)["thresholds", "Api"][0]["query"], "api_seconds > 0.05", "it stays")
        code, out = tidemark(server, *other, "--replace")
        expect_equal((code, "in the place of the one before" in out), (0, True), out)
        expect_equal(groups_of(server)["thresholds", "Api"][0]["query"], "api_seconds > 0.06", "the other one")
        code, out = tidemark(server, "add", "api > 50ms recover < 20ms flapping 4 in 10m", "--db", "calls", "--name", "Damped", "--yes")
        expect_equal(code, 0, out)
        rule = groups_of(server)["thresholds", "Damped"][0]
        expect_equal((rule["recover"], rule["flapping"]), ("api_seconds < 0.02", "4 in 10m"), "the rule")
        wait_until(lambda: groups_of(server)["thresholds", "Damped"][0]["state"] == "firing", what="the alert")
        expect("recovering" not in groups_of(server)["thresholds", "Damped"][0]["alerts"][0], "its condition holds")
        server.write(f"api_seconds,host=a value=0.03 {int(time.time() * 1e9)}", db="calls")
        wait_until(lambda: groups_of(server)["thresholds", "Damped"][0]["alerts"][0].get("recovering"), what="the next evaluation")
        code, out = tidemark(server, "add", "nothing > 5")
        expect_equal((code, "there is no metric nothing" in out), (1, True), out)


def test_a_backfill_records_the_past():
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off") as server:
        now = int(time.time())
        lines = [f"level,host={host} value={at % 7} {at}000000000" for at in range(now - 3600, now, 15) for host in "ab"]
        expect_equal(server.write("\n".join(lines)).status, 204, "write")
        put(server, "ns", "{name: g, interval: 1m, rules: [{record: 'level:sum', expr: sum(level)}, {record: twice, expr: 'level:sum * 2'}]}")
        code, out = tidemark(server, "backfill", "ns", "g", "--from", "-50m", "--to", "-10m")
        expect_equal(code, 0, out)
        expect("done" in out and "80 rows written" in out, out)
        counts = {name: int(server.query(f"count_over_time({name}[2h])")[0]["value"][1]) for name in ("level:sum", "twice")}
        expect_equal({name: 40 <= count <= 42 for name, count in counts.items()}, {"level:sum": True, "twice": True}, counts)
        # Each is what an instant query of its time gives.
        for at, value in server.query("twice[2h]")[0]["values"]:
            expect_equal(server.query("sum(level) * 2", time=at)[0]["value"][1], value, f"at {at}")
        code, out = tidemark(server, "backfill", "ns", "g", "--from", "-50m", "--to", "-10m", "--rule", "twice")
        expect_equal(code, 0, out)
        expect(re.search(r"[01] rows written, (39|40|41) there before", out), out)
        code, out = tidemark(server, "backfill", "ns", "none", "--from", "-50m")
        expect_equal((code, "there is no rule group none" in out), (1, True), out)
        expect_equal(tidemark(server, "backfill", "ns")[0], 2, "usage")
        # One that takes long is cancelled, and another is interrupted by a restart.
        put(server, "ns", "{name: long, interval: 1s, rules: [{record: slow, expr: sum(level)}]}")
        code, out = tidemark(server, "backfill", "ns", "long", "--from", "-30d", "--no-wait")
        expect_equal(code, 0, out)
        job = out.split()[0]
        wait_until(lambda: f"{job}  running" in tidemark(server, "backfill", "--list")[1], what="the job")
        code, out = tidemark(server, "backfill", "--cancel", job)
        expect_equal(code, 0, out)
        wait_until(lambda: f"{job}  cancelled" in tidemark(server, "backfill", "--list")[1], what="its end")
        job = tidemark(server, "backfill", "ns", "long", "--from", "-30d", "--no-wait")[1].split()[0]
        wait_until(lambda: f"{job}  running" in tidemark(server, "backfill", "--list")[1], what="the job")
        server.kill()
        server.start()
        expect(re.search(f"{job}  interrupted .*begin it again", tidemark(server, "backfill", "--list")[1]), "after a kill")


def test_history_says_what_became_of_alerts():
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off") as server:
        put(server, "ns", "{name: g, interval: 200ms, rules: [{alert: Slow, expr: latency > 5, labels: {severity: page}}]}")
        server.write(f"latency,host=a value=7 {int(time.time() * 1e9)}")
        history = lambda *words: tidemark(server, "history", *words)[1]
        wait_until(lambda: "inactive -> firing, value 7: the condition holds" in history(), what="the alert")
        server.write(f"latency,host=a value=1 {int(time.time() * 1e9)}")
        wait_until(lambda: "firing -> inactive, value 7: the condition does not hold any more" in history("Slow"), what="its end")
        lines = history("Slow").strip().split("\n")
        expect_equal(len(lines), 2, lines)
        expect("Slow host=a severity=page" in lines[0], lines[0])
        expect_equal(history("Other"), "", "another alert")
        expect_equal(history('"a\\b\n'), "", "a name with quotes")
        # The same by PromQL.
        states = server.query("last_over_time(_alerts_state{alertname=\"Slow\"}[1h])", db="_server")
        expect_equal([state["value"][1] for state in states], ["0"], "the state")


if __name__ == "__main__":
    run_tests(globals())
