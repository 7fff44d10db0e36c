#!/usr/bin/env python3
"""Storms of requests about names over many series, and of other requests that look at all of them:

    tests/bench/names_storm.py BIN [--series N] [--at-once N] [--rounds N] [--settle SECONDS] [--only PART] [--data FOLDER] [tidemarkd flags]

For each kind of request: so many at once, each thread several times. Printed: how they were answered, the 50th and 99th percentile of
the answers and of the refusals (503) alone, the anonymous memory of the server before, at most and after it had time to settle. --data takes
what names_cost.py has written.
"""
import argparse
import http.client
import json
import pathlib
import sys
import threading
import time
import urllib.parse

parser = argparse.ArgumentParser()
parser.add_argument("bin")
parser.add_argument("--series", type=int, default=4_000_000)
parser.add_argument("--at-once", type=int, default=32)
parser.add_argument("--rounds", type=int, default=1)
parser.add_argument("--settle", type=float, default=60)
parser.add_argument("--only", default="")
parser.add_argument("--data", default="")
options, flags = parser.parse_known_args()
sys.argv[1:] = [options.bin]
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from harness import Server, expect_equal, temporary_folder  # noqa: E402

T0 = 1_700_000_000
PIECE = 10_000
EVERYTHING = '{__name__=~".+"}'
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def get(path, **parameters):
    return "GET", f"{path}?{urllib.parse.urlencode({'db': 'names', **parameters})}", None, {}


def batch():
    questions = [{"id": str(i), "endpoint": "series", "params": {"db": "names", "match[]": EVERYTHING}} for i in range(4)]
    return "POST", "/api/v1/query_batch", json.dumps({"queries": questions}), {"Content-Type": "application/json"}


STORMS = {
    "series": get("/api/v1/series", **{"match[]": EVERYTHING}),
    "series, limit": get("/api/v1/series", **{"match[]": EVERYTHING, "limit": 10}),
    "series, times": get("/api/v1/series", **{"match[]": EVERYTHING, "start": T0, "end": T0 + 3600}),
    "label values": get("/api/v1/label/host/values"),
    "label values, a matcher": get("/api/v1/label/host/values", **{"match[]": '{dc="d7"}'}),
    "labels, a matcher": get("/api/v1/labels", **{"match[]": '{dc=~"d.*"}'}),
    "status/tsdb": get("/api/v1/status/tsdb"),
    "federate": get("/federate", **{"match[]": EVERYTHING}),
    "events": get("/api/v1/events", **{"match[]": EVERYTHING}),
    "rows": get("/api/v1/rows", **{"match[]": EVERYTHING}),
    "query_batch": batch(),
    "SHOW SERIES": get("/query", q="SHOW SERIES"),
    "SHOW TAG VALUES": get("/query", q="SHOW TAG VALUES WITH KEY = host"),
    "SHOW SERIES CARDINALITY": get("/query", q="SHOW SERIES EXACT CARDINALITY"),
    "query": ("POST", "/api/v1/query", urllib.parse.urlencode({"db": "names", "query": f"sort({EVERYTHING})", "time": T0 + 3599}), FORM),
    "buckets": get("/api/v2/buckets"),
    "alerts": get("/api/v1/alerts"),
    "rules": get("/api/v1/rules"),
}


def anonymous_bytes(server):
    for line in pathlib.Path(f"/proc/{server.process.pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) << 10
    return 0


def load(server):
    half = options.series // 2
    for name in ("up", "down"):
        for begin in range(0, half, PIECE):
            lines = "\n".join(f"{name},host=h{i:07},dc=d{i % 20},rack=r{i % 400} value={i} {T0 + i % 3600}000000000"
                              for i in range(begin, min(begin + PIECE, half)))
            expect_equal(server.write(lines, db="names").status, 204, "a write")


def ask(port, request, answers):
    """Appends (status, seconds to the head, reason of a refusal)."""
    method, target, body, headers = request
    began = time.perf_counter()
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
        connection.request(method, target, body, headers)
        reply = connection.getresponse()
        seconds = time.perf_counter() - began
        first = reply.read(400)
        while reply.read(1 << 20):
            pass
        answers.append((reply.status, seconds, first.decode(errors="replace") if reply.status != 200 else ""))
        connection.close()
    except (OSError, http.client.HTTPException) as error:
        answers.append((type(error).__name__, time.perf_counter() - began, str(error)))


def percentiles(times):
    times = sorted(times)
    return f"p50 {times[len(times) // 2] * 1000:.0f} ms, p99 {times[len(times) * 99 // 100] * 1000:.0f} ms" if times else "none"


def storm(server, name, request):
    before, most, over, answers = anonymous_bytes(server), [0], threading.Event(), []

    def watch():
        while not over.is_set():
            most[0] = max(most[0], anonymous_bytes(server))
            time.sleep(0.01)

    watcher = threading.Thread(target=watch)
    watcher.start()
    began, cpu = time.monotonic(), server.cpu_seconds()
    threads = [threading.Thread(target=lambda: [ask(server.port, request, answers) for _ in range(options.rounds)])
               for _ in range(options.at_once)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took, cpu = time.monotonic() - began, server.cpu_seconds() - cpu
    over.set()
    watcher.join()
    end = time.monotonic() + options.settle
    while time.monotonic() < end and anonymous_bytes(server) > before * 1.1 + (64 << 20):
        time.sleep(0.5)
    settled = options.settle - max(0.0, end - time.monotonic())
    statuses = {}
    for status, _, _ in answers:
        statuses[status] = statuses.get(status, 0) + 1
    refused = [seconds for status, seconds, _ in answers if status == 503]
    print(f"{name}: {statuses} in {took:.1f} s, {cpu:.1f} CPU-s; answers {percentiles([s for _, s, _ in answers])}; refusals "
          f"{percentiles(refused)}; {before >> 20} MiB before, {most[0] >> 20} at most, {anonymous_bytes(server) >> 20} after {settled:.0f} s",
          flush=True)
    for reason in sorted({reason[:160] for status, _, reason in answers if status != 200})[:2]:
        print(f"    {reason}", flush=True)


def main():
    with temporary_folder() as folder, Server(options.data or folder / "data", "--host-metrics", "off", *flags) as server:
        if not server.query('up{host="h0000000"}', db="names", time=T0):
            load(server)
        expect_equal(server.request("POST", "/api/v1/admin/checkpoint", timeout=600).status // 100, 2, "a checkpoint")
        print(f"{options.series} series, {options.at_once} at once; {anonymous_bytes(server) >> 20} MiB", flush=True)
        for name, request in STORMS.items():
            if options.only in name:
                storm(server, name, request)
                if server.process.poll() is not None:
                    print("the server ended:", server.process.returncode)
                    return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
