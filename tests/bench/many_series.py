#!/usr/bin/env python3
"""What very many series cost: to be taken, kept, asked for and loaded again.

    tests/bench/many_series.py BIN [--series N] [--fields N] [--rows N] [--databases N] [tidemarkd flags]

N series of so many fields a row (1: single-field), each with N rows, written over one connection in batches of 5,000 lines. Prints
series and points taken in a CPU-second, memory of a series (anonymous, beyond that of the empty server), what they take
on disk, what a count over all of them and one of them costs, how long SIGTERM takes and how long the next start takes until it answers,
and its memory. With --databases: so many databases of one row each instead, and the start that opens them.
"""
import argparse
import pathlib
import subprocess
import sys
import time

parser = argparse.ArgumentParser()
parser.add_argument("bin")
parser.add_argument("--series", type=int, default=1_000_000)
parser.add_argument("--fields", type=int, default=1)
parser.add_argument("--rows", type=int, default=1)
parser.add_argument("--databases", type=int, default=0)
parser.add_argument("--batch", type=int, default=5_000)
options, flags = parser.parse_known_args()
sys.argv[1:] = [options.bin]
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from harness import Server, expect_equal, temporary_folder  # noqa: E402

T0 = 1_700_000_000


def anonymous_bytes(server):
    for line in pathlib.Path(f"/proc/{server.process.pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) << 10
    return 0


def disk_bytes(folder):
    return int(subprocess.run(["du", "-s", "-B1", "--exclude=reserve*", str(folder)], capture_output=True, text=True, check=True).stdout.split()[0])


def write(server, lines, database):
    reply = server.request("POST", f"/write?db={database}", lines.encode(), timeout=600)
    expect_equal(reply.status, 204, f"a write: {reply.body[:300]}")


def load_series(server):
    names = [f"f{i}" for i in range(options.fields)]
    keys = options.series // options.fields
    for row in range(options.rows):
        for begin in range(0, keys, options.batch):
            write(server, "\n".join(
                f"m,host=h{i:08},dc=d{i % 20},rack=r{i % 400} " + ",".join(f"{name}={(i * 7 + row) % 1000}" for name in names)
                + f" {T0 + 60 * row}000000000" for i in range(begin, min(begin + options.batch, keys))), "many")


def asked(server, what, expression):
    began, cpu = time.monotonic(), server.cpu_seconds()
    result = server.query(expression, db="many", time=T0 + 60 * (options.rows - 1))
    print(f"  {what}: {result[0]['value'][1] if result else 'nothing'} in {(time.monotonic() - began) * 1000:.0f} ms, "
          f"{(server.cpu_seconds() - cpu) * 1000:.0f} ms of CPU", flush=True)
    return result


def start(server):
    began = time.monotonic()
    server.start(600)
    print(f"  ready {time.monotonic() - began:.2f} s after the start, {server.cpu_seconds():.2f} CPU-s, "
          f"{anonymous_bytes(server) >> 20} MiB", flush=True)


def many_series(server, data):
    empty = anonymous_bytes(server)
    began, cpu = time.monotonic(), server.cpu_seconds()
    load_series(server)
    took, cpu = time.monotonic() - began, server.cpu_seconds() - cpu
    points = options.series * options.rows
    print(f"{options.series} series in rows of {options.fields} fields, {options.rows} rows each: {took:.1f} s, {cpu:.1f} CPU-s "
          f"({points / cpu / 1e6:.2f} M points, {options.series / cpu / 1e6:.2f} M series a CPU-second)", flush=True)
    staged = anonymous_bytes(server)
    began, cpu = time.monotonic(), server.cpu_seconds()
    expect_equal(server.request("POST", "/api/v1/admin/checkpoint", timeout=600).status // 100, 2, "a checkpoint")
    print(f"  checkpoint: {time.monotonic() - began:.1f} s, {server.cpu_seconds() - cpu:.1f} CPU-s", flush=True)
    time.sleep(12)  # what was freed goes back to the system
    kept = anonymous_bytes(server)
    print(f"  {staged >> 20} MiB before the checkpoint, {kept >> 20} after ({(kept - empty) / options.series:.0f} B a series), "
          f"{disk_bytes(data) / options.series:.1f} B a series on disk", flush=True)
    name = "m_f0"
    counted = asked(server, "count of one field of all", f"count({name})")
    expect_equal(int(counted[0]["value"][1]), options.series // options.fields, "series that are counted")
    asked(server, "one of them", f'{name}{{host="h00000042"}}')
    began = time.monotonic()
    expect_equal(server.stop(120), 0, "the exit code")
    print(f"  stopped in {time.monotonic() - began:.1f} s", flush=True)
    start(server)
    counted = asked(server, "count of one field of all, again", f"count({name})")
    expect_equal(int(counted[0]["value"][1]), options.series // options.fields, "series after the restart")


def many_databases(server):
    began, cpu = time.monotonic(), server.cpu_seconds()
    for i in range(options.databases):
        write(server, f"m,host=a v={i} {T0}000000000", f"db{i:05}")
    print(f"{options.databases} databases: made in {time.monotonic() - began:.1f} s, {server.cpu_seconds() - cpu:.1f} CPU-s, "
          f"{anonymous_bytes(server) >> 20} MiB", flush=True)
    began = time.monotonic()
    expect_equal(server.stop(120), 0, "the exit code")
    print(f"  stopped in {time.monotonic() - began:.1f} s", flush=True)
    start(server)
    expect_equal(len(server.query("m_v", db=f"db{options.databases - 1:05}", time=T0)), 1, "the last database")


def main():
    # A query over all of one field may have as many.
    budget = ("--query-max-series", str(max(options.series // options.fields, 1_000_000)))
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off", *budget, *flags) as server:
        if options.databases:
            many_databases(server)
        else:
            many_series(server, folder / "data")
    return 0


if __name__ == "__main__":
    sys.exit(main())
