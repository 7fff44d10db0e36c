#!/usr/bin/env python3
"""What hostile queries do to the latency of others:

    tests/bench/hostile_latency.py BIN [--clients N] [--seconds N] [tidemarkd flags]

A light client sends small queries one after the other, at first alone, then while N clients send the 200 hostile queries of
tests/integration/peers/hostile_queries.py as fast as they are answered. Prints p50 and p99 of both, and their ratio; exits with 1
when p99 more than doubled. The light queries are those of a panel: one host, an instant value and an hour by the minute,
past the result cache.
"""
import argparse
import http.client
import multiprocessing
import pathlib
import random
import sys
import threading
import time
import urllib.parse

parser = argparse.ArgumentParser()
parser.add_argument("bin")
parser.add_argument("--clients", type=int, default=8)
parser.add_argument("--seconds", type=float, default=20)
options, flags = parser.parse_known_args()
sys.argv[1:] = [options.bin]
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from harness import Server, temporary_folder  # noqa: E402
from peers import hostile_queries  # noqa: E402

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def post(connection, path, parameters):
    connection.request("POST", path, urllib.parse.urlencode({"db": "hostile", **parameters}), FORM)
    reply = connection.getresponse()
    while reply.read(1 << 20):
        pass
    return reply.status


def hostile(port, clients, answers):
    """Sends hostile queries until the process is ended."""
    queries = hostile_queries.queries()
    # Kinds stand together there, and a short run would see the first ones only.
    random.Random(1).shuffle(queries)

    def run(at):
        while True:
            what, path, parameters = queries[at % len(queries)]
            at += clients
            try:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
                status = post(connection, path, parameters)
                connection.close()
            except OSError:
                status = 0
            with answers.get_lock():
                answers[status // 100] += 1
    for i in range(clients):
        threading.Thread(target=run, args=(i,), daemon=True).start()
    threading.Event().wait()


def light(port, seconds):
    """Milliseconds of each light query, ascending."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    out = []
    end = time.monotonic() + seconds
    at = 0
    while time.monotonic() < end:
        at += 1
        host = f'host="h{at % hostile_queries.HOSTS}"'
        began = time.perf_counter()
        if at % 2:
            status = post(connection, "/api/v1/query", {"query": f"sum(load_f1{{{host}}})",
                                                         "time": hostile_queries.T0 + 3600})
        else:
            status = post(connection, "/api/v1/query_range",
                          {"query": f"rate(load_f2{{{host}}}[5m])", "start": hostile_queries.T0,
                           "end": hostile_queries.T0 + 3600, "step": 60, "nocache": "1"})
        if status != 200:
            raise RuntimeError(f"a light query got {status}")
        out.append((time.perf_counter() - began) * 1000)
        time.sleep(0.002)
    return sorted(out)


def show(what, times):
    p50, p99 = times[len(times) // 2], times[min(len(times) - 1, len(times) * 99 // 100)]
    print(f"{what:10} {len(times):6} queries  p50 {p50:7.2f} ms  p99 {p99:7.2f} ms  max {times[-1]:8.2f} ms", flush=True)
    return p99


def main():
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off", *flags) as server:
        hostile_queries.load(server)
        light(server.port, 2)
        alone = show("alone", light(server.port, options.seconds))
        answers = multiprocessing.Array("l", 6)
        attacker = multiprocessing.Process(target=hostile, args=(server.port, options.clients, answers), daemon=True)
        attacker.start()
        time.sleep(2)
        meanwhile = show("meanwhile", light(server.port, options.seconds))
        attacker.kill()
        high = pathlib.Path(f"/proc/{server.process.pid}/status").read_text().split("VmHWM:")[1].split()[0]
        print(f"p99 {meanwhile / alone:.2f} times that alone; {options.clients} hostile clients got "
              f"{', '.join(f'{n} x {code}xx' for code, n in enumerate(answers) if n)}; {int(high) // 1024} MiB at most")
        return 0 if meanwhile <= 2 * alone else 1


if __name__ == "__main__":
    sys.exit(main())
