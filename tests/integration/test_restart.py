"""Restarts in the same process: no request fails, connections and sockets go on, and what would not start is not begun.

`--full` restarts a hundred times under load; else five times."""
import http.client
import http.server
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

FULL = "--full" in sys.argv
sys.argv = [word for word in sys.argv if word != "--full"]
import harness  # noqa: E402
from harness import Failed, Server, expect, expect_equal, free_port, run_tests, temporary_folder, wait_until  # noqa: E402
from test_access import ask, command, make  # noqa: E402
from test_native import T0, Encoder, Point, Stream, count_of, native_server, numbered  # noqa: E402
from test_service import Manager, listening, with_sockets  # noqa: E402
from test_tls import new_certificate  # noqa: E402

OFF = ("--host-metrics", "off")
PING = b"GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n"


def restarts(server):
    return server.request("GET", "/api/v1/admin/restarts").json()["data"]


def restart(server):
    """By the signal; returns when the next program serves."""
    before = restarts(server)["restarts"]
    server.process.send_signal(signal.SIGUSR2)
    return wait_until(lambda: (lambda now: now if now["restarts"] > before else None)(restarts(server)), what="the restart")


class Load(threading.Thread):
    """Asks over and over until it is told to stop, and keeps what failed."""

    def __init__(self, name, connect, keep_alive, seed):
        super().__init__(name=name)
        self.connect, self.keep_alive, self.random = connect, keep_alive, random.Random(seed)
        self.ended = threading.Event()
        self.failures, self.written, self.asked, self.last_replies = [], [], 0, 0

    def run(self):
        connection = None
        while not self.ended.is_set():
            number = len(self.written)
            write = self.random.random() < 0.5
            try:
                connection = connection or self.connect()
                if write:
                    connection.request("POST", "/write?db=load", f"m,who={self.name} v={number}i {1 + number}")
                else:
                    connection.request("GET", "/api/v1/query?db=load&query=count(m_v)")
                reply = connection.getresponse()
                body = reply.read()
                self.asked += 1
                if reply.status not in (200, 204):
                    self.failures.append(f"{reply.status} {body[:200]}")
                elif write:
                    self.written.append(number)
                if reply.getheader("Connection") == "close":
                    self.last_replies += 1
                if not self.keep_alive or reply.getheader("Connection") == "close":
                    connection.close()
                    connection = None
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
                connection = None


def load_of(server, certificate, tls_port, seed):
    context = ssl.create_default_context(cafile=certificate)
    plain = lambda: http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)  # noqa: E731
    tls = lambda: http.client.HTTPSConnection("localhost", tls_port, context=context, timeout=120)  # noqa: E731
    return [Load(f"{kind}{number}{keep}", connect, keep, seed + 2 * number + keep)
            for number in range(2) for kind, connect in (("plain", plain), ("tls", tls)) for keep in (True, False)]


def test_no_request_fails():
    times = 100 if FULL else 5
    seed = random.randrange(1 << 32)
    print(f"     seed {seed}, {times} restarts", flush=True)
    with temporary_folder() as folder:
        certificate, key = new_certificate(folder / "tls", "localhost")
        tls_port = free_port()
        with Server(folder / "data", *OFF, "--https", f"127.0.0.1:{tls_port}", "--tls-certificate-file", str(certificate),
                    "--tls-key-file", str(key)) as server:
            expect_equal(server.write("m,who=first v=0i 1", db="load").status, 204, "a first point")
            load = load_of(server, certificate, tls_port, seed)
            for one in load:
                one.start()
            try:
                pauses = [restart(server)["pauseSeconds"] for _ in range(times)]
                expect_equal(server.process.poll(), None, "the process")
            finally:
                for one in load:
                    one.ended.set()
                for one in load:
                    one.join(120)
            print(f"     {sum(one.asked for one in load)} requests; requests waited {min(pauses):.3f} to {max(pauses):.3f} s, "
                  f"{sum(one.last_replies for one in load)} replies were the last of their connection", flush=True)
            expect_equal([failure for one in load for failure in one.failures], [], "requests that failed")
            expect(all(0 < pause < 30 for pause in pauses), f"pauses: {pauses}")
            expect(sum(one.last_replies for one in load) > 0, "no reply said that it is the last of its connection")
            for one in load:
                expect(one.asked >= times, f"{one.name} asked {one.asked} times")
                rows = server.query(f'count_over_time(m_v{{who="{one.name}"}}[1h])', db="load", time=60)
                expect_equal(int(rows[0]["value"][1]) if rows else 0, len(one.written), f"points of {one.name}")
            # Nothing is left open from one program to the next.
            descriptors = os.listdir(f"/proc/{server.process.pid}/fd")
            expect(len(descriptors) < 120, f"{len(descriptors)} files are open")
            expect_equal(server.stop(), 0, "the exit code")


def test_what_waits_is_kept_and_what_is_open_goes_on():
    with temporary_folder() as folder:
        udp_port = free_port(socket.SOCK_DGRAM)
        with Server(folder / "data", *OFF, "--udp", f"127.0.0.1:{udp_port},db=udp,interval=50ms") as server:
            where = ("127.0.0.1", server.port)
            idle = [socket.create_connection(where, timeout=60) for _ in range(200)]
            fresh = [socket.create_connection(where, timeout=60) for _ in range(20)]  # nothing was asked yet
            for one in idle:
                one.sendall(PING)
                expect(one.recv(4096).startswith(b"HTTP/1.1 204"), "a first answer")
            half = socket.create_connection(where, timeout=60)
            half.sendall(b"POST /write?db=half HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nm v")
            events = socket.create_connection(where, timeout=60)
            events.sendall(b"GET /api/v1/events?db=x&match[]=x&follow=1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            expect(events.recv(4096).startswith(b"HTTP/1.1 200"), "a stream")
            pid = server.process.pid
            server.process.send_signal(signal.SIGUSR2)
            wait_until(lambda: "takes over" in server.log_text(), what="the restart")
            rest = b""
            # The stream has its end, and its connection is kept as others are.
            while not rest.endswith(b"0\r\n\r\n"):
                piece = events.recv(4096)
                expect(piece, f"a stream without its end: {rest[-50:]}")
                rest += piece
            # The half of a body is waited for, and its reply is the last.
            half.sendall(b"=1")
            reply = half.recv(4096)
            expect(reply.startswith(b"HTTP/1.1 204") and b"Connection: close" in reply, reply)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
                for number in range(100):
                    datagrams.sendto(f"u,n={number} v=1 1".encode(), ("127.0.0.1", udp_port))
            # Who connects in between waits, and so does what is sent on a connection that is kept.
            between = socket.create_connection(where, timeout=60)
            between.sendall(PING)
            for one in idle[:100]:
                one.sendall(PING)
            for number, one in enumerate([*idle[:100], between]):
                expect(one.recv(4096).startswith(b"HTTP/1.1 204"), f"connection {number}")
            wait_until(lambda: restarts(server)["restarts"] == 1, what="the next program")
            for one in [*idle, *fresh, events]:
                one.sendall(PING)
                expect(one.recv(4096).startswith(b"HTTP/1.1 204"), "a connection from before")
            expect_equal(server.process.pid, pid, "the process")
            wait_until(lambda: server.query("count(u_v)", db="udp", time=60) and
                       server.query("count(u_v)", db="udp", time=60)[0]["value"][1] == "100", what="the datagrams")
            metrics = server.request("GET", "/metrics").body.decode()
            expect("\ntidemark_restarts_total 1\n" in metrics and float(re.search(r"\ntidemark_restart_pause_seconds (\S+)", metrics)[1]) > 0, "metrics")
            expect("requests waited for" in server.log_text(), server.log_text())
            expect_equal(server.stop(), 0, "the exit code")


def test_the_command_waits_and_says_how_long_requests_did():
    with temporary_folder() as folder, Server(folder / "data", *OFF) as server:
        root = make(server, "root", "admin:*")
        reader = make(server, "reader", "read:*", root)
        done = command(server, "admin", "restart", token=reader)
        expect(done.returncode != 0 and "may not" in done.stderr, done.stderr)
        done = command(server, "admin", "restart", token=root)
        expect(done.returncode == 0 and re.search(r"requests waited for \d+\.\d+ s", done.stdout), done.stdout + done.stderr)
        done = command(server, "admin", "restart", "--json", token=root)
        expect_equal(json.loads(done.stdout)["data"]["restarts"], 2, done.stdout)
        expect("2" in command(server, "admin", "restarts", token=root).stdout, "restarts")
        server.process.send_signal(signal.SIGUSR2)
        done = wait_until(lambda: (lambda now: now if '"restarts":3' in now.stdout else None)(
            command(server, "admin", "restarts", "--json", token=root)), what="the third")
        audit = command(server, "admin", "audit", "list", token=root).stdout
        expect(audit.count("POST /api/v1/admin/restart") >= 2 and "restart by SIGUSR2" in audit, audit)
        expect_equal(server.stop(), 0, "the exit code")


class EndsInBetween(http.server.BaseHTTPRequestHandler):
    """A server that takes a restart up and ends then; `after`: the process that is there afterwards."""
    after, asked = None, None

    def answer(self, pid):
        body = json.dumps({"status": "success", "data": {"restarts": 0, "pid": pid}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(type(self).after if type(self).asked.is_set() else 1000)

    def do_POST(self):
        self.answer(1000)
        type(self).asked.set()

    def log_message(self, *_):
        pass


def test_the_command_says_that_a_server_is_gone():
    for after, words in ((None, "no answer for 10 s"), (1001, "was started anew, as process 1001")):
        EndsInBetween.after, EndsInBetween.asked = after, threading.Event()
        with http.server.HTTPServer(("127.0.0.1", 0), EndsInBetween) as stub:
            serving = threading.Thread(target=stub.serve_forever, args=(0.01,))
            serving.start()
            ask = subprocess.Popen([str(harness.BIN / "tidemark"), "admin", "restart", "--server", f"http://127.0.0.1:{stub.server_port}"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            expect(EndsInBetween.asked.wait(60), "it is asked")
            if after is None:
                stub.shutdown()
                stub.server_close()
            begin = time.monotonic()
            said, complaint = ask.communicate(timeout=200)
            stub.shutdown()
            serving.join(60)
        expect(ask.returncode != 0 and words in complaint and time.monotonic() - begin < 60, (said, complaint))


def test_what_would_not_start_is_not_begun():
    with temporary_folder() as folder:
        program = folder / "bin" / "tidemarkd"
        program.parent.mkdir()
        shutil.copy(harness.BIN / "tidemarkd", program)
        config = folder / "tidemarkd.yaml"
        rules = folder / "rules.yml"
        good_rules = "groups: [{name: g, rules: [{record: r, expr: vector(1)}]}]\n"
        rules.write_text(good_rules)
        config.write_text(f"rules: {{files: ['{rules}']}}\n")
        taken = listening()
        bins = harness.BIN
        harness.BIN = program.parent
        try:
            with Server(folder / "data", *OFF, "--config", str(config)) as server:
                def refused(words):
                    reply = server.request("POST", "/api/v1/admin/restart")
                    expect(reply.status == 422 and words in reply.body.decode(), f"{words}: {reply.status} {reply.body}")
                    expect_equal(server.write("m v=1 1").status, 204, "it serves on")
                    expect(words in restarts(server)["lastRefusal"], restarts(server))

                rules.write_text("groups: [{name: g, rules: [{record: r, expr: 'sum('}]}]\n")
                refused("rules.yml:1:")
                rules.write_text(good_rules)
                config.write_text("no_such_key: 1\n")
                refused("no_such_key")
                config.write_text(f"rules: {{files: ['{rules}']}}\nhttps: {{listen: ['127.0.0.1:0']}}\n")
                refused("tls.certificate_file")
                config.write_text(f"udp: ['0.0.0.0:8089,db=x']\n")
                refused("not a loopback address")
                other = f"http: {{listen: ['127.0.0.1:{taken.getsockname()[1]}']}}\n"
                config.write_text(f"rules: {{files: ['{rules}']}}\n")
                program.rename(folder / "away")
                refused("No such file")
                program.write_text("#!/bin/sh\necho I am no server; exit 3\n")
                program.chmod(0o755)
                refused("I am no server")
                for script in ("exit 0", "echo 9.9.9 would start", "true --check; echo takes over:"):
                    program.write_text(f"#!/bin/sh\n{script}\n")
                    refused("it is no tidemarkd")
                program.write_text("x")
                program.chmod(0o644)
                refused("ermission")
                program.unlink()
                (folder / "away").rename(program)
                # By the signal the log says it.
                config.write_text("no_such_key: 1\n")
                server.process.send_signal(signal.SIGUSR2)
                wait_until(lambda: "serves on with the program that runs" in server.log_text(), what="the refusal")
                config.write_text(f"rules: {{files: ['{rules}']}}\nquery: {{slow: 7s}}\n")
                expect_equal(restart(server)["restarts"], 1, "a good one after all")
                flags = server.request("GET", "/api/v1/status/flags").json()["data"]
                expect_equal(flags["query.slow"], "7s", "the settings of the next program")
                done = subprocess.run([str(program), "--config", str(config), "--http", f"127.0.0.1:{taken.getsockname()[1]}", "--check"],
                                      capture_output=True, text=True, timeout=60)
                expect(done.returncode == 1 and "in use" in done.stderr, f"{other}: {done}")
                done = subprocess.run([str(program), "--config", str(config), "--http", "127.0.0.1:0", "--check"],
                                      capture_output=True, text=True, timeout=60)
                expect(done.returncode == 0 and "would start" in done.stdout, done)
                expect_equal(server.stop(), 0, "the exit code")
        finally:
            harness.BIN = bins
            taken.close()


def test_signals_that_come_meanwhile():
    with temporary_folder() as folder, Server(folder / "data", *OFF) as server:
        for _ in range(5):
            server.process.send_signal(signal.SIGUSR2)
        wait_until(lambda: restarts(server)["restarts"] >= 1, what="a restart")
        # A stop that comes in the middle is done by whoever serves then.
        server.process.send_signal(signal.SIGUSR2)
        wait_until(lambda: server.log_text().count("takes over") >= 2, what="the second")
        server.process.send_signal(signal.SIGHUP)
        server.process.send_signal(signal.SIGTERM)
        expect_equal(server.process.wait(60), 0, "the exit code")
        expect("closed" in server.log_text(), server.log_text())


def test_the_supervisor_sees_a_reload():
    with temporary_folder() as folder:
        manager = Manager(str(folder / "notify"))
        with Server(folder / "data", *OFF, environment={"NOTIFY_SOCKET": str(folder / "notify"), "WATCHDOG_USEC": "2000000"}) as server:
            ready = manager.wait_for("READY")
            restart(server)
            reloading = manager.wait_for("RELOADING", ready + 1)
            again = manager.wait_for("READY", reloading + 1)
            manager.wait_for("WATCHDOG", again + 1)
            expect(not any("STOPPING" in message for message in manager.heard), manager.heard)
            expect_equal(server.stop(), 0, "the exit code")


def test_the_supervisors_sockets_go_on():
    with temporary_folder() as folder:
        plain = listening()
        datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        datagrams.bind(("127.0.0.1", 0))
        udp = f"127.0.0.1:{datagrams.getsockname()[1]}"
        with with_sockets(folder, [plain, datagrams], "http:udp", "--udp", f"{udp},db=u,interval=50ms") as process:
            process.stdout.readline()
            server = Server(folder / "data")
            server.port, server.process = plain.getsockname()[1], process
            for number in range(3):
                expect_equal(restart(server)["restarts"], number + 1, "restarts")
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                    sender.sendto(f"u v={number} {number + 1}".encode(), datagrams.getsockname())
            wait_until(lambda: server.query("count_over_time(u_v[1m])", db="u", time=30) and
                       server.query("count_over_time(u_v[1m])", db="u", time=30)[0]["value"][1] == "3", what="the datagrams")
            process.send_signal(signal.SIGTERM)
            expect_equal(process.wait(60), 0, "the exit code")
        with with_sockets(folder, [plain, datagrams], "http:udp") as process:
            expect(process.wait(60) != 0 and udp in process.stderr.read(), "a UDP socket that no setting names")
        plain.close()
        datagrams.close()


def test_who_sends_native_batches_is_not_refused():
    with temporary_folder() as folder, native_server(folder) as (server, port):
        pid, ended, refused = server.process.pid, threading.Event(), []

        def connect():
            while not ended.is_set():
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=60).close()
                except OSError as error:
                    refused.append(repr(error))

        for number in range(3):
            knocking = threading.Thread(target=connect)
            with Stream(port) as stream:
                expect_equal(stream.reply().Status(), 204, "the hello")
                stream.send(2, numbered(1, Encoder("unused"), [Point("m", {"h": "a"}, {"v": number}, T0 + number)]))
                expect_equal(stream.reply().Status(), 204, "a batch")
                knocking.start()
                try:
                    expect_equal(restart(server)["restarts"], number + 1, "restarts")
                finally:
                    ended.set()
                    knocking.join(60)
                ended.clear()
                expect_equal(stream.socket.recv(1), b"", "a stream from before ends at the border of a batch")
        expect_equal((server.process.pid, refused), (pid, []), "who connected meanwhile")
        expect_equal(count_of(server, "m_v", "tcp"), 3, "rows")
        expect_equal(server.stop(), 0, "the exit code")


def test_alerts_and_jobs_go_on():
    with temporary_folder() as folder:
        rules = folder / "rules.yml"
        rules.write_text("groups: [{name: g, interval: 1s, rules: [{alert: Always, expr: vector(1), for: 1s}]}]\n")
        with Server(folder / "data", *OFF, "--rules-files", str(rules)) as server:
            def firing():
                alerts = server.request("GET", "/api/v1/alerts").json()["data"]["alerts"]
                return [alert for alert in alerts if alert["state"] == "firing"]
            since = wait_until(firing, what="the alert")[0]["activeAt"][:19]
            restart(server)
            expect_equal(wait_until(firing, what="the alert again")[0]["activeAt"][:19], since, "since when it is active")
            expect_equal(server.stop(), 0, "the exit code")


if __name__ == "__main__":
    run_tests(globals())
