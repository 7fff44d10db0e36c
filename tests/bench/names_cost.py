#!/usr/bin/env python3
"""What lists of names cost a server with many series, in milliseconds of its processor time, which what else runs does not change:

    tests/bench/names_cost.py BIN [--series N] [--rounds N] [--only PART] [--data FOLDER] [tidemarkd flags]

Half of the series were written in the order of their names, half in the opposite order. Each request is sent once at first, and then
N times; the first is shown apart, since expressions are remembered. --data keeps what was written for the next run, and for names_storm.py.
"""
import argparse
import pathlib
import sys
import urllib.parse

parser = argparse.ArgumentParser()
parser.add_argument("bin")
parser.add_argument("--series", type=int, default=500_000)
parser.add_argument("--rounds", type=int, default=20)
parser.add_argument("--only", default="")
parser.add_argument("--data", default="")
options, flags = parser.parse_known_args()
sys.argv[1:] = [options.bin]
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from harness import Server, expect_equal, temporary_folder  # noqa: E402

T0 = 1_700_000_000
PIECE = 5_000


def load(server):
    half = options.series // 2
    for name, numbers in (("up", range(half)), ("down", range(half - 1, -1, -1))):
        numbers = list(numbers)
        for begin in range(0, half, PIECE):
            lines = "\n".join(f"{name},host=h{i:07},dc=d{i % 20},rack=r{i % 400} value={i} {T0 + i % 3600}000000000"
                              for i in numbers[begin:begin + PIECE])
            expect_equal(server.write(lines, db="names").status, 204, "a write")


def api(path, *matchers, **parameters):
    pairs = [("db", "names"), ("limit", 10)] + [("match[]", matcher) for matcher in matchers] + list(parameters.items())
    return f"/api/v1/{path}?{urllib.parse.urlencode(pairs)}"


def influx(statement):
    return f"/query?{urllib.parse.urlencode({'db': 'names', 'q': statement})}"


REQUESTS = {
    "series, in order": api("series", "up"),
    "series, in the opposite order": api("series", "down"),
    "series, a matcher": api("series", 'up{dc="d7"}'),
    "series, an expression": api("series", 'up{host=~".*77.*"}'),
    "series, an expression, few": api("series", 'down{host=~"h00012.*"}'),
    "series, times": api("series", "up", start=T0, end=T0 + 600),
    "series, two selectors": api("series", "up", "down"),
    "series of everything": api("series", '{dc=~".+"}'),
    "series, times without rows": api("series", "up", start=T0 + 7 * 86400, end=T0 + 8 * 86400),
    "series, an expression that seldom matches": api("series", 'up{host=~".*12345.*"}'),
    "label values": api("label/host/values"),
    "label values, a matcher": api("label/host/values", 'up{dc="d7"}'),
    "label values, an expression": api("label/host/values", 'up{host=~".*78.*"}'),
    "label values, times": api("label/host/values", start=T0, end=T0 + 600),
    "label values, few of them": api("label/dc/values", 'down{host!="h0000007"}'),
    "label values of names": api("label/__name__/values", '{dc="d7"}'),
    "labels": api("labels"),
    "labels, a matcher": api("labels", 'up{dc="d7"}'),
    "labels, an expression": api("labels", 'up{host=~".*79.*"}'),
    "labels, times": api("labels", start=T0, end=T0 + 600),
    "SHOW SERIES": influx("SHOW SERIES LIMIT 10"),
    "SHOW SERIES, a matcher": influx("SHOW SERIES FROM up WHERE dc = 'd7' LIMIT 10"),
    "SHOW SERIES, an expression": influx("SHOW SERIES FROM up WHERE host =~ /76/ LIMIT 10"),
    "SHOW SERIES, times": influx(f"SHOW SERIES FROM up WHERE time >= {T0}s AND time < {T0 + 600}s LIMIT 10"),
    "SHOW TAG KEYS": influx("SHOW TAG KEYS LIMIT 10"),
    "SHOW TAG KEYS, a matcher": influx("SHOW TAG KEYS FROM up WHERE dc = 'd7' LIMIT 10"),
    "SHOW TAG VALUES, a matcher": influx("SHOW TAG VALUES FROM up WITH KEY = host WHERE dc = 'd7' LIMIT 10"),
    "SHOW TAG VALUES, an expression": influx("SHOW TAG VALUES FROM up WITH KEY = host WHERE host =~ /75/ LIMIT 10"),
    "SHOW MEASUREMENTS, a matcher": influx("SHOW MEASUREMENTS WHERE dc = 'd7' LIMIT 10"),
    "SHOW TAG VALUES": influx("SHOW TAG VALUES FROM up WITH KEY = host LIMIT 10"),
    "SHOW MEASUREMENTS": influx("SHOW MEASUREMENTS LIMIT 10"),
}


def main():
    with temporary_folder() as folder, Server(options.data or folder / "data", "--host-metrics", "off", *flags) as server:
        if not server.query('up{host="h0000000"}', db="names", time=T0):
            load(server)
        expect_equal(server.request("POST", "/api/v1/admin/checkpoint", timeout=600).status // 100, 2, "a checkpoint")
        server.request("GET", "/ping")
        for name, target in REQUESTS.items():
            if options.only not in name:
                continue
            began = server.cpu_seconds()
            expect_equal(server.request("GET", target, timeout=600).status, 200, name)
            first = server.cpu_seconds() - began
            began = server.cpu_seconds()
            for _ in range(options.rounds):
                server.request("GET", target, timeout=600)
            each = (server.cpu_seconds() - began) / options.rounds
            print(f"{name}: {each * 1000:.1f} ms, the first {first * 1000:.0f} ms", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
