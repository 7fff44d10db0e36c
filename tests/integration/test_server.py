"""The server as a whole: starts, takes points, answers, drains, and has everything after a restart."""
import concurrent.futures
import gzip
import json
import signal
import socket
import subprocess
import time

from harness import BIN, Server, expect, expect_equal, free_port, run_tests, temporary_folder, wait_until

T0 = 1_700_000_000


def test_points_come_back_after_a_restart():
    with temporary_folder() as folder:
        server = Server(folder / "data", "--host-metrics", "off")
        with server:
            expect_equal(server.write(f"cpu,host=a user=1.5,n=3i,ok=true {T0}000000000").status, 204, "write")
            before = server.query("cpu_user", time=T0)
            expect_equal(before[0]["value"], [T0, "1.5"], "the value")
            expect_equal(before[0]["metric"], {"__name__": "cpu_user", "host": "a"}, "the labels")
            expect_equal(server.stop(), 0, "exit code after SIGTERM")
        with server:
            expect_equal(server.query("cpu_user", time=T0), before, "after the restart")
            expect_equal(server.query("cpu_n", time=T0)[0]["value"][1], "3", "the integer")
            server.kill()
        with server:
            expect_equal(server.query("cpu_user", time=T0), before, "after kill -9")


def test_gzip_in_and_out():
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off") as server:
        lines = "".join(f"m,i={i} v={i} {T0}000000000\n" for i in range(2000))
        reply = server.request("POST", "/write?db=default", gzip.compress(lines.encode()), {"Content-Encoding": "gzip"})
        expect_equal(reply.status, 204, "gzip write")
        reply = server.request("GET", f"/api/v1/query?query=m_v&time={T0}", None, {"Accept-Encoding": "gzip"})
        expect_equal(reply.headers["Content-Encoding"], "gzip", "encoding")
        expect_equal(len(json.loads(gzip.decompress(reply.body))["data"]["result"]), 2000, "series")


def test_bad_lines_are_named_and_good_ones_kept():
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off") as server:
        reply = server.write(f"m v=1 {T0}000000000\nm v= {T0}000000000\nm w=2 {T0}000000000")
        expect_equal(reply.status, 400, "status")
        expect("missing field value" in reply.json()["error"], reply.body)
        expect("partial write" in reply.json()["error"], reply.body)
        expect_equal(server.query("m_w", time=T0)[0]["value"][1], "2", "the good line after the bad one")


def test_what_udp_drops_can_be_asked_for():
    port = free_port(socket.SOCK_DGRAM)
    with temporary_folder() as folder, \
            Server(folder / "data", "--host-metrics", "off", "--udp", f"127.0.0.1:{port},db=u,interval=1ms") as server:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"m,a=b v=1\nm,a=b v=\n", ("127.0.0.1", port))
        tidemark = [str(BIN / "tidemark"), "admin", "rejections", "--json", "--server", server.url]

        def refused(*arguments):
            done = subprocess.run([*tidemark, *arguments], capture_output=True, text=True, timeout=60)
            expect_equal(done.returncode, 0, done.stderr)
            return json.loads(done.stdout)["data"]
        wait_until(refused, what="what was refused")
        found = refused("u", "--limit", "1")[0]
        expect_equal((found["database"], found["line"], found["reason"]), ("u", 2, "invalid argument"), "the line")
        expect("'m,a=b v=': missing field value" in found["message"], found)
        expect_equal(refused("other"), [], "of another database")


def test_databases_are_apart():
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off") as server:
        server.write(f"m value=1 {T0}000000000", db="one")
        server.write(f"m value=2 {T0}000000000", db="two")
        expect_equal(server.query("m", db="one", time=T0)[0]["value"][1], "1", "one")
        reply = server.request("GET", f"/db/two/api/v1/query?query=m&time={T0}")
        expect_equal(reply.json()["data"]["result"][0]["value"][1], "2", "two by base path")
        names = server.request("GET", "/query?q=SHOW%20DATABASES").json()["results"][0]["series"][0]["values"]
        expect({"one", "two"} <= {name for (name,) in names}, names)


def test_host_metrics_flow_in():
    with temporary_folder() as folder, Server(folder / "data") as server:
        wait_until(lambda: server.query('count({__name__=~"cpu_.+"})', db="_host"), what="host metrics")
        page = server.request("GET", "/dashboard")
        expect_equal(page.status, 200, "dashboard")
        expect(b"<html" in page.body.lower(), "the dashboard is a page")


def test_writes_during_a_stop_are_answered_or_refused_but_never_lost():
    with temporary_folder() as folder:
        server = Server(folder / "data", "--host-metrics", "off")
        with server, concurrent.futures.ThreadPoolExecutor(4) as pool:
            def writer(n):
                done = []
                for i in range(10_000):
                    try:
                        if server.write(f"m,w={n} v={i}i {T0 + i}000000000").status != 204:
                            return done
                    except OSError:
                        return done
                    done.append(i)
                return done

            writers = [pool.submit(writer, n) for n in range(4)]
            wait_until(lambda: server.query("count(m_v)", time=T0), what="the first points")
            server.process.send_signal(signal.SIGTERM)
            acknowledged = [w.result() for w in writers]
            expect_equal(server.process.wait(60), 0, "exit code")
        with server:
            for n, done in enumerate(acknowledged):
                result = server.query(f'count_over_time(m_v{{w="{n}"}}[1d])', time=T0 + 20_000)
                count = int(result[0]["value"][1]) if result else 0
                expect(count >= len(done), f"writer {n}: {len(done)} acknowledged, {count} found")


def test_events_are_listed():
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off") as server:
        now = int(time.time())
        server.write(f'log,agent=1 text="build completed in 32 ms" {now}000000000')
        reply = server.request("GET", "/api/v1/events?match[]=log_text")
        expect_equal(reply.status, 200, reply.body)
        expect(b"build completed in 32 ms" in reply.body, reply.body)


run_tests(globals())
