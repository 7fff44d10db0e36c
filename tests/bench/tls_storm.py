#!/usr/bin/env python3
"""What misused TLS handshakes do to the latency of a healthy client over TLS:

    tests/bench/tls_storm.py BIN [--count N] [--seconds N] [tidemarkd flags]

N (2,000) handshakes that come a byte at a time, N that stop halfway, and N connections that ask for three more handshakes: each
kind by itself, beside a healthy client on a kept connection and one that opens a new one each time. Prints p50 and p99 of both
alone (before and behind) and beside each kind, the ratio of the p99, and the server's processor time; exits with 1 when the p99
of the kept connection more than doubled.
"""
import argparse
import http.client
import multiprocessing
import pathlib
import resource
import ssl
import sys
import time

parser = argparse.ArgumentParser()
parser.add_argument("bin")
parser.add_argument("--count", type=int, default=2000)
parser.add_argument("--seconds", type=float, default=15)
options, flags = parser.parse_known_args()
sys.argv[1:] = [options.bin]
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from harness import expect_equal  # noqa: E402
from peers import tls_storm  # noqa: E402
from test_access import bearer, make  # noqa: E402
from test_tls import encrypted  # noqa: E402

TARGET = "/api/v1/query?db=default&query=m_v&nocache=1"


def healthy(server, context, root, seconds):
    """Latencies in ms of a kept connection, and of a new one for each request."""
    kept = http.client.HTTPSConnection("localhost", server.tls_port, context=context, timeout=60)
    times = {"kept": [], "new": []}

    def ask(connection):
        began = time.monotonic()
        connection.request("GET", TARGET, headers=bearer(root))
        reply = connection.getresponse()
        reply.read()
        expect_equal(reply.status, 200, "a healthy request")
        return (time.monotonic() - began) * 1000

    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for _ in range(10):
            times["kept"].append(ask(kept))
        began = time.monotonic()
        new = http.client.HTTPSConnection("localhost", server.tls_port, context=context, timeout=60)
        ask(new)
        new.close()
        times["new"].append((time.monotonic() - began) * 1000)
        time.sleep(0.005)
    return {kind: sorted(values) for kind, values in times.items()}


def quantile(values, q):
    return values[min(len(values) - 1, int(len(values) * q))]


def show(what, times, cpu):
    print(f"{what}: " + ", ".join(f"{kind} p50 {quantile(values, 0.5):.2f} ms p99 {quantile(values, 0.99):.2f} ms ({len(values)})"
                                  for kind, values in times.items()) + f", server {cpu:.2f} CPU-s", flush=True)
    return {kind: quantile(values, 0.99) for kind, values in times.items()}


def main():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4 * options.count + 1000)), hard))
    worst = 0
    with encrypted("--http-connections-per-address-max", str(4 * options.count), *flags) as (server, _, certificate):
        root = make(server, "root", "admin:*")
        expect_equal(server.request("POST", "/write?db=default", "m,host=a v=1", bearer(root)).status, 204, "a write")
        context = ssl.create_default_context(cafile=certificate)

        def measured(what):
            cpu = server.cpu_seconds()
            times = healthy(server, context, root, options.seconds)
            return show(what, times, server.cpu_seconds() - cpu)

        measured("warming up")
        for name in tls_storm.ATTACKS:
            before = measured("alone")
            result = multiprocessing.Queue()
            attack = multiprocessing.Process(target=tls_storm.during,
                                             args=(server.tls_port, name, options.count, options.seconds + 3, result))
            attack.start()
            time.sleep(2)
            beside = measured(f"beside {options.count} {name}")
            done = result.get(timeout=600)
            attack.join()
            behind = measured("alone again")
            print(f"  {'ended and begun anew' if name != 'renegotiations' else 'given'}: {done}")
            for kind, value in beside.items():
                alone = max(before[kind], behind[kind])
                print(f"  p99 {kind}: {value:.2f} / {alone:.2f} ms = {value / alone:.2f}", flush=True)
            worst = max(worst, beside["kept"] / max(before["kept"], behind["kept"]))
    sys.exit(1 if worst > 2 else 0)


if __name__ == "__main__":
    main()
