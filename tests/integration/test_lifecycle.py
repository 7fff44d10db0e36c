"""Starts, signals and the limits of the process: what is missing is not made up for, SIGHUP reloads, connections leave the
store what it needs.
"""
import hashlib
import http.client
import os
import pathlib
import resource
import signal
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from harness import Server, expect, expect_equal, run_tests, temporary_folder, wait_until  # noqa: E402

T0 = 1_700_000_000
QUIET = ("--host-metrics", "off")


def hashes(folder):
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*")) if path.is_file()}


def serve_without(server, words):
    """It starts, says what is missing and what goes on, and takes nothing."""
    server.start()
    reply = server.write("m,s=0 v=1 1")
    expect(reply.status == 503 and b"tidemark admin repair" in reply.body, f"a write: {reply.status} {reply.body}")
    health = server.request("GET", "/health")
    expect(words in health.body.decode() + server.log_text(), f"{words} is not in {health.body} or {server.log_text()}")
    expect_equal(server.stop(), 0, "exit code")


def test_what_is_missing_is_named_and_nothing_is_changed():
    with temporary_folder() as folder:
        data = folder / "data"
        server = Server(data, *QUIET)
        server.start()
        lines = "".join(f"m,s={s} v={i} {T0 + i}000000000\n" for s in range(20) for i in range(200))
        expect_equal(server.write(lines).status, 204, "write")
        expect_equal(server.request("POST", "/api/v1/admin/checkpoint").status, 200, "checkpoint")
        expect_equal(server.stop(), 0, "exit code")
        # Looked up each time: a start gives some of them other names.
        for pattern in ("rocksdb/CURRENT", "rocksdb/MANIFEST-*", "rocksdb", "rocksdb/*.sst"):
            victim = str(next(data.glob(pattern)).relative_to(data))
            (data / victim).rename(folder / "away")
            before = hashes(data)
            for _ in range(3):
                serve_without(server, pathlib.Path(victim).name)
                expect_equal(hashes(data), before, f"the files without {victim}")
            (folder / "away").rename(data / victim)
            server.start()
            answer = server.query("count(count_over_time(m_v[1h]))", time=T0 + 200)
            expect_equal(answer[0]["value"][1], "20", f"series, with {victim} back")
            expect_equal(server.stop(), 0, "exit code")


RULES = """groups:
- name: g
  rules:
"""


def rule(name):
    return f"  - record: {name}\n    expr: vector(1)\n"


def recorded(server):
    groups = server.request("GET", "/api/v1/rules").json()["data"]["groups"]
    return [rule["name"] for group in groups for rule in group["rules"]]


def test_sighup_reloads_the_rules():
    with temporary_folder() as folder:
        rules = folder / "rules.yaml"
        rules.write_text(RULES + rule("first"))
        server = Server(folder / "data", *QUIET, "--rules-files", str(rules))
        with server:
            expect_equal(recorded(server), ["first"], "rules")
            rules.write_text(RULES + rule("first") + rule("second"))
            server.process.send_signal(signal.SIGHUP)
            wait_until(lambda: recorded(server) == ["first", "second"], what="the second rule")
            rules.write_text(RULES + rule("first") + "  - record: third\n    expr: sum(\n")
            server.process.send_signal(signal.SIGHUP)
            wait_until(lambda: "nothing was changed" in server.log_text(), what="the refusal")
            expect("rules.yaml:7:11" in server.log_text(), f"the place is not in: {server.log_text()}")
            expect_equal(recorded(server), ["first", "second"], "rules after a bad file")
            expect_equal(server.stop(), 0, "exit code")


def test_sighup_with_nothing_to_reload_changes_nothing():
    with temporary_folder() as folder:
        server = Server(folder / "data", *QUIET)
        with server:
            server.process.send_signal(signal.SIGHUP)
            wait_until(lambda: "reloaded: 0 rules" in server.log_text(), what="the reload")
            expect_equal(server.write(f"m v=1 {T0}000000000").status, 204, "a write after it")
            expect_equal(server.stop(), 0, "exit code")


def is_served(server):
    try:
        return server.request("GET", "/-/healthy").status == 200
    except (OSError, http.client.HTTPException):
        return False


def open_connections(server, count):
    """Each has asked something once: those that got an answer, and those that the server refused instead. They come from
    four addresses, since one may have half of all only."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    kept, closed = [], []
    for number in range(count):
        connection = socket.socket()
        connection.settimeout(10)
        try:
            connection.bind((f"127.0.0.{1 + number % 4}", 0))
            connection.connect(("127.0.0.1", server.port))
            connection.sendall(b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answered = connection.recv(4096).startswith(b"HTTP/1.1 200")
        except ConnectionError:
            answered = False
        (kept if answered else closed).append(connection)
    return kept, closed


def test_idle_connections_leave_the_store_its_files():
    with temporary_folder() as folder:
        server = Server(folder / "data", *QUIET, prefix=("prlimit", "--nofile=1024:1024"))
        with server:
            kept, closed = open_connections(server, 1100)
            expect(500 <= len(kept) < 900, f"{len(kept)} of 1,100 connections are held under a limit of 1,024 files")
            opened = len(os.listdir(f"/proc/{server.process.pid}/fd"))
            expect(opened < 900, f"{opened} of 1,024 files are open")
            # The requests below need one of their places.
            for connection in [*closed, *kept[:20]]:
                connection.close()
            wait_until(lambda: is_served(server), what="a place")
            for day in range(30):
                expect_equal(server.write(f"m,d=x v={day} {T0 + day * 86400}000000000").status, 204, "write")
            expect_equal(server.request("POST", "/api/v1/admin/checkpoint").status, 200, "checkpoint")
            health = server.request("GET", "/health").json()
            expect_equal(health["status"], "pass", f"health: {health}")
            for connection in kept[20:]:
                connection.close()
            expect_equal(server.stop(), 0, "exit code")


def test_a_soft_limit_is_raised_to_the_hard_one():
    with temporary_folder() as folder:
        server = Server(folder / "data", *QUIET, prefix=("prlimit", "--nofile=1024:4096"))
        with server:
            metrics = server.request("GET", "/metrics").body.decode()
            expect("process_max_fds 4096" in metrics, "process_max_fds is not 4096")
            kept, closed = open_connections(server, 2000)
            expect_equal((len(kept), len(closed)), (2000, 0), "connections that are held and closed")
            answer = server.query("vector(1)", time=T0)
            expect_equal(answer[0]["value"][1], "1", "an answer beside 2,000 idle connections")
            for connection in kept:
                connection.close()


if __name__ == "__main__":
    run_tests(globals())
