#!/usr/bin/env python3
"""How long a write waits while many databases are busy: together they have more new rows than may be in memory, and none of them has much.

    tests/bench/busy_databases.py BIN [--databases N] [--staged MIB] [--rounds N] [--writers N] [tidemarkd flags]

Each of so many databases gets rows of 200 series in turn, until all together have had `rounds` times what may be in memory; each writer has
a connection of its own. Printed: rows in a second, and the 50th and 99th percentile and the longest of the waits of writes, beside those of the
same writes into one database.
"""
import argparse
import http.client
import pathlib
import sys
import threading
import time

parser = argparse.ArgumentParser()
parser.add_argument("bin")
parser.add_argument("--databases", type=int, default=60)
parser.add_argument("--staged", type=int, default=64)
parser.add_argument("--rounds", type=float, default=3)
parser.add_argument("--writers", type=int, default=8)
options, flags = parser.parse_known_args()
sys.argv[1:] = [options.bin]
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from harness import Server, expect_equal, temporary_folder  # noqa: E402

T0 = 1_700_000_000
SERIES = 200
ROWS = 5_000
# What a row of one float takes in memory before a checkpoint, about.
ROW_BYTES = 17


def lines(number):
    step = number * (ROWS // SERIES)
    return "\n".join(f"m,host=h{i % SERIES} value={(number * 7919 + i * 104729) % 1000003 / 7} {(T0 + step + i // SERIES) * 10**9}"
                     for i in range(ROWS)).encode()


def measure(server, names):
    requests = int(options.rounds * (options.staged << 20) / (ROWS * ROW_BYTES))
    waits, lock, following = [], threading.Lock(), iter(range(requests))

    def work():
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)
        while True:
            with lock:
                number = next(following, None)
            if number is None:
                return
            body = lines(number // len(names))
            began = time.monotonic()
            connection.request("POST", f"/write?db={names[number % len(names)]}", body)
            reply = connection.getresponse()
            text = reply.read()
            expect_equal(reply.status, 204, f"a write: {text[:200]}")
            with lock:
                waits.append(time.monotonic() - began)

    began = time.monotonic()
    threads = [threading.Thread(target=work) for _ in range(options.writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.monotonic() - began
    waits.sort()
    expect_equal(len(waits), requests, "writes")
    print(f"{len(names)} databases: {requests} writes of {ROWS} rows, {requests * ROWS / took:,.0f} rows a second; a write waits p50 "
          f"{waits[len(waits) // 2] * 1000:.0f} ms, p99 {waits[len(waits) * 99 // 100] * 1000:.0f}, at most {waits[-1] * 1000:.0f}", flush=True)


def main():
    for names in (["one"], [f"busy{i:03}" for i in range(options.databases)]):
        with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off", "--storage-staged-bytes",
                                                  f"{options.staged}MiB", *flags) as server:
            measure(server, names)
    return 0


if __name__ == "__main__":
    sys.exit(main())
