"""Every setting that no other test changes does what its comment says."""
import pathlib
import re
import socket
import subprocess
import time
import urllib.parse

from harness import BIN, Server, expect, expect_equal, run_tests, temporary_folder, wait_until


def metric(server, name):
    text = server.request("GET", "/metrics").body.decode()
    found = re.search(rf"^{name}(?:{{[^}}]*}})? (\S+)$", text, re.M)
    expect(found, f"{name} is not in /metrics")
    return float(found.group(1))


def test_a_longer_header_than_may_be_is_refused():
    with temporary_folder() as folder, Server(folder / "data", "--http-header-bytes-max", "4KiB") as server:
        expect_equal(server.request("GET", "/health", headers={"X-Long": "x" * 3000}).status, 200, "3 kB")
        reply = server.request("GET", "/health", headers={"X-Long": "x" * 5000})
        expect_equal(reply.status, 431, "5 kB")
        expect(b"4096 bytes" in reply.body, reply.body)


def test_connections_beyond_the_limit_are_told_so():
    with temporary_folder() as folder, Server(folder / "data", "--http-connections-max", "2",
                                              "--http-connections-per-address-max", "2") as server:
        ask = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
        with socket.create_connection(("127.0.0.1", server.port)) as first, \
                socket.create_connection(("127.0.0.1", server.port)) as second:
            for connection in first, second:
                connection.sendall(ask)
                expect(connection.recv(100).startswith(b"HTTP/1.1 200"), "one of two connections")
            with socket.create_connection(("127.0.0.1", server.port)) as third:
                third.settimeout(60)
                said = b""
                while more := third.recv(4096):
                    said += more
                expect(said.startswith(b"HTTP/1.1 503 ") and b"connections" in said, f"a third connection reads {said}")
        # Their places are free again.
        wait_until(lambda: answers(server), what="a connection after the two have gone")


def answers(server):
    try:
        return server.request("GET", "/health").status == 200
    except OSError:
        return False


def test_threads():
    wanted = {"tm-service": 3, "tm-stream": 5, "tm-write": 2, "tm-read": 4 + 1}
    with temporary_folder() as folder, \
            Server(folder / "data", "--http-service-threads", "3", "--http-stream-threads", "5", "--http-write-threads", "2",
                   "--http-read-threads", "4", "--http-io-threads", "1", "--pool-workers", "3") as server:
        names = [path.read_text().strip() for path in pathlib.Path(f"/proc/{server.process.pid}/task").glob("*/comm")]
        for name, count in wanted.items():
            expect_equal(names.count(name), count, f"threads called {name} of {sorted(set(names))}")
        expect_equal(metric(server, "tidemark_pool_workers"), 3, "workers of the pool")


def test_a_write_must_name_its_database_if_that_is_required():
    with temporary_folder() as folder, Server(folder / "data", "--write-require-database", "on") as server:
        reply = server.request("POST", "/write", b"m v=1 1")
        expect_equal(reply.status, 400, "without db=")
        expect(b"database is required" in reply.body, reply.body)
        expect_equal(server.write("m v=1 1").status, 204, "with db=")


def test_without_tokens_no_listener_is_beyond_this_machine():
    for flags in ("--http", "0.0.0.0:0"), ("--udp", "0.0.0.0:0,db=u"), ("--udp", "[::]:0,db=u"):
        with temporary_folder() as folder:
            run = subprocess.run([str(BIN / "tidemarkd"), "--data", str(folder / "data"), "--http", "127.0.0.1:0", *flags],
                                 capture_output=True, text=True, timeout=60)
            expect_equal(run.returncode, 1, f"exit code with {flags}")
            expect("is not a loopback address" in run.stderr, run.stderr)


def test_lines_from_a_pipe_are_written_before_its_end():
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off") as server:
        with subprocess.Popen([str(BIN / "tidemark"), "write", "--quiet", "--server", server.url, "--db", "flag", "-"],
                              stdin=subprocess.PIPE) as writer:
            writer.stdin.write(f"m v=1 {time.time_ns()}\n# CONTEXT-DATABASE: said\nm v=2 {time.time_ns()}\n".encode())
            writer.stdin.flush()
            wait_until(lambda: server.query("m_v", db="said"), what="the lines of a pipe that is open")
            expect_equal(server.query("m_v", db="flag")[0]["value"][1], "1", "the line before the comment")
            writer.stdin.close()
            expect_equal(writer.wait(60), 0, "exit code")


def test_a_number_of_points_makes_a_checkpoint():
    with temporary_folder() as folder, \
            Server(folder / "data", "--storage-checkpoint-points", "100", "--storage-checkpoint-interval", "365d",
                   "--host-metrics", "off") as server:
        for batch in range(10):
            server.write("\n".join(f"m v={i} {batch * 100 + i}" for i in range(100)))
        wait_until(lambda: metric(server, "tidemark_checkpoints_total") > 0, what="a checkpoint")


def test_what_queries_take_for_granted_holds_for_rules_too():
    rules = """
groups:
  - name: fast
    rules:
      - {record: seen_now, expr: m}
      - {record: steps, expr: 'count_over_time(vector(1)[60s:])'}
      - {record: many, expr: wide}
"""
    with temporary_folder() as folder:
        (folder / "rules.yml").write_text(rules)
        with Server(folder / "data", "--rules-files", str(folder / "rules.yml"), "--rules-interval", "1s", "--rules-database",
                    "ruled", "--query-lookback", "20s", "--query-default-subquery-step", "10s", "--query-max-series", "2",
                    "--host-metrics", "off") as server:
            now = time.time_ns()
            server.write(f"m,age=old value=1 {now - 60 * 10**9}\nm,age=new value=1 {now + 60 * 10**9}", db="ruled")
            # There for any rule that runs within the next minutes.
            server.write("\n".join(f"wide,n={n} value=1 {now + s * 10**9}" for n in range(3) for s in range(-5, 300, 5)),
                         db="ruled")
            at = {"time": now / 1e9}
            expect_equal(server.query("m", db="ruled", **at), [], "60 s ago")
            expect_equal(server.query("count_over_time(vector(1)[60s:])", db="ruled", **at)[0]["value"][1], "6", "steps")
            wide = server.request("GET", f"/api/v1/query?db=ruled&query=wide&time={now / 1e9}")
            expect(wide.status != 200 and b"series" in wide.body, wide.body)

            def rule(name):
                group = server.request("GET", "/api/v1/rules").json()["data"]["groups"][0]
                expect_equal(group["interval"], 1, "interval")
                return next(rule for rule in group["rules"] if rule["name"] == name)
            wait_until(lambda: rule("many")["health"] == "err", what="a rule over too many series")
            expect("series" in rule("many")["lastError"], rule("many"))
            expect_equal(rule("seen_now")["health"], "ok", "a rule")
            steps = wait_until(lambda: server.query("last_over_time(steps[1h])", db="ruled"), what="what a rule recorded")
            expect_equal(steps[0]["value"][1], "6", "steps of a rule")
            expect_equal(server.query("last_over_time(seen_now{age=\"old\"}[1h])", db="ruled"), [], "recorded of 60 s ago")


def test_requests_that_run_at_the_end_get_so_long_to_finish():
    with temporary_folder() as folder:
        server = Server(folder / "data", "--http-drain", "1ms", "--host-metrics", "off").start()
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(b"POST /write?db=x HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nm v=1")
            wait_until(lambda: metric(server, "tidemark_http_connections") >= 2, what="the connection")
            expect_equal(server.stop(), 0, "exit code")
        expect("did not finish within 1 ms" in server.log_text(), "nothing about what was cut")


def test_the_log_says_where_and_when():
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off") as server:
        expect(re.search(rf"^20\d\d-\S+Z I listening on http://127\.0\.0\.1:{server.port}$", server.log_text(), re.M),
               server.log_text())


def test_slow_queries_are_told_when_asked_for():
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off", "--query-slow", "1ms") as server:
        server.write("".join(f"m,host=h{i} v={i} {1_700_000_000 + j}000000000\n" for i in range(500) for j in range(20)))
        # Each point of a subquery of a subquery: some milliseconds at least on any machine.
        server.query("sum(quantile_over_time(0.5, max_over_time(m_v[10m:1s])[10m:5s]))", time=1_700_000_020)
        line = re.search(r"W slow query: \d+\.\d+ s in default: \"sum\(quantile_over_time.*", server.log_text())
        expect(line and "series" in line.group(0), server.log_text())
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off", "--query-slow", "0") as server:
        server.query("vector(1)")
        expect("slow query" not in server.log_text(), server.log_text())


def test_long_selectors_are_taken_wherever_there_are_any():
    """A variable of a dashboard with "All" over hundreds of names."""
    selector = 'm_v{host=~"a|' + "|".join(f"a-name-that-is-not-short-{i:04}" for i in range(700)) + '"}'
    expect(len(selector) > 16 << 10, "it is no long one")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off") as server:
        server.write("m,host=a v=1\nm,host=b v=1")
        for method, path, name, more in [
                *[(method, f"/api/v1/{path}", name, more) for method in ("GET", "POST") for path, name, more in (
                    ("query", "query", {}), ("query_range", "query", {"start": 1, "end": 2, "step": 1}), ("series", "match[]", {}),
                    ("labels", "match[]", {}), ("format_query", "query", {}), ("parse_query", "query", {}))],
                *[("GET", f"/api/v1/{path}", "match[]", {}) for path in ("label/host/values", "rows", "events", "rules")],
                ("GET", "/federate", "match[]", {}),
                ("POST", "/api/v1/admin/retention", "match[]", {"keep": "9d"}),
                ("POST", "/api/v1/admin/delete", "match[]", {"dry_run": "1"}),
                ("POST", "/api/v1/admin/tsdb/delete_series", "match[]", {})]:
            text = urllib.parse.urlencode({name: selector, **more})
            target = f"{path}?{text}" if method == "GET" else path
            reply = server.request(method, target, text if method == "POST" else None, form if method == "POST" else {})
            expect(reply.status in (200, 204), f"{method} {path}: {reply.status} {reply.body[:300]}")
        left = server.request("GET", "/api/v1/series?match[]=m_v").json()["data"]
        expect_equal([series["host"] for series in left], ["b"], "series that the deletion left")


run_tests(globals())
