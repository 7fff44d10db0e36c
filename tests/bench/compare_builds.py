"""Two builds of the programs side by side: the server's CPU per point written, per small write, per checkpoint and per
query, bytes on disk, and acknowledged small writes in a second. Rounds go A B B A, so that a machine whose speed drifts
does not favour one; printed are the medians of each with their spread, and the median of the ratios.

  compare_builds.py BIN_FOLDER_A BIN_FOLDER_B [--client BIN_FOLDER] [--rounds 7] [--hosts 1000] [--seconds 3600] [--no-compact]
                    [--small-only] [--small-seconds 3]

With --client the `tidemark` of that folder sends to both, and neither needs one. Room that is kept for a full disk (`reserve`) and
names and records that are written a second time (`copy`) are bytes of their own. `compact` is
background work, which may wait for as long as others want the cores: --no-compact leaves it out.
"""
import argparse
import http.client
import math
import pathlib
import re
import statistics
import subprocess
import tempfile
import threading
import time

WRITERS = 8
APART = ("copy", "reserve")


class Server:
    def __init__(self, programs, data):
        self.process = subprocess.Popen(
            [programs / "tidemarkd", "--data", data, "--http", "127.0.0.1:0", "--host-metrics", "off", "--log-level", "warn"],
            stdout=subprocess.PIPE, text=True)
        for line in self.process.stdout:
            if found := re.search(r"listening on http://127\.0\.0\.1:(\d+)", line):
                self.port = int(found.group(1))
                return
        raise SystemExit("the server ended at once")

    def cpu(self):
        """Seconds of CPU that its process has used."""
        # Its clock (clock_getcpuclockid), which counts nanoseconds where /proc/PID/stat has ticks of 10 ms.
        return time.clock_gettime(~self.process.pid << 3 | 2)

    def post(self, target, body=b""):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=1800)
        connection.request("POST", target, body)
        reply = connection.getresponse()
        reply.read()
        connection.close()
        if reply.status >= 300:
            raise SystemExit(f"{target}: {reply.status}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def stop(self):
        self.process.terminate()
        if self.process.wait(120) != 0:
            raise SystemExit("the server did not end well")


def small_writes(server, seconds):
    """One row a request over WRITERS connections for a few seconds: acknowledged rows."""
    end = time.monotonic() + seconds
    counts = [0] * WRITERS

    def write(number):
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        while time.monotonic() < end:
            connection.request("POST", "/write?db=small", f"m,w={number} v={counts[number]}i")
            reply = connection.getresponse()
            reply.read()
            counts[number] += reply.status == 204

    threads = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts)


def measure(programs, options):
    figures = {}
    with tempfile.TemporaryDirectory(prefix="tidemark-compare-") as data, Server(programs, data) as server:

        def step(name, work):
            before = server.cpu()
            result = work()
            figures[name] = server.cpu() - before
            return result

        def bench(kind, *more):
            subprocess.run([(options.client or programs) / "tidemark", "bench", kind, "--server", f"http://127.0.0.1:{server.port}",
                            "--hosts", str(options.hosts), "--seconds", str(options.seconds), *more], check=True,
                           stdout=subprocess.DEVNULL)

        if not options.small_only:
            step("ingest, CPU s", lambda: bench("ingest"))
            step("checkpoint, CPU s", lambda: server.post("/api/v1/admin/checkpoint"))
            step("queries, CPU s", lambda: bench("query", "--runs", "5"))
            if options.compact:
                step("compact, CPU s", lambda: server.post("/api/v1/admin/compact?db=bench"))
        before = server.cpu()
        rows = small_writes(server, options.small_seconds)
        figures["small write, CPU us"] = (server.cpu() - before) / rows * 1e6
        figures["small writes a second"] = rows / options.small_seconds
        before = server.cpu()
        server.post("/api/v1/admin/checkpoint")
        figures["small checkpoint, CPU ms"] = (server.cpu() - before) * 1e3
        server.stop()
        for name, belongs in (("bytes", lambda top: top not in APART), ("bytes of copies", lambda top: top == "copy"),
                              ("bytes of the reserve", lambda top: top == "reserve")):
            figures[name] = sum(path.stat().st_size for path in pathlib.Path(data).rglob("*")
                                if path.is_file() and belongs(path.relative_to(data).parts[0]))
    return figures


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("a", type=pathlib.Path)
    parser.add_argument("b", type=pathlib.Path)
    parser.add_argument("--client", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--hosts", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=3600)
    parser.add_argument("--no-compact", dest="compact", action="store_false")
    parser.add_argument("--small-only", action="store_true", help="small writes and their checkpoint only")
    parser.add_argument("--small-seconds", type=int, default=3)
    options = parser.parse_args()
    found = {"A": [], "B": []}
    for number in range(options.rounds):
        for which in ("AB", "BA")[number % 2]:
            found[which].append(measure(options.a if which == "A" else options.b, options))
        print(f"round {number + 1} of {options.rounds}", flush=True)
    print(f"{'':26} {'A':>12} {'min-max':>21} {'B':>12} {'min-max':>21}   B/A")
    for name in found["A"][0]:
        a, b = ([figures[name] for figures in found[which]] for which in "AB")
        ratio = statistics.median(y / x if x else math.nan for x, y in zip(a, b))
        spread = [f"{min(values):.4g}-{max(values):.4g}" for values in (a, b)]
        print(f"{name:26} {statistics.median(a):12.4g} {spread[0]:>21} {statistics.median(b):12.4g} {spread[1]:>21} {ratio:6.3f}")


if __name__ == "__main__":
    main()
