#!/usr/bin/env python3
"""Dashboards that ask for all their panels at once, and deadlines on a busy machine:

    tests/bench/dashboard_burst.py BIN [--clients N] [--panels N] [--rounds N] [--idle N] [tidemarkd flags]

Each of N clients, from an address of its own (127.0.0.2, ...), sends the panels of a dashboard at once, each a long query; prints
p50, p99 and the longest of their answers, and the answers that were not 200. Then twice as many busy loops as there are cores run
beside queries that take longer than their timeout; prints by how much their answers are late. --idle opens so many idle
connections at first, under a soft limit of 1,024 open files.
"""
import argparse
import http.client
import os
import pathlib
import resource
import socket
import subprocess
import sys
import threading
import time
import urllib.parse

parser = argparse.ArgumentParser()
parser.add_argument("bin")
parser.add_argument("--clients", type=int, default=4)
parser.add_argument("--panels", type=int, default=40)
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--idle", type=int, default=0)
options, flags = parser.parse_known_args()
sys.argv[1:] = [options.bin]
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from harness import Server, temporary_folder  # noqa: E402
from peers import hostile_queries  # noqa: E402

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
LATE = 'quantile_over_time(0.9, {__name__=~"load.*"}[30m])'
TIMEOUT = 1.0


def ask(port, address, parameters, out):
    """Appends (status, seconds)."""
    began = time.perf_counter()
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120, source_address=(address, 0))
        connection.request("POST", "/api/v1/query_range", urllib.parse.urlencode({"db": "hostile", "nocache": 1, **parameters}), FORM)
        reply = connection.getresponse()
        reply.read()
        out.append((reply.status, time.perf_counter() - began))
        connection.close()
    except OSError as error:
        out.append((str(error), time.perf_counter() - began))


def at_once(calls):
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def show(what, answers):
    times = sorted(seconds * 1000 for _, seconds in answers)
    others = {}
    for status, _ in answers:
        if status != 200:
            others[status] = others.get(status, 0) + 1
    print(f"{what}: {len(times)} answers, p50 {times[len(times) // 2]:.0f} ms, p99 {times[len(times) * 99 // 100]:.0f} ms, "
          f"longest {times[-1]:.0f} ms, not 200: {others or 'none'}", flush=True)


def main():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))  # the server has it from here
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off", *flags) as server:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
        hostile_queries.load(server)
        idle = [socket.create_connection(("127.0.0.1", server.port), source_address=("127.0.1.1", 0)) for _ in range(options.idle)]
        panel = {"query": 'sum by (region) (rate({__name__=~"load_f[01]"}[5m]))', "start": hostile_queries.T0,
                 "end": hostile_queries.T0 + 3600, "step": 15}
        one = []
        for _ in range(5):
            ask(server.port, "127.0.0.2", panel, one)
        show("one panel, alone", one)
        answers = []
        for _ in range(options.rounds):
            at_once([lambda c=c: ask(server.port, f"127.0.0.{c + 2}", panel, answers)
                     for c in range(options.clients) for _ in range(options.panels)])
        show(f"{options.panels} panels at once from {options.clients} clients", answers)
        if idle:
            open_now = sum(1 for each in idle if each.send(b"GET /ping HTTP/1.1\r\nHost: a\r\n\r\n") and each.recv(64).startswith(b"HTTP/1.1 20"))
            print(f"{open_now} of {len(idle)} idle connections still answer")
        late = {"query": LATE, "start": hostile_queries.T0, "end": hostile_queries.T0 + 3600, "step": 1, "timeout": f"{TIMEOUT:.0f}s"}
        loops = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(2 * len(os.sched_getaffinity(0)))]
        try:
            answers = []
            for _ in range(options.rounds):
                at_once([lambda: ask(server.port, "127.0.0.2", late, answers) for _ in range(4)])
        finally:
            for loop in loops:
                loop.kill()
                loop.wait()
        late_by = sorted((seconds - TIMEOUT) * 1000 for status, seconds in answers if status == 503)
        others = {status for status, _ in answers if status != 503}
        print(f"timeouts beside {len(loops)} busy loops: {len(late_by)} of {len(answers)} timed out"
              + (f", late by p50 {late_by[len(late_by) // 2]:.0f} ms, at most {late_by[-1]:.0f} ms" if late_by else "")
              + (f"; others: {others}" if others else ""))
    return 0


if __name__ == "__main__":
    sys.exit(main())
