"""The 200 queries of hostile_queries.py, eight at a time, at a real server: each ends with an answer or a clear error and takes
no more of the processor than its timeout allows; small queries of others are answered right meanwhile; the memory of the
process stays within what its flags say. How fast anybody is answered is measured by tests/bench/hostile_latency.py: here nothing
depends on what else the machine does."""
import json
import os
import pathlib
import threading
import time
import urllib.parse

from harness import Server, expect, expect_bounded, expect_equal, run_tests, temporary_folder, wait_until
from peers import hostile_queries

TIMEOUT = 3
CLIENTS = 8
# Tells an end from no end, on a machine that is busy with other things: a query without a timeout would take hours.
PATIENCE = 400
# What the flags allow: 512 MiB of queries, 128 MiB of replies, 64 MiB staged; the rest is the store, threads, and what malloc
# keeps of their shares.
MEMORY_BOUND_MIB = 2048
FLAGS = ("--host-metrics", "off", "--query-timeout", f"{TIMEOUT}s", "--query-max-memory", "256MiB", "--query-total-memory",
         "512MiB", "--http-reply-memory", "128MiB", "--storage-staged-bytes", "64MiB", "--storage-cache-bytes", "16MiB")
# What a query may be told, beside an answer: it is wrong, it is too big, it took too long, or there are too many.
CLEAR = (200, 400, 413, 422, 503)


def is_idle(server):
    """Whether the server computes next to nothing: a query that went on after its answer would."""
    before = server.cpu_seconds()
    time.sleep(0.5)
    return server.cpu_seconds() - before < 0.1


def high_water_mib(server):
    text = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return int(text.split("VmHWM:")[1].split()[0]) / 1024


def send(server, what, path, parameters, problems):
    try:
        reply = server.request("POST", path, urllib.parse.urlencode({"db": "hostile", **parameters}),
                               {"Content-Type": "application/x-www-form-urlencoded"}, timeout=PATIENCE)
    except OSError as error:
        problems.append(f"{what}: {error}")
        return None
    if reply.status not in CLEAR:
        problems.append(f"{what}: {reply.status} {reply.body[:200]!r}")
    elif reply.status != 200:
        answer = json.loads(reply.body)
        if answer["status"] != "error" or len(answer["error"]) < 10 or len(reply.body) > 64 * 1024:
            problems.append(f"{what}: no clear error: {reply.body[:200]!r}")
    return reply.status


def test_hostile_queries_end_and_leave_others_alone():
    queries = hostile_queries.queries()
    expect(len(queries) >= 200, f"{len(queries)} queries")
    problems, answers = [], {}
    lock = threading.Lock()
    with temporary_folder() as folder, Server(folder / "data", *FLAGS) as server:
        hostile_queries.load(server)
        want = server.query('sum(load_f1{host="h7"})', db="hostile", time=hostile_queries.T0 + 3600)[0]["value"][1]

        def attack():
            while True:
                with lock:
                    if not queries:
                        return
                    query = queries.pop()
                status = send(server, *query, problems)
                with lock:
                    answers[status] = answers.get(status, 0) + 1

        count, cpu_before = len(queries), server.cpu_seconds()
        threads = [threading.Thread(target=attack) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        light = 0
        while any(thread.is_alive() for thread in threads):
            got = server.query('sum(load_f1{host="h7"})', db="hostile", time=hostile_queries.T0 + 3600)
            expect_equal(got[0]["value"][1], want, "a small query among hostile ones")
            expect_equal(server.write(f"alive v={light}i {hostile_queries.T0 + light}000000000", db="others").status, 204,
                         "a write among hostile queries")
            light += 1
            time.sleep(0.02)
        for thread in threads:
            thread.join()
        expect(not problems, "\n".join(problems))
        cpu = server.cpu_seconds() - cpu_before
        print(f"     {answers}, {light} small queries meanwhile, {cpu:.1f} s of CPU, {high_water_mib(server):.0f} MiB at most", flush=True)
        # CLIENTS of them share the cores for TIMEOUT at most; as much again for what is not counted by a query's clock.
        cpu_bound = 2 * count * TIMEOUT * len(os.sched_getaffinity(0)) / CLIENTS
        expect_bounded(cpu < cpu_bound, f"{cpu:.1f} s of CPU, {cpu_bound:.1f} s are what {count} timeouts allow")
        wait_until(lambda: is_idle(server), what="the server to be idle after the last answer")
        expect(light > 0, "no small query was answered meanwhile")
        expect_bounded(high_water_mib(server) < MEMORY_BOUND_MIB, f"{high_water_mib(server):.0f} MiB of memory")
        expect(server.process.poll() is None, "the server lives")
        expect_equal(server.stop(), 0, "and ends well")


def test_what_can_wait_is_not_refused():
    """A dashboard asks for all its panels at once: more long queries than take turns. None is told to come again."""
    flags = ("--query-grace", "1ms", "--query-long-max", "2", "--query-waiting-max", "100", "--host-metrics", "off")
    with temporary_folder() as folder, Server(folder / "data", *flags) as server:
        hostile_queries.load(server)
        problems, statuses = [], []
        panel = {"query": "sum by (region) (rate(load_f0[5m]))", "start": hostile_queries.T0, "end": hostile_queries.T0 + 3600,
                 "step": 15, "nocache": "1"}
        threads = [threading.Thread(target=lambda: statuses.append(send(server, "a panel", "/api/v1/query_range", panel, problems)))
                   for _ in range(60)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        expect(not problems, "\n".join(problems))
        expect_equal(statuses, [200] * len(threads), "the answers")


def test_errors_name_the_budget_and_the_way_out():
    flags = ("--query-max-series", "100", "--query-max-points", "20000", "--query-max-samples", "10000", "--query-max-memory",
             "8MiB", "--host-metrics", "off")
    with temporary_folder() as folder, Server(folder / "data", *flags) as server:
        hostile_queries.load(server)
        for what, query, step, words in (
                ("series", "load_f0", 60, ("budget of 100 series", "add label matchers")),
                ("points", 'load_f0{rack=~"k1|k2"}', 1, ("budget of 20000 points", "longer step")),
                ("samples", 'sum(sum_over_time(load_f0{region="r1"}[1h]))', 60, ("budget of 10000 samples", "shorter range")),
                ("memory", 'max_over_time(vector(1)[1h:1ms])', 3600, ("memory budget", "shorter range"))):
            form = {"query": query, "db": "hostile", "start": hostile_queries.T0, "end": hostile_queries.T0 + 3600, "step": step,
                    "nocache": 1, "resolution": "raw"}
            reply = server.request("POST", "/api/v1/query_range", urllib.parse.urlencode(form),
                                   {"Content-Type": "application/x-www-form-urlencoded"})
            expect_equal(reply.status, 422, f"{what}: {reply.body[:300]}")
            error = reply.json()["error"]
            for word in words:
                expect(word in error, f"{what}: {word!r} is not in {error!r}")


if __name__ == "__main__":
    run_tests(globals())
