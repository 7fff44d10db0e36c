#!/usr/bin/env python3
"""Storms of requests that look at all series, on a server in a control group of its own that may have little memory: lists of
series, labels and values, counts, federation, remote read, events, rows, batches, SHOW, sorting queries, all of one kind at once and
then of all kinds. The kernel never ends the process, each answer comes by its deadline, what is refused says why, known series
are taken throughout and what is small is answered beside; the memory goes back, and the server stops in time.

  metadata_storms.py BIN_FOLDER [--megabytes N] [--series N] [--together N] [--timeout SECONDS] [--only STORM] [--seed N]

Needs the right to make a control group (version 1) of memory; without it the test is skipped (exit code 77). The table that it
prints is that of tests/bench/README.md.
"""
import http.client
import json
import pathlib
import sys
import threading
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from harness import Server, expect, expect_bounded, expect_equal, run_random, temporary_folder, wait_until  # noqa: E402
from memory_storms import DRAIN, STOP, Sender, anonymous_mebibytes, at_once, group, peak_mebibytes  # noqa: E402
from peers import remote_write  # noqa: E402

# The rows are of the last minutes, which is where /federate looks.
T0 = int(time.time()) - 120
EVERYTHING = '{__name__=~"up|down"}'
PIECE = 10_000
# Beyond its deadline an answer is out in this time: the promise is 0.1 s, and a machine that runs other tests takes its part.
LATE = 2
# What may be left of memory that is given back, in MiB: the arenas of many threads.
LEFT = 96


def get(path, **parameters):
    return "GET", f"{path}?{urllib.parse.urlencode({'db': 'names', **parameters})}", None, {}


def form(path, **parameters):
    return ("POST", path, urllib.parse.urlencode({"db": "names", **parameters}),
            {"Content-Type": "application/x-www-form-urlencoded"})


def batch():
    questions = [{"id": str(i), "endpoint": "series", "params": {"db": "names", "match[]": EVERYTHING}} for i in range(4)]
    return "POST", "/api/v1/query_batch", json.dumps({"queries": questions}), {"Content-Type": "application/json"}


def remote_read(chunks):
    matcher = b"\x08\x02" + remote_write.field(2, b"__name__") + remote_write.field(3, b"up|down")
    times = b"\x08" + remote_write.varint(T0 * 1000) + b"\x10" + remote_write.varint((T0 + 3600) * 1000)
    body = remote_write.field(1, times + remote_write.field(3, matcher)) + (b"\x10\x01" if chunks else b"")
    return "POST", "/db/names/api/v1/read", remote_write.snappy(body), {"Content-Encoding": "snappy",
                                                                         "Content-Type": "application/x-protobuf"}


STORMS = {
    "series": get("/api/v1/series", **{"match[]": EVERYTHING}),
    "series, limit": get("/api/v1/series", **{"match[]": EVERYTHING, "limit": 10}),
    "series, times": get("/api/v1/series", **{"match[]": EVERYTHING, "start": T0, "end": T0 + 3600}),
    "label values": get("/api/v1/label/host/values"),
    "labels": get("/api/v1/labels", **{"match[]": '{dc=~"d.*"}'}),
    "status/tsdb": get("/api/v1/status/tsdb"),
    "federate": get("/federate", **{"match[]": EVERYTHING}),
    "events": get("/api/v1/events", **{"match[]": EVERYTHING}),
    "rows": get("/api/v1/rows", **{"match[]": EVERYTHING}),
    "remote read": remote_read(False),
    "remote read, chunks": remote_read(True),
    "query_batch": batch(),
    "SHOW SERIES": get("/query", q="SHOW SERIES"),
    "SHOW TAG VALUES": get("/query", q="SHOW TAG VALUES WITH KEY = host"),
    "SHOW CARDINALITY": get("/query", q="SHOW SERIES EXACT CARDINALITY"),
    "query": form("/api/v1/query", query=f"sort({EVERYTHING})", time=T0 + 60),
}
REFUSALS = {400, 413, 422, 503}


def load(server, count):
    half = count // 2
    for name in ("up", "down"):
        for begin in range(0, half, PIECE):
            lines = "\n".join(f"{name},host=h{i:07},dc=d{i % 20},rack=r{i % 400} value={i} {T0 + i % 60}000000000"
                              for i in range(begin, min(begin + PIECE, half)))
            reply = server.write(lines, db="names")
            expect_equal(reply.status, 204, f"a write: {reply.body[:200]}")


def ask(server, request, answers):
    """Appends (status, seconds to the head, seconds to the end, what a refusal says)."""
    method, target, body, headers = request
    began = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=300)
    try:
        connection.request(method, target, body, headers)
        reply = connection.getresponse()
        head = time.monotonic() - began
        first = reply.read(400)
        while reply.read(1 << 20):
            pass
        answers.append((reply.status, head, time.monotonic() - began, first.decode(errors="replace")))
    except (OSError, http.client.HTTPException) as error:
        # A stream whose memory ran out is cut, so that the client sees that it is not whole.
        answers.append((type(error).__name__, time.monotonic() - began, time.monotonic() - began, str(error)))
    finally:
        connection.close()


class Beside:
    """What goes on meanwhile: a row of a known series and a small question, again and again."""

    def __init__(self, server):
        self.server, self.over, self.refused, self.times = server, threading.Event(), [], []
        self.threads = [threading.Thread(target=self.write), threading.Thread(target=self.question)]

    def write(self):
        sender, i = Sender(self.server), 0
        while not self.over.is_set():
            status, body = sender.write("known", f"cpu,host=a usage={i} {T0 + i}000000000")
            if status != 204:
                self.refused.append((status, body))
            i += 1
            time.sleep(0.01)

    def question(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=120)
        target = f"/api/v1/query?{urllib.parse.urlencode({'db': 'known', 'query': 'cpu_usage', 'time': T0})}"
        while not self.over.is_set():
            began = time.monotonic()
            connection.request("GET", target)
            reply = connection.getresponse()
            body = reply.read()
            self.times.append(time.monotonic() - began)
            if reply.status != 200:
                self.refused.append((reply.status, body[:200]))
            time.sleep(0.005)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def p99_ms(self):
        times = sorted(self.times)
        return times[len(times) * 99 // 100] * 1000 if times else 0.0


def storm(server, folder, name, requests, timeout):
    before, answers = anonymous_mebibytes(server), []
    (folder / "memory.max_usage_in_bytes").write_text("0")
    began = time.monotonic()
    with Beside(server) as beside:
        at_once(len(requests), lambda i: ask(server, requests[i], answers))
    took = time.monotonic() - began
    expect(server.process.poll() is None, f"{name}: the server ended: {server.process.returncode}\n" + server.log_text())
    back = time.monotonic()
    left = wait_until(lambda: (now := anonymous_mebibytes(server)) <= before + LEFT and now, 60, f"{name}: memory to go back")
    back = time.monotonic() - back
    statuses, heads = {}, sorted(head for _, head, _, _ in answers)
    for status, _, _, _ in answers:
        statuses[status] = statuses.get(status, 0) + 1
    refused = sorted(head for status, head, _, _ in answers if status in REFUSALS)
    print(f"{name}: {statuses} in {took:.1f} s; refusals {refused[len(refused) // 2] if refused else 0:.2f} s, at most "
          f"{refused[-1] if refused else 0:.2f}; {before} MiB before, the group {peak_mebibytes(folder)} at most, {left} after {back:.1f} s; "
          f"small questions p99 {beside.p99_ms():.0f} ms", flush=True)
    for reason in sorted({text[:160] for status, _, _, text in answers if status in REFUSALS}):
        print(f"    {reason.strip()}", flush=True)
    expect_equal(beside.refused[:3], [], f"{name}: what was refused beside the storm")
    expect(set(statuses) <= {200, "IncompleteRead"} | REFUSALS, f"{name}: answers {statuses}")
    expect(all(text.strip() for status, _, _, text in answers if status in REFUSALS), f"{name}: a refusal without a reason")
    expect_bounded(heads[-1] <= timeout + LATE, f"{name}: an answer began after {heads[-1]:.1f} s, its deadline is at {timeout}")


def main(options, rng):
    with group(options.megabytes) as (prefix, folder), temporary_folder() as scratch:
        with Server(scratch / "data", "--host-metrics", "off", "--http-drain", f"{DRAIN}s", "--query-timeout", f"{options.timeout}s",
                    prefix=prefix) as server:
            expect_equal(server.write(f"cpu,host=a usage=1 {T0}000000000", db="known").status, 204, "the known series")
            load(server, options.series)
            expect_equal(server.request("POST", "/api/v1/admin/checkpoint", timeout=600).status // 100, 2, "a checkpoint")
            with Beside(server) as alone:
                time.sleep(3)
            print(f"{options.series} series, {anonymous_mebibytes(server)} MiB of {options.megabytes}; small questions alone: p99 "
                  f"{alone.p99_ms():.0f} ms", flush=True)
            for name, request in STORMS.items():
                if options.only in name:
                    storm(server, folder, name, [request] * options.together, options.timeout)
            if not options.only:
                mixed = [request for request in STORMS.values() for _ in range(2)]
                rng.shuffle(mixed)
                storm(server, folder, "all kinds", mixed, options.timeout)
            # In the middle of one.
            answers = []
            threads = [threading.Thread(target=ask, args=(server, STORMS["series"], answers)) for _ in range(options.together)]
            for thread in threads:
                thread.start()
            time.sleep(0.2)
            began = time.monotonic()
            expect_equal(server.stop(), 0, "the exit code of the stop")
            took = time.monotonic() - began
            for thread in threads:
                thread.join()
            print(f"stopped in {took:.1f} s in the middle of a storm", flush=True)
            expect_bounded(took <= STOP, f"the stop took {took:.1f} s, more than http.drain and 10 s")


if __name__ == "__main__":
    run_random(main, megabytes=512, series=200_000, together=32, timeout=10, only="")
