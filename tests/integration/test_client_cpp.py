"""The C++ client library as other programs get it: installed, found by find_package, and used while servers die.

Needs the build folder (second argument) from which the library is installed.
"""
import os
import random
import re
import subprocess
import sys

from harness import HERE, Server, expect, expect_equal, free_port, run_tests, temporary_folder, wait_until

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


class StableServer(Server):
    """A server that comes back at the same address."""

    def __init__(self, data):
        self.fixed = free_port()
        super().__init__(data, "--host-metrics", "off", "--http", f"127.0.0.1:{self.fixed}")

    @property
    def fixed_url(self):
        return f"http://127.0.0.1:{self.fixed}"


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
