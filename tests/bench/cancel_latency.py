"""How much work a query costs after nobody wants it any more. Queries of several kinds over many series are cancelled in
the middle: by closing the connection, and by their timeout. Printed: processor time of the whole query, the most that the
server spent after the connection closed, and the most that the answer of a timeout came late.

    tests/bench/cancel_latency.py [FOLDER OF THE BINARIES] [HOSTS] [PART OF A NAME ...]

Ten fields a host. Run it on a machine with nothing else to do; each thread that computes may go on for 10 ms.
"""
import pathlib
import socket
import sys
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from harness import Server, expect_equal, temporary_folder  # noqa: E402 (harness reads the folder of the binaries)

HOSTS = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
T0 = 1_700_000_000
ROWS = 8
STEP = 60
END = T0 + (ROWS - 1) * STEP
ALL = '{__name__=~"card_f.*"}'
RUNS = (0.15, 0.4, 0.65, 0.9)  # of the time that the whole query takes
QUERIES = {
    "selection by a regular expression": ("query", {"query": 'count({__name__=~"card_f.*",host=~".*[13579]x?"})'}),
    "join": ("query", {"query": "card_f1 * on (host) group_left card_f2 + on (host) card_f3"}),
    "join of everything": ("query", {"query": f"{ALL} and on (host, f) {ALL}"}),
    "sort": ("query", {"query": f"sort({ALL})"}),
    "topk": ("query", {"query": f"topk(500000, {ALL})"}),
    "subquery": ("query", {"query": "max_over_time(rate(card_f1[5m])[5m:1s])"}),
    "quantile by host": ("query_range", {"query": f"quantile by (host) (0.9, {ALL})", "start": T0, "end": END, "step": 5}),
    "quantile of all": ("query_range", {"query": f"quantile(0.9, {ALL})", "start": T0, "end": END, "step": 10}),
    "sum by host": ("query_range", {"query": f"sum by (host) ({ALL})", "start": T0, "end": END, "step": 5}),
    "count_values": ("query", {"query": f'count_values("v", {ALL})'}),
    "label_replace": ("query", {"query": f'label_replace({ALL}, "x", "$1", "host", "h(.*)")'}),
    "arithmetic": ("query_range", {"query": "(card_f1 + 1) * 2 - card_f1 % 7", "start": T0, "end": END, "step": 2}),
    "writing of the reply": ("query_range", {"query": "card_f1", "start": T0, "end": END, "step": 2}),
    "raw samples": ("query", {"query": f"{ALL}[5m]"}),
    "series": ("series", {"match[]": ALL}),
    "label values": ("label/host/values", {"match[]": ALL, "start": T0, "end": END}),
    "status/tsdb": ("status/tsdb", {}),
}


def cpu_ns(pid):
    """Of all threads, by the scheduler's own clock: those of /proc/PID/stat tick every 10 ms."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            total += int((task / "schedstat").read_text().split()[0])
        except OSError:
            pass
    return total


def settled(pid):
    """Processor time once the server does nothing any more."""
    last = cpu_ns(pid)
    while True:
        time.sleep(0.1)
        now = cpu_ns(pid)
        if now - last < 500_000:
            return now
        last = now


def ask(server, path, parameters):
    form = {"time": END, **parameters} if path == "query" else parameters
    connection = socket.create_connection(("127.0.0.1", server.port))
    connection.sendall(f"GET /api/v1/{path}?{urllib.parse.urlencode(form)} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                       "Connection: close\r\n\r\n".encode())
    return connection


def drain(connection):
    head = connection.recv(1 << 20)
    status = int(head.split()[1]) if head else 0
    while connection.recv(1 << 20):
        pass
    return status


def load(server):
    fields = [f"f{i}" for i in range(10)]
    for row in range(ROWS):
        for part in range(0, HOSTS, 10_000):
            lines = "\n".join(
                f"card,host=h{h:06} " + ",".join(f"{name}={(h * 31 + i * 17 + row * 5) % 9973}" for i, name in enumerate(fields))
                + f" {T0 + row * STEP}000000000" for h in range(part, min(part + 10_000, HOSTS)))
            expect_equal(server.write(lines).status, 204, "write")
    expect_equal(server.request("POST", "/api/v1/admin/checkpoint").status, 200, "checkpoint")


def main():
    with temporary_folder() as folder, Server(
            folder / "data", "--host-metrics", "off", "--query-cache-bytes", "0", "--query-max-memory", "4GiB",
            "--query-total-memory", "4GiB", "--query-max-series", "5000000") as server:
        load(server)
        pid = server.process.pid
        print(f"{'':36}{'whole':>12}{'wall':>10}{'after close':>14}{'timeout late':>14}")
        for name, (path, parameters) in QUERIES.items():
            if sys.argv[3:] and not any(part in name for part in sys.argv[3:]):
                continue
            status = drain(ask(server, path, parameters))  # caches of the index
            before, began = settled(pid), time.monotonic()
            status = drain(ask(server, path, parameters))
            wall = time.monotonic() - began
            whole = settled(pid) - before
            after = late = 0.0
            for part in RUNS:
                settled(pid)
                connection = ask(server, path, parameters)
                time.sleep(wall * part)
                closed = cpu_ns(pid)
                connection.close()
                after = max(after, (settled(pid) - closed) / 1e6)
                if path.startswith("query"):
                    began = time.monotonic()
                    connection = ask(server, path, {**parameters, "timeout": f"{max(1, int(wall * part * 1000))}ms"})
                    connection.recv(1 << 16)
                    late = max(late, (time.monotonic() - began) * 1e3 - max(1, int(wall * part * 1000)))
                    connection.close()
            print(f"{name:36}{whole / 1e6:9.1f} ms{wall * 1e3:7.0f} ms{after:11.1f} ms"
                  + (f"{late:11.1f} ms" if path.startswith("query") else "") + f"   {status}", flush=True)


if __name__ == "__main__":
    main()
