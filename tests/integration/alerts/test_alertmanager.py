"""Debian's Alertmanager is told of our alerts: it receives, resolves and says nothing twice, through restarts of either side."""
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from peers.alert_sink import AlertSink  # noqa: E402
from harness import Server, expect, expect_equal, free_port, run_tests, temporary_folder, wait_until  # noqa: E402

ROUNDS = int(os.environ.get("TIDEMARK_RESTARTS", "3"))
RULES = """groups:
  - name: g
    interval: 200ms
    rules:
      - {alert: High, expr: level > 5, labels: {severity: page}, annotations: {summary: "{{ $labels.host }} has {{ $value }}"}}
"""


class Alertmanager:
    def __init__(self, folder, sink):
        self.folder, self.port, self.process = folder, free_port(), None
        self.url = f"http://127.0.0.1:{self.port}"
        folder.mkdir()
        (folder / "am.yml").write_text(f"""
route: {{receiver: all, group_by: [alertname], group_wait: 1s, group_interval: 1s, repeat_interval: 1h}}
receivers: [{{name: all, webhook_configs: [{{url: '{sink.url}/all'}}]}}]
""")

    def start(self):
        self.log = open(self.folder / "am.log", "ab")
        self.process = subprocess.Popen(
            ["prometheus-alertmanager", f"--config.file={self.folder}/am.yml", f"--storage.path={self.folder}/data",
             f"--web.listen-address=127.0.0.1:{self.port}", "--cluster.listen-address="], stdout=self.log, stderr=self.log)
        wait_until(self.ready, what="the Alertmanager")
        return self

    def ready(self):
        try:
            return urllib.request.urlopen(self.url + "/-/ready", timeout=5).status == 200
        except OSError:
            return False

    def stop(self):
        """It keeps who was told when it is told to end."""
        self.process.terminate()
        self.process.wait(60)
        self.log.close()

    def alerts(self):
        return json.loads(urllib.request.urlopen(self.url + "/api/v2/alerts", timeout=10).read())

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@contextlib.contextmanager
def setting(more=""):
    expect(shutil.which("prometheus-alertmanager"), "prometheus-alertmanager is missing: tools/dev/setup test")
    with temporary_folder() as folder, AlertSink() as sink, Alertmanager(folder / "am", sink) as manager:
        (folder / "notify.yml").write_text(f"alertmanagers:\n  - {{url: '{manager.url}', resend_delay: 1s}}\n{more}")
        (folder / "rules.yml").write_text(RULES)
        with Server(folder / "data", "--host-metrics", "off", "--notify-config", str(folder / "notify.yml"),
                    "--rules-files", str(folder / "rules.yml")) as server:
            yield server, manager, sink


def level(server, value):
    expect_equal(server.write(f"level,host=a value={value} {int(time.time() * 1e9)}").status, 204, "write")


def test_it_receives_and_resolves_once_through_restarts():
    with setting() as (server, manager, sink):
        level(server, 7)
        wait_until(lambda: sink.messages, what="the alert")
        alert = manager.alerts()[0]
        expect_equal(alert["labels"], {"alertname": "High", "host": "a", "severity": "page"}, "labels")
        expect_equal(alert["annotations"], {"summary": "a has 7"}, "annotations")
        for number in range(ROUNDS):
            if number % 2:
                server.kill()
            else:
                expect_equal(server.stop(), 0, "the exit code")
            server.start()
            level(server, 7)
            wait_until(lambda: [rule["state"] for group in server.request("GET", "/api/v1/rules").json()["data"]["groups"]
                                for rule in group["rules"]] == ["firing"], what="the rule")
            manager.stop()
            manager.start()
            wait_until(manager.alerts, what="the alert after a restart of the Alertmanager")
            # Two of its group intervals: a second message would have come by now.
            at = time.monotonic()
            wait_until(lambda: time.monotonic() - at > 2.5, what="two group intervals")
            expect_equal(sink.told(), [("firing", [("High", "firing")])], f"after {number + 1} restarts of each")
        level(server, 1)
        wait_until(lambda: len(sink.messages) > 1, what="the resolve")
        expect_equal(sink.told(), [("firing", [("High", "firing")]), ("resolved", [("High", "resolved")])], "told")
        sent = server.request("GET", "/metrics").body.decode()
        expect(f'tidemark_alertmanager_sent_total{{alertmanager="{manager.url}"}}' in sent, "the metric")


def test_a_dead_one_delays_no_other_and_hears_of_it_later():
    dead_port = free_port()
    with setting(f"  - {{url: 'http://127.0.0.1:{dead_port}/am', resend_delay: 1s, timeout: 2s}}\n") as (server, manager, sink):
        level(server, 7)
        wait_until(manager.alerts, what="the one that lives")
        with AlertSink(port=dead_port) as late:
            wait_until(lambda: late.messages, what="the other, once it is there")
            path, body = late.messages[0]
            expect_equal((path, body[0]["labels"]["alertname"]), ("/am/api/v2/alerts", "High"), "what it gets")
            ends, starts = body[0]["endsAt"], body[0]["startsAt"]
            expect(ends > starts, f"{starts} to {ends}")
            before = len(late.messages)
            wait_until(lambda: len(late.messages) > before + 1, what="it again each second")
            level(server, 1)
            wait_until(lambda: late.messages[-1][1][0]["endsAt"] <= time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 1)),
                       what="the end")


def test_credentials_from_files():
    with temporary_folder() as folder, AlertSink() as sink:
        (folder / "token").write_text("secret-token\n")
        (folder / "password").write_text("secret-password\n")
        (folder / "notify.yml").write_text(f"""alertmanagers:
  - {{url: '{sink.url}/bearer', http_config: {{authorization: {{credentials_file: {folder}/token}}}}}}
  - {{url: '{sink.url}/basic', http_config: {{basic_auth: {{username: ada, password_file: {folder}/password}}}}}}
""")
        (folder / "rules.yml").write_text(RULES)
        with Server(folder / "data", "--host-metrics", "off", "--notify-config", str(folder / "notify.yml"),
                    "--rules-files", str(folder / "rules.yml")) as server:
            level(server, 7)
            wait_until(lambda: len({path for path, _ in sink.messages}) == 2, what="both")
            expect_equal(sorted(set(sink.authorizations)), ["Basic YWRhOnNlY3JldC1wYXNzd29yZA==", "Bearer secret-token"], "credentials")
            # A reload without them ends them.
            (folder / "notify.yml").write_text("alertmanagers: []\nroute: {receiver: none}\nreceivers: [{name: none}]\n")
            server.process.send_signal(1)
            wait_until(lambda: "alertmanager_sent_total" not in server.request("GET", "/metrics").body.decode(), what="the reload")


if __name__ == "__main__":
    run_tests(globals())
