#!/usr/bin/env python3
"""Connections that do nothing, requests that are refused, and accepted ones under three times the load:

    tests/bench/idle_connections.py BIN [--idle N] [--seconds N] [tidemarkd flags]

Opens so many connections from several addresses, each with one request; prints the server's memory of each, and how many answer
afterwards. Then as many clients as saturate the server, and three times as many, ask a query of some milliseconds for N seconds each; prints
p50 and p99 of the accepted ones and of the refusals. The server starts under a soft limit of 1,024 open files.
"""
import argparse
import http.client
import os
import pathlib
import resource
import socket
import sys
import threading
import time
import urllib.parse

parser = argparse.ArgumentParser()
parser.add_argument("bin")
parser.add_argument("--idle", type=int, default=2_500)
parser.add_argument("--seconds", type=float, default=10)
options, flags = parser.parse_known_args()
sys.argv[1:] = [options.bin]
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from harness import Server, temporary_folder  # noqa: E402
from peers import hostile_queries  # noqa: E402

PING = b"GET /ping HTTP/1.1\r\nHost: a\r\n\r\n"


def anonymous_bytes(server):
    for line in pathlib.Path(f"/proc/{server.process.pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) << 10
    return 0


def answers(connection):
    connection.sendall(PING)
    return connection.recv(4096).startswith(b"HTTP/1.1 204")


def idle(server):
    for _ in range(100):  # what the first requests need is not the connections' own
        server.request("GET", "/ping")
    before = anonymous_bytes(server)
    began = time.monotonic()
    opened = [socket.create_connection(("127.0.0.1", server.port), source_address=(f"127.0.{1 + i // 1000}.1", 0)) for i in range(options.idle)]
    first = sum(1 for each in opened if answers(each))
    took = time.monotonic() - began
    time.sleep(2)
    each = (anonymous_bytes(server) - before) / len(opened)
    later = sum(1 for connection in opened if answers(connection))
    print(f"{len(opened)} idle connections: {first} answered at once, {later} afterwards; opened in {took:.1f} s; "
          f"{each / 1024:.1f} KiB of the server's memory each", flush=True)
    for connection in opened:
        connection.close()


def ask_until(end, port, address, out):
    form = urllib.parse.urlencode({"db": "hostile", "nocache": 1, "query": 'sum by (region) (rate({__name__=~"load_f[01]"}[5m]))',
                                   "start": hostile_queries.T0, "end": hostile_queries.T0 + 600, "step": 15})
    while time.monotonic() < end:
        began = time.perf_counter()
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60, source_address=(address, 0))
            connection.request("GET", f"/api/v1/query_range?{form}")
            reply = connection.getresponse()
            reply.read()
            out.append((reply.status, time.perf_counter() - began))
            connection.close()
        except OSError as error:
            out.append((type(error).__name__, time.perf_counter() - began))


def loaded(server, clients):
    out, end, cpu = [], time.monotonic() + options.seconds, server.cpu_seconds()
    threads = [threading.Thread(target=ask_until, args=(end, server.port, f"127.0.0.{2 + i % 200}", out)) for i in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken = sorted(seconds * 1000 for status, seconds in out if status == 200)
    refused = sorted(seconds * 1000 for status, seconds in out if status == 503)
    others = {status for status, _ in out} - {200, 503}
    print(f"{clients} clients: {len(taken) / options.seconds:.0f} answers a second, "
          + (f"p50 {taken[len(taken) // 2]:.0f} ms, p99 {taken[len(taken) * 99 // 100]:.0f} ms; " if taken else "")
          + f"{len(refused)} refused" + (f", p99 {refused[len(refused) * 99 // 100]:.0f} ms" if refused else "")
          + f"; {server.cpu_seconds() - cpu:.1f} CPU-s; others: {others or 'none'}", flush=True)


def main():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))  # the server has it from here
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off", *flags) as server:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
        idle(server)
        hostile_queries.load(server)
        cores = len(os.sched_getaffinity(0))
        for clients in (4 * cores, 12 * cores):
            loaded(server, clients)
    return 0


if __name__ == "__main__":
    sys.exit(main())
