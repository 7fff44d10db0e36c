"""The C++ client library as other programs get it: installed, found by find_package, and used while servers die.

Needs the build folder (second argument) from which the library is installed.
"""
import http.client
import os
import random
import re
import socket
import subprocess
import sys
import threading
import time

from harness import BIN, HERE, StableServer, expect, expect_equal, run_tests, temporary_folder, wait_until

BUILD = sys.argv[2]
T0 = 1_700_000_000
SEED = int(os.environ.get("TIDEMARK_TEST_SEED", random.randrange(1 << 32)))


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    expect_equal(done.returncode, 0, " ".join(command) + "\n" + done.stdout + done.stderr)
    return done.stdout


def install(prefix, *components):
    for component in components:
        run("cmake", "--install", BUILD, "--prefix", str(prefix), "--component", component)
    return prefix


def build_outside(project, prefix, standard):
    """The strictest standard that is promised, and nothing of this project's own flags."""
    build = OUTSIDE / f"build-{project}"
    run("cmake", "-G", "Ninja", "-S", str(HERE / project), "-B", str(build), f"-DCMAKE_PREFIX_PATH={prefix}",
        f"-DCMAKE_CXX_STANDARD={standard}", "-DCMAKE_CXX_STANDARD_REQUIRED=ON",
        "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Werror " + os.environ.get("TIDEMARK_OUTSIDE_FLAGS", ""))
    run("cmake", "--build", str(build))
    return build


class ForgetfulProxy:
    """Hands requests to a server, and cuts the connection instead of handing back every `every`th reply."""

    def __init__(self, server, every):
        self.server, self.every = server, every
        self.replies = self.cut = 0
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    @property
    def fixed_url(self):
        return f"http://127.0.0.1:{self.port}"

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        with client, client.makefile("rb") as stream:
            while request := stream.readline():
                headers = http.client.parse_headers(stream)
                body = stream.read(int(headers.get("Content-Length", 0)))
                method, target, _ = request.decode().split()
                reply = self.server.request(method, target, body, {"Content-Type": "text/plain"})
                with self.lock:
                    self.replies += 1
                    cut = self.replies % self.every == 1
                    self.cut += cut
                if cut:
                    return
                client.sendall(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n" % (reply.status, len(reply.body)) + reply.body
                               if reply.status != 204 else b"HTTP/1.1 204 No Content\r\n\r\n")

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.listener.close()


def start_writer(server, spool, first, last, per_second=2000, close_wait_ms=60_000):
    return subprocess.Popen([str(WRITER), server.fixed_url, str(spool), "a", str(T0), str(first), str(last), str(per_second),
                             str(close_wait_ms)], stdout=subprocess.PIPE, text=True)


def counted(server, name="a", last=100_000):
    """How many points there are, and the sum of their numbers: both are right only if each is there once."""
    window = f'{{writer="{name}"}}[{last}s]'
    at = {"time": T0 + last - 1}
    count = server.query(f"count_over_time(count_n{window})", **at)
    total = server.query(f"sum_over_time(count_n{window})", **at)
    return (int(count[0]["value"][1]), int(float(total[0]["value"][1]))) if count else (0, 0)


def test_an_unknown_component_is_refused():
    source = OUTSIDE / "unknown"
    source.mkdir()
    (source / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.25)\nproject(X LANGUAGES CXX)\nfind_package(Tidemark REQUIRED COMPONENTS Nothing)\n")
    done = subprocess.run(["cmake", "-G", "Ninja", "-S", str(source), "-B", str(source / "build"), f"-DCMAKE_PREFIX_PATH={OUTSIDE / 'prefix'}"],
                          capture_output=True, text=True)
    expect(done.returncode != 0, "an unknown component was found")
    expect("Nothing" in done.stderr, done.stderr)


def all_counted(server, name):
    """Count and sum of all numbers, whatever their times."""
    count = server.query(f'sum(count_over_time(count_n{{writer="{name}"}}[1d]))')
    total = server.query(f'sum(sum_over_time(count_n{{writer="{name}"}}[1d]))')
    return (int(count[0]["value"][1]), int(float(total[0]["value"][1]))) if count else (0, 0)


def test_a_repeated_write_id_changes_nothing():
    with temporary_folder() as folder, StableServer(folder / "data") as server:
        now = time.time_ns()
        body = "".join(f"count,writer=r n={i}i {now - i}\n" for i in range(100))
        for _ in range(3):
            reply = server.request("POST", "/write?precision=ns", body, {"X-Tidemark-Write-Id": "0123456789abcdef-1"})
            expect_equal(reply.status, 204, reply.body)
        expect_equal(all_counted(server, "r"), (100, 99 * 50), "points after three equal writes")
        # Over a restart too: it is the points that tell a repeat, not a list of ids.
        server.kill()
        server.start()
        server.request("POST", "/write?precision=ns", body, {"X-Tidemark-Write-Id": "0123456789abcdef-1"})
        expect_equal(all_counted(server, "r"), (100, 99 * 50), "points after a restart")


def test_points_without_times_arrive_once_though_replies_get_lost():
    with temporary_folder() as folder, StableServer(folder / "data") as server, ForgetfulProxy(server, 3) as proxy:
        writer = subprocess.Popen([str(WRITER), proxy.fixed_url, str(folder / "spool"), "u", str(T0), "0", "1000", "5000",
                                   "60000", "untimed"], stdout=subprocess.PIPE, text=True)
        out = writer.communicate(timeout=120)[0]
        expect("delivered 1000 " in out and "lost 0" in out, out[-500:])
        expect(proxy.cut > 1, f"{proxy.cut} of {proxy.replies} replies were cut")
        expect_equal(all_counted(server, "u"), (1000, 999 * 500), "count and sum")


def test_lines_without_times_are_written_once_by_the_command():
    with temporary_folder() as folder, StableServer(folder / "data") as server, ForgetfulProxy(server, 2) as proxy:
        # Of series of their own: lines of one request have one time.
        file = folder / "lines"
        file.write_text("".join(f"count,writer=c,i={i} n={i}i\n" for i in range(100)))
        done = subprocess.run([str(BIN / "tidemark"), "write", str(file), "--server", proxy.fixed_url, "--batch", "20"],
                              capture_output=True, text=True, timeout=120)
        expect_equal(done.returncode, 0, done.stdout + done.stderr)
        expect(proxy.cut > 1, f"{proxy.cut} of {proxy.replies} replies were cut")
        expect_equal(all_counted(server, "c"), (100, 99 * 50), "count and sum")


def test_the_executor_embedded_in_a_program_without_the_store():
    prefix = install(OUTSIDE / "prefix-executor", "TidemarkClient", "TidemarkExecutor")
    program = build_outside("outside_executor", prefix, 23) / "embedded_run"
    libraries = run("ldd", str(program))
    expect("rocksdb" not in libraries, libraries)
    with temporary_folder() as folder:
        server = StableServer(folder / "data")
        ledger = folder / "ledger"
        with server:
            said = run(str(program), server.fixed_url, str(folder / "spool"), str(ledger))
            reported = int(re.fullmatch(r"succeeded 3 of 3, reported (\d+), delivered \1, waiting 0\n", said).group(1))
            executed = ledger.read_text().split()
            expect_equal(sorted(executed), ["count", "load", "pack"], "the ledger")
            expect_equal(executed[0], "load", "what the others need")
            total = server.query('sum(sum_over_time(exec_task_last_attempt{pipeline="outside"}[1d]))', db="_exec")
            expect_equal(total[0]["value"][1], "3", "tasks at the server")
            gate = server.query('last_over_time(exec_gate_number{pipeline="outside"}[1d])', db="_exec")
            expect_equal([s["value"][1] for s in gate], ["91.5"], "the gate's number")
            events = server.request("GET", "/api/v1/events?db=_exec&match[]=%7B__name__=~%22exec_.*run_id%22%7D&limit=10000").json()
            expect_equal(len(events["data"]), reported, "rows at the server")


def test_each_point_once_while_the_server_is_killed():
    dice = random.Random(SEED)
    last = 8000
    with temporary_folder() as folder:
        server = StableServer(folder / "data")
        with server:
            writer = start_writer(server, folder / "spool", 0, last)
            kills = 0
            while writer.poll() is None and kills < 4:
                before = counted(server)[0]
                target = min(before + dice.randrange(50, 700), last)
                wait_until(lambda: writer.poll() is not None or counted(server)[0] >= target, what="progress")
                if writer.poll() is not None:
                    break
                server.kill()
                kills += 1
                # Away for as long as it takes the writer to fill something.
                wait_until(lambda: list((folder / "spool").glob("*.spool")) or writer.poll() is not None, what="the spool")
                server.start()
            out = writer.communicate(timeout=120)[0]
            expect(kills >= 2, f"the server was killed only {kills} times")
            final = re.search(r"delivered (\d+) recovered (\d+) rejected (\d+) lost (\d+) repeats (\d+) spooled (\d+)", out)
            expect(final, out)
            delivered, _, rejected, lost, repeats, spooled = map(int, final.groups())
            expect_equal((delivered, rejected, lost, spooled), (last, 0, 0, 0), out[-500:])
            expect(repeats > 0, "nothing was ever repeated")
            expect_equal(counted(server), (last, last * (last - 1) // 2), "count and sum of all points")
            expect_equal(list((folder / "spool").glob("*.spool")), [], "what is left of the spool")


def test_points_of_a_dead_writer_come_with_the_next():
    with temporary_folder() as folder:
        server = StableServer(folder / "data")
        # Nobody listens yet. The writer is killed, and its points are only on disk.
        writer = start_writer(server, folder / "spool", 0, 100_000)
        safe = 0
        for line in writer.stdout:
            safe = int(re.match(r"persisted (\d+)", line).group(1))
            if safe >= 500:
                break
        writer.kill()
        writer.communicate()
        with server:
            second = start_writer(server, folder / "spool", 100_000, 100_010)
            out = second.communicate(timeout=120)[0]
            recovered = int(re.search(r"recovered (\d+)", out).group(1))
            expect(recovered >= safe, f"{safe} were safe, {recovered} recovered")
            count, total = counted(server, last=200_000)
            expect_equal(count, recovered + 10, "points at the server")
            expect_equal(total, recovered * (recovered - 1) // 2 + sum(range(100_000, 100_010)), "their sum")


def test_a_writer_that_stops_early_leaves_its_points_to_the_next():
    with temporary_folder() as folder:
        server = StableServer(folder / "data")
        first = start_writer(server, folder / "spool", 0, 300, 10_000, 0)
        out = first.communicate(timeout=60)[0]
        expect("300 are in the spool" in out, out)
        with server:
            start_writer(server, folder / "spool", 300, 400, 10_000).communicate(timeout=60)
            expect_equal(counted(server), (400, 400 * 399 // 2), "count and sum")


def test_refused_lines_are_told():
    with temporary_folder() as folder:
        server = StableServer(folder / "data")
        with server:
            # The field gets another type first.
            server.write(f'count,writer=a n="text" {T0}000000000')
            out = start_writer(server, folder / "spool", 5, 7, 10_000).communicate(timeout=60)[0]
            expect("delivered 0" in out and "rejected 2" in out, out)
            expect("line 1: " in out and "line 2: " in out and "count,writer=a" in out, out)


with temporary_folder() as OUTSIDE:
    print(f"seed {SEED} (TIDEMARK_TEST_SEED repeats it)")
    # Each of its own installation: the client comes without the executor.
    CLIENT = install(OUTSIDE / "prefix", "TidemarkClient")
    WRITER = build_outside("outside_project", CLIENT, 20) / "counting_writer"
    run_tests(globals())
