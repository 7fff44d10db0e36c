"""One row a request over sixteen connections, each acknowledged once it is synced: Tidemark beside Debian's InfluxDB 1.6, by
the same client in the same line protocol. Rounds go A B B A, each into a folder of its own, so that a machine whose speed
drifts does not favour one. Printed: acknowledged rows a second, the server's processor time for a row, medians with their
spread, and the medians of the ratios.

    tests/bench/single_rows.py [FOLDER OF THE BINARIES] [ROUNDS] [ROWS] [CONNECTIONS]

By default 4 rounds, 4,000 rows of ten fields, 16 connections. The figures depend on what a sync costs, which is printed
too: the median of fdatasync after 512 bytes, in the same folder.
"""
import os
import pathlib
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

BIN = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "build/dev/bin").resolve()
ROUNDS, ROWS, CONNECTIONS = (int(sys.argv[i + 2]) if len(sys.argv) > i + 2 else default for i, default in enumerate((4, 4_000, 16)))
HOSTS = 100
SECONDS_FROM_ROW_TO_ROW = 10

INFLUX = """reporting-disabled = true
bind-address = "127.0.0.1:{backup}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  wal-fsync-delay = "0s"
[http]
  bind-address = "127.0.0.1:{port}"
  log-enabled = false
[monitor]
  store-enabled = false
[logging]
  level = "error"
"""


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def start_tidemark(folder, port):
    return [BIN / "tidemarkd", "--data", folder, "--http", f"127.0.0.1:{port}", "--host-metrics", "off", "--log-level", "error"]


def start_influx(folder, port):
    config = pathlib.Path(folder, "influxdb.conf")
    config.write_text(INFLUX.format(folder=folder, port=port, backup=free_port()))
    return ["influxd", "-config", config]


def until_up(url, process):
    for _ in range(300):
        if process.poll() is not None:
            raise SystemExit(f"{process.args[0]} ended with {process.returncode}")
        try:
            urllib.request.urlopen(url + "/ping", timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"{process.args[0]} does not answer")


def measure(command_of):
    """Rows a second, and microseconds of processor time for one."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        process = subprocess.Popen(command_of(folder, port), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            until_up(url, process)
            made = urllib.parse.urlencode({"q": "CREATE DATABASE bench"}).encode()
            urllib.request.urlopen(url + "/query", made, timeout=10).close()
            seconds = ROWS // HOSTS * SECONDS_FROM_ROW_TO_ROW
            out = subprocess.run([BIN / "tidemark", "bench", "ingest", "--server", url, "--protocol", "line", "--batch", "1",
                                  "--connections", str(CONNECTIONS), "--hosts", str(HOSTS), "--seconds", str(seconds),
                                  "--pid", str(process.pid)], capture_output=True, text=True, check=True).stdout
        finally:
            process.terminate()
            process.wait(30)
    points, wall = (float(re.search(pattern, out).group(1)) for pattern in (r"points (\d+)", r"bytes \d+\s+([\d.]+) s"))
    processor = float(re.search(r"server: ([\d.]+) CPU-s", out).group(1))
    rows = points / 10
    return rows / wall, processor * 1e6 / rows


def sync_ms():
    with tempfile.TemporaryDirectory() as folder, open(pathlib.Path(folder, "file"), "wb", buffering=0) as file:
        times = []
        for _ in range(100):
            begin = time.monotonic()
            file.write(b"x" * 512)
            os.fdatasync(file.fileno())
            times.append((time.monotonic() - begin) * 1e3)
    return statistics.median(times)


def spread(values):
    return f"{statistics.median(values):,.0f} ({min(values):,.0f} to {max(values):,.0f})"


def main():
    print(f"a sync of 512 bytes takes {sync_ms():.2f} ms; load {os.getloadavg()[0]:.1f}")
    ours, theirs = [], []
    for number in range(ROUNDS):
        both = [(start_tidemark, ours), (start_influx, theirs)]
        for command_of, results in (both if number % 2 == 0 else reversed(both)):
            results.append(measure(command_of))
    for name, results in (("Tidemark", ours), ("InfluxDB 1.6", theirs)):
        print(f"{name:13} rows a second {spread([rate for rate, _ in results])}, "
              f"processor time of a row {spread([processor for _, processor in results])} us")
    rates = [a[0] / b[0] for a, b in zip(ours, theirs)]
    costs = [b[1] / a[1] for a, b in zip(ours, theirs)]
    print(f"ratios: {statistics.median(rates):.2f} times the rows a second ({min(rates):.2f} to {max(rates):.2f}), "
          f"{statistics.median(costs):.2f} times the rows for a second of processor time")


main()
