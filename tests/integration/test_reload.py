"""A running server takes over changed settings, rules, notifications and certificates: all of them, or nothing."""
import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import threading

from harness import BIN, SLOWNESS, Server, expect, expect_equal, run_tests, temporary_folder, wait_until
from test_access import ask, bearer, command, make

GOOD_RULES = "groups:\n  - name: one\n    rules:\n      - {record: a, expr: '1'}\n"
MORE_RULES = GOOD_RULES + "      - {record: b, expr: '2'}\n"
NOTIFY = "route: {receiver: r}\nreceivers: [{name: r, webhook_configs: [{url: 'http://127.0.0.1:9/'}]}]\n"


class Settings:
    """A server that reads all that can be read again."""

    def __init__(self, folder, *flags):
        self.file, self.rules, self.notify = folder / "t.yml", folder / "rules.yml", folder / "notify.yml"
        self.rules.write_text(GOOD_RULES)
        self.notify.write_text(NOTIFY)
        self.write("")
        self.server = Server(folder / "data", "--host-metrics", "off", "--config", str(self.file), *flags)

    def write(self, more):
        self.file.write_text(f"rules: {{files: ['{self.rules}']}}\nnotify: {{config: '{self.notify}'}}\n{more}")

    def reload(self, headers=None):
        reply = self.server.request("POST", "/-/reload", headers=headers)
        return reply.status, reply.json()

    def taken(self):
        status, answer = self.reload()
        expect_equal(status, 200, answer)
        return answer["data"]

    def refused(self):
        status, answer = self.reload()
        expect_equal(status, 500, answer)
        expect(answer["error"].startswith("failed to reload config: "), answer)
        return answer["error"]

    def rule_names(self):
        groups = self.server.request("GET", "/api/v1/rules").json()["data"]["groups"]
        return [rule["name"] for group in groups for rule in group["rules"]]

    def metric(self, name):
        text = self.server.request("GET", "/metrics").body.decode()
        return float(re.search(rf"^tidemark_config_last_reload_{name} (\S+)$", text, re.M).group(1))


def quietly(ask):
    """Asks a server that may be gone before it answers."""
    with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
        ask()


def opened(pipe):
    """Its end to write to, or nothing while nobody reads it."""
    try:
        return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return None


def status_of_write(server, size):
    return server.request("POST", "/write?db=a", (b"# " + b"x" * 97 + b"\n") * (size // 100)).status


def test_a_changed_limit_is_in_force_at_once():
    with temporary_folder() as folder:
        settings = Settings(folder)
        with settings.server as server, socket.create_connection(("127.0.0.1", server.port)) as kept:
            def on_the_kept_connection():
                kept.sendall(b"POST /write?db=a HTTP/1.1\r\nHost: x\r\nContent-Length: 2002\r\n\r\n# " + b"x" * 2000)
                said = b""
                while b"\r\n\r\n" not in said:
                    said += kept.recv(4096)
                return int(said.split()[1])

            expect_equal(on_the_kept_connection(), 204, "2 kB by default")
            server.write("m,a=1 v=1\nm,a=2 v=1\nm,a=3 v=1", db="a")
            settings.write("http: {body_bytes_max: 1000}\nquery: {max_series: 2}\nlog: {level: debug}\n")
            expect_equal(status_of_write(server, 2000), 204, "before the reload")
            expect_equal(settings.taken(), {"rules": 1, "changed": ["http.body_bytes_max", "query.max_series", "log.level"],
                                            "needRestart": []}, "the answer")
            expect_equal(status_of_write(server, 2000), 413, "2 kB after it")
            expect_equal(on_the_kept_connection(), 413, "on the connection from before")
            expect_equal(server.request("GET", "/api/v1/query?db=a&query=m_v").status, 422, "three series")
            shown = server.request("GET", "/api/v1/status/flags").json()["data"]
            expect_equal(shown["http.body_bytes_max"], "1000", "what the API shows")
            # More than before, by SIGHUP this time.
            settings.write("http: {body_bytes_max: 40MB}\nwrite: {require_database: on}\n")
            server.process.send_signal(signal.SIGHUP)
            wait_until(lambda: status_of_write(server, 30_000_000) == 204, what="a larger limit")
            expect_equal(server.request("POST", "/write", b"m v=1").status, 400, "without db=")
            expect_equal(server.request("GET", "/api/v1/query?db=a&query=m_v").status, 200, "no limit any more")


def test_a_bad_file_changes_nothing_and_is_named():
    with temporary_folder() as folder:
        settings = Settings(folder)
        with settings.server as server:
            expect_equal(settings.metric("successful"), 1, "after the start")
            since = settings.metric("success_timestamp_seconds")
            # Each of them beside changes that would be good.
            bad = ((settings.file, f"rules: {{files: ['{settings.rules}']}}\nhttp:\n  body_bytes_max: lots\n", "t.yml:3:19: "),
                   (settings.file, "http: {body_bytes_max: 1000}\nlog: {level: [\n", "t.yml:3:"),
                   (settings.file, "htpp: {body_bytes_max: 1000}\n", "t.yml:1:1: unknown key \"htpp\""),
                   (settings.rules, "groups:\n  - name: one\n    rules:\n      - {record: a, expr: 'sum('}\n", "rules.yml:4:"),
                   (settings.notify, "route: {receiver: nobody}\nreceivers: [{name: r}]\n", "notify.yml:1:"),
                   (settings.file, "rules: {files: [/nowhere/rules.yml]}\n", "/nowhere/rules.yml"))
            for path, text, where in bad:
                settings.write("http: {body_bytes_max: 1000}\n")
                settings.rules.write_text(MORE_RULES)
                settings.notify.write_text(NOTIFY)
                path.write_text(text)
                said = settings.refused()
                expect(where in said, f"{where} is not in {said}")
                expect(where in server.log_text(), f"{where} is not in the log")
                expect_equal(status_of_write(server, 2000), 204, "the limit from before")
                expect_equal(settings.rule_names(), ["a"], "the rules from before")
                expect_equal(settings.metric("successful"), 0, "after a bad file")
                expect_equal(settings.metric("success_timestamp_seconds"), since, "when the settings in force were read")
                info = server.request("GET", "/api/v1/status/runtimeinfo").json()["data"]
                expect_equal(info["reloadConfigSuccess"], False, "what the API says")
            settings.write("http: {body_bytes_max: 1000}\n")
            settings.rules.write_text(MORE_RULES)
            expect_equal(settings.taken(), {"rules": 2, "changed": ["http.body_bytes_max"], "needRestart": []}, "a good one")
            expect_equal(settings.rule_names(), ["a", "b"], "the new rules")
            expect_equal(status_of_write(server, 2000), 413, "the new limit")
            expect_equal(settings.metric("successful"), 1, "after a good file")
            expect(settings.metric("success_timestamp_seconds") > since, "a later time")


def test_what_needs_a_restart_is_named():
    with temporary_folder() as folder:
        settings = Settings(folder, "--query-timeout", "9s")
        with settings.server as server:
            settings.write("http: {io_threads: 7, queue_max: 77}\nquery: {timeout: 1s, lookback: 1m}\nlog: {level: warn}\n")
            for changed in (["log.level"], []):
                # A flag goes over the file, also at a reload.
                expect_equal(settings.taken(), {"rules": 1, "changed": changed,
                                                "needRestart": ["http.io_threads", "http.queue_max", "query.lookback"]}, "the answer")
            expect("http.io_threads changed: needs a restart" in server.log_text(), server.log_text())
            shown = server.request("GET", "/api/v1/status/flags").json()["data"]
            expect_equal([shown["query.timeout"], shown["http.queue_max"], shown["log.level"]], ["9s", "1024", "warn"], "in force")


def test_a_reload_needs_the_right_to_administer():
    with temporary_folder() as folder:
        settings = Settings(folder)
        with settings.server as server:
            expect_equal(server.request("GET", "/-/reload").status, 405, "GET")
            expect_equal(server.request("PUT", "/-/reload").status, 200, "PUT, as Prometheus takes it")
            expect_equal(ask(server, "POST", "/-/reload", {"Origin": "https://evil.example"})[0], 403, "a page of others")
            expect_equal(ask(server, "POST", "/-/reload", {"Host": "evil.example"})[0], 403, "by a name of others")
            root = make(server, "root", "admin:*")
            weak = [make(server, "r", "read:*", root), make(server, "w", "write:*", root), make(server, "a", "admin:a", root)]
            expect_equal(settings.reload()[0], 401, "nobody")
            for secret in weak:
                expect_equal(settings.reload(bearer(secret))[0], 403, "who may not administer all")
            expect_equal(settings.reload(bearer(root))[0], 200, "root")
            done = command(server, "admin", "reload", "--json", token=root)
            expect(done.returncode == 0 and json.loads(done.stdout)["data"]["rules"] == 1, done.stdout + done.stderr)
            settings.rules.write_text("nonsense: 1\n")
            done = command(server, "admin", "reload", token=root)
            expect(done.returncode == 1 and "rules.yml:1:1" in done.stderr, done.stdout + done.stderr)

            def records():
                listed = command(server, "admin", "audit", "list", "--json", token=root)
                return [(r["who"], r["status"], r["count"]) for r in json.loads(listed.stdout)["data"] if r["act"] == "POST /-/reload"]

            expect(("root", 200, 1) in records() and ("root", 500, 1) in records(), "acts are written down before their answers")
            wait_until(lambda: ("r", 403, 1) in records(), what="the line of the refusal")


def test_a_reload_that_meets_the_drain_ends_before_the_server():
    with temporary_folder() as folder:
        settings = Settings(folder, "--http-drain", "100ms")
        with settings.server as server:
            settings.write("http: {body_bytes_max: 1000}\n")
            # It is read once somebody writes into it.
            settings.notify.unlink()
            os.mkfifo(settings.notify)
            asking = threading.Thread(target=quietly, args=(settings.reload,))
            asking.start()
            # The reload has begun when the other end of the pipe is open.
            pipe = wait_until(lambda: opened(settings.notify), what="the reload")
            server.process.send_signal(signal.SIGTERM)
            wait_until(lambda: "SIGTERM: draining" in server.log_text(), what="the drain")
            os.write(pipe, NOTIFY.encode())
            os.close(pipe)
            expect_equal(server.process.wait(60 * SLOWNESS), 0, "the exit code")
            asking.join()
            expect("reloaded: 1 rules" in server.log_text(), server.log_text())


def test_settings_that_are_wrong_refuse_the_start():
    with temporary_folder() as folder:
        (folder / "t.yml").write_text("http:\n  body_bytes_max: lots\n")
        done = subprocess.run([str(BIN / "tidemarkd"), "--data", str(folder / "data"), "--config", str(folder / "t.yml")],
                              capture_output=True, text=True, timeout=60)
        expect(done.returncode == 2 and "t.yml:2:19: " in done.stderr, done.stderr)


if __name__ == "__main__":
    run_tests(globals())
