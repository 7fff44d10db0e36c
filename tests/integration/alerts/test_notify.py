"""Alerts are told: those of rules and of other programs, through amtool, and over kills."""
import email
import json
import pathlib
import re
import shutil
import ssl
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from peers.alert_sink import AlertSink  # noqa: E402
from peers.mail_sink import MailSink  # noqa: E402
from harness import BIN, Server, expect, expect_equal, run_tests, temporary_folder, wait_until  # noqa: E402

CONFIG = """
route:
  receiver: all
  group_by: [alertname]
  group_wait: 100ms
  group_interval: 500ms
  repeat_interval: 1h
receivers:
  - name: all
    webhook_configs: [{{url: '{url}/all'}}]
"""
JSON = {"Content-Type": "application/json"}


def write(path, text):
    path.write_text(text)
    return str(path)


def now(offset=0):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + offset)) + "Z"


def post(server, alerts):
    reply = server.request("POST", "/api/v2/alerts", json.dumps(alerts), JSON)
    expect_equal(reply.status, 200, f"POST /api/v2/alerts: {reply.body}")


def amtool(url, *arguments, fails=False):
    run = subprocess.run(["amtool", f"--alertmanager.url={url}", *arguments], capture_output=True, timeout=60)
    expect_equal(run.returncode != 0, fails, f"amtool {' '.join(arguments)}: {run.stderr.decode()}{run.stdout.decode()}")
    return run.stdout.decode()


def tidemark(*arguments):
    run = subprocess.run([str(BIN / "tidemark"), *arguments], capture_output=True, timeout=60)
    return run.returncode, run.stdout.decode(), run.stderr.decode()


def test_rules_are_told_and_resolved():
    with temporary_folder() as folder, AlertSink() as sink:
        config = write(folder / "alerts.yml", CONFIG.format(url=sink.url))
        rules = write(folder / "rules.yml", """groups:
  - name: g
    interval: 200ms
    rules:
      - {alert: High, expr: "level > 5", labels: {severity: page}, annotations: {summary: "{{ $labels.host }} has {{ $value }}"}}
""")
        with Server(folder / "data", "--host-metrics", "off", "--notify-config", config, "--rules-files", rules) as server:
            server.write(f"level,host=a value=7 {int(time.time() * 1e9)}")
            wait_until(lambda: sink.messages, what="the alert")
            path, message = sink.messages[0]
            expect_equal(path, "/all", "path")
            expect_equal(message["groupKey"], '{}:{alertname="High"}', "group")
            alert = message["alerts"][0]
            expect_equal(alert["labels"], {"alertname": "High", "host": "a", "severity": "page"}, "labels")
            expect_equal(alert["annotations"], {"summary": "a has 7"}, "annotations")
            expect_equal((alert["status"], alert["endsAt"]), ("firing", "0001-01-01T00:00:00Z"), "firing")
            server.write(f"level,host=a value=1 {int(time.time() * 1e9)}")
            wait_until(lambda: len(sink.messages) > 1, what="the resolve")
            expect_equal(sink.told(), [("firing", [("High", "firing")]), ("resolved", [("High", "resolved")])], "told")


def test_a_rule_that_is_taken_away_resolves():
    with temporary_folder() as folder, AlertSink() as sink:
        config = write(folder / "alerts.yml", CONFIG.format(url=sink.url))
        rules = write(folder / "rules.yml",
                      "groups: [{name: g, interval: 200ms, rules: [{alert: Always, expr: vector(1)}]}]")
        with Server(folder / "data", "--host-metrics", "off", "--notify-config", config, "--rules-files", rules) as server:
            wait_until(lambda: sink.messages, what="the alert")
            write(folder / "rules.yml", "groups: []")
            server.process.send_signal(1)
            wait_until(lambda: len(sink.messages) > 1, what="the resolve")
            expect_equal(sink.told()[1], ("resolved", [("Always", "resolved")]), "told")


def test_the_watchdog_calls_and_nobody_else_is_told():
    with temporary_folder() as folder, AlertSink() as sink:
        config = write(folder / "alerts.yml", CONFIG.format(url=sink.url))
        with Server(folder / "data", "--host-metrics", "off", "--notify-config", config, "--notify-watchdog",
                    sink.url + "/ping?x=1", "--notify-watchdog-interval", "100ms") as server:
            wait_until(lambda: len(sink.pings) >= 3, what="calls")
            expect_equal(set(sink.pings), {"/ping?x=1"}, "the URL")
            expect_equal(sink.messages, [], "receivers are not told of the alert that always fires")
            alerts = json.loads(server.request("GET", "/api/v1/alerts").body)["data"]["alerts"]
            expect_equal([alert["labels"]["alertname"] for alert in alerts], ["TidemarkWatchdog"], "alerts")
            # A call that fails is made again with the next interval.
            sink.answer = 500
            calls = len(sink.pings)
            wait_until(lambda: len(sink.pings) > calls, what="calls that fail")
            sink.answer = 200
            metrics = server.request("GET", "/metrics").body.decode()
            expect(re.search(r"tidemark_watchdog_failed_total [1-9]", metrics), "failures are counted")
            expect(re.search(r"tidemark_watchdog_calls_total [1-9]", metrics), "calls are counted")


def test_amtool_works_against_us():
    expect(shutil.which("amtool"), "amtool is missing: tools/dev/setup test")
    with temporary_folder() as folder, AlertSink() as sink:
        config = write(folder / "alerts.yml", CONFIG.format(url=sink.url) + """
  - name: page
    email_configs: [{to: a@b.c, from: d@e.f, smarthost: 'localhost:1'}]
    command_configs: [{command: [/bin/true]}]
inhibit_rules: [{source_matchers: [a=b], target_matchers: [a=c], equal: [x]}]
time_intervals: [{name: n, time_intervals: [{times: [{start_time: '22:00', end_time: '24:00'}], weekdays: ['monday:friday'], location: Europe/Berlin}]}]
""")
        text = (folder / "alerts.yml").read_text().replace(
            "  repeat_interval: 1h\n", "  repeat_interval: 1h\n  routes: [{matchers: ['severity=\"page\"', 'team=~\"a|b\"'], receiver: page}]\n", 1)
        write(folder / "alerts.yml", text)
        with Server(folder / "data", "--host-metrics", "off", "--notify-config", config) as server:
            amtool(server.url, "alert", "add", "alertname=Loss", "tier=gold", "--annotation=summary=gone")
            out = amtool(server.url, "alert", "query", "-o", "extended", "tier=~gold|silver")
            expect('alertname="Loss"' in out and 'summary="gone"' in out, out)
            expect_equal(json.loads(amtool(server.url, "alert", "query", "-o", "json", "tier=iron")), [], "no such alert")
            silence = amtool(server.url, "silence", "add", "-c", "why", "-a", "ada", "-d", "1h", "alertname=~L.*", "tier!=iron").strip()
            expect(re.fullmatch(r"[0-9a-f-]{36}", silence), silence)
            expect_equal(amtool(server.url, "silence", "query", "-q").split(), [silence], "silences")
            # Silenced alerts are left out unless they are asked for.
            expect_equal(json.loads(amtool(server.url, "alert", "query", "-o", "json")), [], "silenced")
            alert = json.loads(amtool(server.url, "alert", "query", "-o", "json", "--silenced"))[0]
            expect_equal((alert["status"]["state"], alert["status"]["silencedBy"]), ("suppressed", [silence]), "state")
            amtool(server.url, "silence", "update", "-c", "other", silence)
            amtool(server.url, "silence", "expire", silence)
            expect_equal(amtool(server.url, "silence", "query", "-q").split(), [], "expired")
            expect("Loss" in amtool(server.url, "alert", "query"), "it is active again")
            expect_equal(amtool(server.url, "config", "routes", "test", "severity=page", "team=b").strip(), "page", "routes test")
            expect_equal(amtool(server.url, "config", "routes", "test", "severity=page").strip(), "all", "routes test")
            expect("receiver: page" in amtool(server.url, "config", "show"), "config show")
            expect("default-route" in amtool(server.url, "config", "routes", "show"), "routes show")


def test_a_dead_receiver_delays_no_other_and_hears_of_it_all():
    with temporary_folder() as folder, AlertSink() as dead, AlertSink() as sink:
        config = write(folder / "alerts.yml", f"""
route: {{receiver: all, group_by: [alertname], group_wait: 100ms, group_interval: 500ms, repeat_interval: 1h}}
receivers:
  - name: all
    webhook_configs: [{{url: '{dead.url}/dead'}}, {{url: '{sink.url}/all'}}]
""")
        dead.answer = 503
        dead.headers = {"Retry-After": "1"}
        with Server(folder / "data", "--host-metrics", "off", "--notify-config", config) as server:
            post(server, [{"labels": {"alertname": "A"}}])
            wait_until(lambda: sink.messages and dead.refused, what="the other receiver")
            post(server, [{"labels": {"alertname": "A"}, "endsAt": now(-1)}])
            wait_until(lambda: len(sink.messages) == 2, what="the resolve at the other")
            expect_equal(dead.messages, [], "at the dead one")
            dead.answer = 200
            wait_until(lambda: len(dead.messages) == 2, what="both at the one that is back")
            expect_equal(dead.told(), [("firing", [("A", "firing")]), ("resolved", [("A", "resolved")])], "told")


def test_kills_lose_nothing_and_resolve_nothing():
    with temporary_folder() as folder, AlertSink() as sink:
        config = write(folder / "alerts.yml", CONFIG.format(url=sink.url))
        server = Server(folder / "data", "--host-metrics", "off", "--notify-config", config)
        for round_number in range(3):
            name = f"A{round_number}"
            server.start()
            sink.answer = 503
            refused = sink.refused
            post(server, [{"labels": {"alertname": name}, "endsAt": now(2)}])
            # While it is being sent, and in the next round before it is.
            if round_number % 2 == 0:
                wait_until(lambda: sink.refused > refused, what="an attempt")
            server.kill()
            time.sleep(2.5)
            sink.answer = 200
            server.start()
            wait_until(lambda: any(names == [(name, "firing")] for _, names in sink.told()), what=f"{name}, though its time is over")
            server.kill()
        server.start()
        wait_until(lambda: sum(status == "resolved" for status, _ in sink.told()) >= 3, what="all resolves")
        for round_number in range(3):
            states = [names[0][1] for _, names in sink.told() if names[0][0] == f"A{round_number}"]
            expect_equal(sorted(set(states)), ["firing", "resolved"], f"states of A{round_number}")
            expect_equal(states, sorted(states), "firing before resolved")
        # What came twice came under one id.
        seen = {}
        for (_, message), key in zip(sink.messages, sink.keys):
            seen.setdefault(key, json.dumps(message["alerts"]))
            expect_equal(seen[key], json.dumps(message["alerts"]), "a message of the same id")
        server.kill()


def test_errors_are_those_of_alertmanager():
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off") as server:
        cases = [
            ('[{"labels":{"a-b":"x"}},{"labels":{"good":"1"}}]', 400, '"invalid label set: invalid name \\"a-b\\""'),
            ('[{"labels":{}}]', 400, '"at least one label pair required"'),
            ('[{"annotations":{}}]', 422, '{"code":602,"message":"0.labels in body is required"}'),
            ('', 422, '{"code":602,"message":"alerts in body is required"}'),
            ('[]', 200, ''),
            ('null', 200, ''),
        ]
        for body, status, answer in cases:
            reply = server.request("POST", "/api/v2/alerts", body, JSON)
            expect_equal((reply.status, reply.body.decode().strip()), (status, answer), body)
        expect_equal(server.request("POST", "/api/v2/alerts", "{", JSON).status, 400, "broken JSON")
        expect_equal(server.request("POST", "/api/v2/alerts", "[]", {"Content-Type": "text/plain"}).status, 415, "type")
        names = [alert["labels"] for alert in json.loads(server.request("GET", "/api/v2/alerts").body)]
        expect_equal(names, [{"good": "1"}], "the good ones of a batch are taken")
        silence = {"matchers": [{"name": "a", "value": "b", "isRegex": False}], "startsAt": now(), "endsAt": now(60),
                   "createdBy": "ada", "comment": "why"}
        for change, status in (({}, 200), ({"endsAt": now(-60)}, 400), ({"matchers": []}, 422), ({"id": "x"}, 404),
                               ({"matchers": [{"name": "a", "value": "", "isRegex": False}]}, 400)):
            reply = server.request("POST", "/api/v2/silences", json.dumps({**silence, **change}), JSON)
            expect_equal(reply.status, status, f"{change}: {reply.body}")
        expect_equal(server.request("GET", "/api/v2/silence/xx").status, 422, "no id")
        expect_equal(server.request("DELETE", "/api/v2/silence/00000000-0000-4000-8000-000000000000").status, 404, "unknown")


def test_a_bad_configuration_stops_the_start_and_names_its_place():
    with temporary_folder() as folder:
        config = write(folder / "alerts.yml", "route: {receiver: nobody}\nreceivers: [{name: a}]\n")
        server = Server(folder / "data", "--notify-config", config)
        try:
            server.start()
            expect(False, "it started")
        except Exception as error:
            expect("alerts.yml:1:19: undefined receiver \"nobody\" used in route" in str(error), str(error))


def test_send_test():
    with temporary_folder() as folder, AlertSink() as sink:
        config = write(folder / "alerts.yml", CONFIG.format(url=sink.url))
        with Server(folder / "data", "--host-metrics", "off", "--notify-config", config) as server:
            form = {"Content-Type": "application/x-www-form-urlencoded"}
            reply = json.loads(server.request("POST", "/api/v1/admin/alert/test", "receiver=all", form).body)
            expect_equal(reply["data"], [{"integration": 0, "delivered": True, "error": ""}], "outcome")
            expect_equal(sink.told(), [("firing", [("TestAlert", "firing")])], "told")
            expect_equal(server.request("POST", "/api/v1/admin/alert/test", "receiver=x", form).status, 404, "unknown")
            expect_equal(tidemark("alert", "send-test", "--server", server.url, "all"),
                         (0, 'way 1 of "all": delivered\n', ""), "send-test")
            sink.answer = 404
            code, out, _ = tidemark("alert", "send-test", "--server", server.url, "all")
            expect_equal((code, out), (1, 'way 1 of "all": not delivered: it answered 404: \n'), "send-test, refused")
            code, _, error = tidemark("alert", "send-test", "--server", server.url, "x")
            expect_equal((code, error), (1, 'tidemark: there is no receiver "x": those that are configured are all\n'),
                         "send-test, unknown")


def test_the_command_lists_what_fires():
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off") as server:
        post(server, [{"labels": {"alertname": name, "host": "a"}, "startsAt": "2026-01-31T12:00:00Z"} for name in ("A", "B")])
        code, out, _ = tidemark("alert", "list", "--server", server.url, "alertname!=A")
        expect_equal((code, out), (0, "2026-01-31T12:00:00.000Z  active     alertname=B host=a\n"), "list")
        code, _, error = tidemark("alert", "list", "--server", server.url, "A")
        expect(code == 1 and "bad matcher format" in error, error)


def test_mail_is_sent_again_until_it_is_taken():
    with temporary_folder() as folder, MailSink() as sink:
        sink.refusal = "451 come again"
        config = write(folder / "alerts.yml", f"""
route: {{receiver: ops, group_by: [alertname], group_wait: 100ms, group_interval: 500ms, repeat_interval: 1h}}
receivers:
  - name: ops
    email_configs:
      - {{to: 'Ada <ada@example.org>, bo@example.org', from: tide@example.org, smarthost: '127.0.0.1:{sink.port}', require_tls: false, send_resolved: true}}
""")
        with Server(folder / "data", "--host-metrics", "off", "--notify-config", config) as server:
            post(server, [{"labels": {"alertname": "Loss", "host": "a"}, "annotations": {"summary": "Größe < 1"}}])
            wait_until(lambda: sink.refused, what="an attempt")
            sink.refusal = ""
            wait_until(lambda: sink.mails, what="the mail")
            sender, recipients, text = sink.mails[0]
            expect_equal((sender, recipients), ("tide@example.org", ["ada@example.org", "bo@example.org"]), "envelope")
            mail = email.message_from_string(text)
            expect_equal(mail["Subject"], "[FIRING:1] Loss (a)", "subject")
            parts = {part.get_content_type(): part.get_payload(decode=True).decode() for part in mail.get_payload()}
            expect_equal(sorted(parts), ["text/html", "text/plain"], "parts")
            expect("summary: Größe < 1" in parts["text/plain"], parts["text/plain"])
            expect("Größe &lt; 1" in parts["text/html"], parts["text/html"])
            post(server, [{"labels": {"alertname": "Loss", "host": "a"}, "endsAt": now(-1)}])
            wait_until(lambda: len(sink.mails) == 2, what="the resolve")
            expect_equal(email.message_from_string(sink.mails[1][2])["Subject"], "[RESOLVED] Loss (a)", "subject")


def test_webhooks_over_tls_with_credentials_from_files():
    with temporary_folder() as folder:
        subprocess.run([str(BIN / "tidemark"), "admin", "certificate", "new", "127.0.0.1", "--out", str(folder / "tls")],
                       check=True, capture_output=True, timeout=60)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "tls" / "certificate.pem", folder / "tls" / "key.pem")
        with AlertSink(context=context) as sink, AlertSink() as other:
            write(folder / "secret", "wrong\n")
            believed = f"tls_config: {{ca_file: {folder}/tls/certificate.pem}}"
            config = write(folder / "alerts.yml", f"""
route: {{receiver: ops, group_by: [alertname], group_wait: 100ms, group_interval: 500ms, repeat_interval: 1h}}
receivers:
  - name: ops
    webhook_configs:
      - {{url: '{sink.url}/bearer', http_config: {{{believed}, authorization: {{credentials_file: {folder}/secret}}}}}}
      - {{url: '{sink.url}/basic', http_config: {{{believed}, basic_auth: {{username: ada, password: p}}}}}}
      - {{url: '{sink.url}/unbelieved'}}
      - {{url: '{other.url}/last'}}
""")
            sink.answer = 503
            with Server(folder / "data", "--host-metrics", "off", "--notify-config", config) as server:
                post(server, [{"labels": {"alertname": "Loss"}}])
                wait_until(lambda: {"Bearer wrong", "Basic YWRhOnA="} <= set(sink.authorizations), what="both ways")
                # A secret that is changed in its file counts at the next attempt.
                write(folder / "secret", "right\n")
                wait_until(lambda: "Bearer right" in sink.authorizations, what="the new secret")
                sink.answer = 200
                wait_until(lambda: len(sink.messages) >= 2 and other.messages, what="all")
                expect_equal({path for path, _ in sink.messages}, {"/bearer", "/basic"}, "who is told")
                config = server.request("GET", "/api/v2/status").body.decode()
                expect("right" not in config and '"p"' not in config and sink.url not in config, config)


def test_a_command_has_the_message_and_says_whether_it_is_done():
    with temporary_folder() as folder:
        # The first run says 75: again later.
        script = folder / "tell"
        write(script, f"""#!/bin/sh
cat "$TIDEMARK_MESSAGE_FILE" > {folder}/message
echo "$TIDEMARK_STATUS|$TIDEMARK_TITLE|$TIDEMARK_MESSAGE_ID" >> {folder}/runs
test "$(wc -l < {folder}/runs)" -gt 1 || exit 75
""")
        script.chmod(0o755)
        config = write(folder / "alerts.yml", f"""
route: {{receiver: ops, group_by: [alertname], group_wait: 100ms, group_interval: 500ms, repeat_interval: 1h}}
receivers:
  - name: ops
    command_configs: [{{command: ['{script}']}}]
""")
        runs = folder / "runs"
        with Server(folder / "data", "--host-metrics", "off", "--notify-config", config) as server:
            post(server, [{"labels": {"alertname": "Loss"}}])
            wait_until(lambda: runs.exists() and len(runs.read_text().splitlines()) == 2, what="the second run")
            first, second = runs.read_text().splitlines()
            expect_equal(first, second, "what is sent again is the same, its id too")
            expect(first.startswith("firing|[FIRING:1] Loss|"), first)
            expect_equal(json.loads((folder / "message").read_text())["alerts"][0]["labels"], {"alertname": "Loss"}, "file")
            post(server, [{"labels": {"alertname": "Loss"}, "endsAt": now(-1)}])
            wait_until(lambda: len(runs.read_text().splitlines()) == 3, what="the resolve")
            expect(runs.read_text().splitlines()[2].startswith("resolved|[RESOLVED] Loss|"), runs.read_text())


def test_rules_are_told_again_after_a_kill_only_if_something_is_new():
    with temporary_folder() as folder, AlertSink() as sink:
        config = write(folder / "alerts.yml", CONFIG.format(url=sink.url))
        rules = write(folder / "rules.yml",
                      "groups: [{name: g, interval: 200ms, rules: [{alert: Always, expr: vector(1)}]}]")
        server = Server(folder / "data", "--host-metrics", "off", "--notify-config", config, "--rules-files", rules)
        server.start()
        wait_until(lambda: sink.messages, what="the alert")
        for _ in range(2):
            time.sleep(1)
            server.kill()
            server.start()
        time.sleep(2)
        # At least once: the same message may have come twice, but no other one, and no resolve.
        expect_equal((set(map(str, sink.told())), len(set(sink.keys))), ({"('firing', [('Always', 'firing')])"}, 1), "told")
        write(folder / "rules.yml", "groups: []")
        server.process.send_signal(1)
        wait_until(lambda: sink.told()[-1] == ("resolved", [("Always", "resolved")]), what="the resolve")
        server.kill()


if __name__ == "__main__":
    run_tests(globals())
