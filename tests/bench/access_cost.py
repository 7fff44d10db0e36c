#!/usr/bin/env python3
"""What a token and TLS cost the server, in its own processor time:

    tests/bench/access_cost.py BIN [--rounds N (0: idle connections only)] [--requests N] [--hosts N] [--seconds N] [--idle N]
                                   [--connections N] [--instructions]

Three ways of asking one program: without tokens, with one, and with one over TLS, in the order and back (A B C C B A) as often as
--rounds says. Of each the requests per processor second (an instant query of one series, in slices of 300 by turns, so that what
else the machine does meets all alike): over one kept connection, one after the other, where the server sleeps and wakes between any
two, and over N (16) of them, each of which has a request out at a time, where it works as a busy server does. Then those that each
open a connection of their own, and the points per processor second (`tidemark bench ingest`: rows of ten fields). Prints the medians and their ratios to plain;
of the requests the median of the ratios of slices that lie together. With --instructions it counts the instructions of a request
in place of all that, by valgrind's callgrind: in user space, kernel left out, and the same whatever else the machine does. Then what an idle connection holds of anonymous memory, plain and over TLS,
after one request each; all of them answer once more.
"""
import argparse
import contextlib
import json
import os
import pathlib
import re
import resource
import socket
import ssl
import statistics
import subprocess
import sys
import time

parser = argparse.ArgumentParser()
parser.add_argument("bin")
parser.add_argument("--rounds", type=int, default=2)
parser.add_argument("--requests", type=int, default=20_000)
parser.add_argument("--connections", type=int, default=16)
parser.add_argument("--opened", type=int, default=500)
parser.add_argument("--hosts", type=int, default=1000)
parser.add_argument("--seconds", type=int, default=7200)
parser.add_argument("--idle", type=int, default=2000)
parser.add_argument("--instructions", action="store_true")
options = parser.parse_args()
sys.argv[1:] = [options.bin]
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from harness import BIN, Server, expect, expect_equal, free_port, temporary_folder  # noqa: E402
from test_access import bearer, make  # noqa: E402
from test_tls import new_certificate  # noqa: E402

OFF = ("--host-metrics", "off")
SLICE = 300
TARGET = "/api/v1/query?db=default&query=m_v&nocache=1"


def cpu_seconds(server):
    """What the server's threads have used of processors, in nanoseconds' steps: the kernel's clock of another process."""
    return time.clock_gettime((~server.process.pid << 3) | 2)


class Way:
    """One way to ask a server."""

    def __init__(self, name, server, port, secret=None, certificate=None):
        self.name, self.server, self.port, self.secret, self.certificate = name, server, port, secret, certificate
        self.context = ssl.create_default_context(cafile=certificate) if certificate else None
        shown = f"Authorization: Bearer {secret}\r\n" if secret else ""
        self.request = f"GET {TARGET} HTTP/1.1\r\nHost: localhost\r\n{shown}\r\n".encode()
        self.databases = 0

    def connect(self):
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=120)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self.context.wrap_socket(plain, server_hostname="localhost") if self.context else plain

    def ask(self, *connections):
        for each in connections:
            each.sendall(self.request)
        for each in connections:
            self.take(each)

    @staticmethod
    def take(connection):
        reply = b""
        while b"\r\n\r\n" not in reply:
            piece = connection.recv(65536)
            expect(piece, "the server hung up")
            reply += piece
        head, _, body = reply.partition(b"\r\n\r\n")
        expect(head.startswith(b"HTTP/1.1 200 "), head)
        length = int(re.search(rb"[Cc]ontent-[Ll]ength: (\d+)", head).group(1))
        while len(body) < length:
            body += connection.recv(65536)

    def slice(self, connections):
        before = cpu_seconds(self.server)
        asked = 0
        while asked < SLICE:
            self.ask(*connections)
            asked += len(connections)
        return asked / (cpu_seconds(self.server) - before)

    def opened(self, count):
        before = cpu_seconds(self.server)
        for _ in range(count):
            with self.connect() as connection:
                self.ask(connection)
        return count / (cpu_seconds(self.server) - before)

    def points(self, hosts, seconds):
        self.databases += 1
        scheme = "https" if self.certificate else "http"
        environment = {**os.environ, "TIDEMARK_SERVER": f"{scheme}://localhost:{self.port}"}
        if self.secret:
            environment["TIDEMARK_TOKEN"] = self.secret
        if self.certificate:
            environment["TIDEMARK_CA"] = str(self.certificate)
        before = cpu_seconds(self.server)
        done = subprocess.run([str(BIN / "tidemark"), "bench", "ingest", "--db", f"{self.name.split()[-1]}{self.databases}", "--hosts", str(hosts),
                               "--seconds", str(seconds)], capture_output=True, text=True, env=environment)
        expect_equal(done.returncode, 0, done.stderr)
        return hosts * (seconds // 10) * 10 / (cpu_seconds(self.server) - before)


def requests_by_turns(ways, count, width, kept, ratios):
    """Slices of requests of each way over `width` kept connections, forth and back."""
    with contextlib.ExitStack() as stack:
        connections = {way: [stack.enter_context(way.connect()) for _ in range(width)] for way in ways}
        for way in ways:
            way.slice(connections[way])
        for number in range(max(1, count // SLICE)):
            got = {way: way.slice(connections[way]) for way in (ways if number % 2 == 0 else ways[::-1])}
            for way in ways:
                kept[way.name].append(got[way])
                ratios[way.name].append(got[way] / got[ways[0]])


def anonymous_kib(server):
    return int(re.search(r"RssAnon:\s+(\d+)", pathlib.Path(f"/proc/{server.process.pid}/status").read_text()).group(1))


def idle(way, count):
    warm = [way.connect() for _ in range(50)]
    for each in warm:
        way.ask(each)
    before = anonymous_kib(way.server)
    connections = [way.connect() for _ in range(count)]
    for each in connections:
        way.ask(each)
    held = anonymous_kib(way.server) - before
    for each in connections:
        way.ask(each)
    for each in connections + warm:
        each.close()
    return held / count


def instructions(way):
    """Of a request, by what 1,000 of them take on a kept connection that is warm."""
    process = str(way.server.process.pid)
    with way.connect() as connection:
        for _ in range(50):
            way.ask(connection)
        subprocess.run(["callgrind_control", "--instr=on", process], check=True, capture_output=True)
        for _ in range(1000):
            way.ask(connection)
        dumped = way.server.data.parent / "callgrind.out"
        subprocess.run(["callgrind_control", "--dump=" + way.name.replace(" ", "-"), process], check=True, capture_output=True)
        subprocess.run(["callgrind_control", "--instr=off", process], check=True, capture_output=True)
    newest = max(dumped.parent.glob(dumped.name + ".*"), key=lambda path: int(path.suffix[1:]))
    return int(re.search(r"^totals: (\d+)", newest.read_text(), re.MULTILINE).group(1)) / 1000


def main():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, options.idle + 1000)), hard))
    with temporary_folder() as folder:
        certificate, key = new_certificate(folder / "tls", "localhost", "127.0.0.1")
        port = free_port()
        many = ("--http-connections-per-address-max", str(options.idle + 200))
        prefixes = {name: ("valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={folder}/{name}.d/callgrind.out")
                    if options.instructions else () for name in ("plain", "tokens")}
        for name in prefixes:
            (folder / f"{name}.d").mkdir()
        with Server(folder / "plain.d/data", *OFF, *many, prefix=prefixes["plain"]) as open_server, \
                Server(folder / "tokens.d/data", *OFF, *many, "--https", f"127.0.0.1:{port}", "--tls-certificate-file",
                       str(certificate), "--tls-key-file", str(key), prefix=prefixes["tokens"]) as guarded:
            root = make(guarded, "root", "admin:*")
            ways = [Way("plain", open_server, open_server.port), Way("with a token", guarded, guarded.port, root),
                    Way("with a token over TLS", guarded, port, root, certificate)]
            expect_equal(open_server.write("m,host=a v=1").status, 204, "a write")
            expect_equal(guarded.request("POST", "/write?db=default", "m,host=a v=1", bearer(root)).status, 204, "a write")
            if options.instructions:
                counted = {way.name: instructions(way) for way in ways}
                for name, count in counted.items():
                    print(f"instructions of a request, {name}: {count:,.0f}, {counted['plain'] / count:.3f} requests for one that is plain")
                return
            widths = {"requests, one connection": 1, f"requests, {options.connections} connections": options.connections}
            figures = {way.name: {kind: [] for kind in (*widths, "opened", "points")} for way in ways}
            ratios = {kind: {way.name: [] for way in ways} for kind in widths}
            for _ in range(options.rounds):
                for kind, width in widths.items():
                    requests_by_turns(ways, options.requests, width, {name: of[kind] for name, of in figures.items()}, ratios[kind])
                for way in ways + ways[::-1]:
                    kept = figures[way.name]
                    kept["opened"].append(way.opened(options.opened))
                    kept["points"].append(way.points(options.hosts, options.seconds))
                    print(way.name, json.dumps({kind: round(values[-1]) for kind, values in kept.items()}), flush=True)
            for kind in figures["plain"] if options.rounds > 0 else ():
                plain = statistics.median(figures["plain"][kind])
                for name, kept in figures.items():
                    median = statistics.median(kept[kind])
                    ratio = statistics.median(ratios[kind][name]) if kind in ratios else median / plain
                    print(f"{kind}: per CPU-second, {name}: {median:,.0f} ({min(kept[kind]):,.0f} to {max(kept[kind]):,.0f}), "
                          f"{ratio:.3f} of plain")
            for way in (ways[0], ways[2]):
                print(f"an idle connection, {way.name}: {idle(way, options.idle):.1f} KiB of anonymous memory", flush=True)


main()
