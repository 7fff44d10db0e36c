"""What it costs to evaluate rules, beside Debian's Prometheus and beside its vmalert with VictoriaMetrics: all get the same
series by remote write each interval, first without rules and then with the same rule file. Printed: processor time of one
evaluation of all rules, as the difference of both, the ratios, and how many evaluations were missed.

    tests/bench/rules_beside_prometheus.py [FOLDER OF THE BINARIES] [RULES] [SERIES] [INTERVAL SECONDS] [INTERVALS]

By default 10000 rules, 100000 series, 15 s and 8 intervals of each phase. Half of the rules record, half alert; each reads ten
series. All servers run at once, so that they have the same machine; what counts is processor time, of VictoriaMetrics and
vmalert together.
"""
import contextlib
import http.client
import pathlib
import struct
import sys
import threading
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from harness import Server, expect, free_port, temporary_folder, wait_until  # noqa: E402 (harness reads the folder of the binaries)
from peers.prometheus_pair import Process, Prometheus  # noqa: E402
from peers.remote_write import HEADERS, field, snappy, varint  # noqa: E402

RULES, SERIES, INTERVAL, INTERVALS = (int(sys.argv[i + 2]) if len(sys.argv) > i + 2 else default
                                      for i, default in enumerate((10_000, 100_000, 15, 8)))
PER_RULE = 10
METRICS = 100
BATCH = 5_000


def name_of(number):
    """Ten series have one metric and zone."""
    return f"m{number // PER_RULE % METRICS}", f"z{number // PER_RULE // METRICS}"


def rules_text():
    groups = []
    for first in range(0, RULES, 100):
        lines = [f"  - name: g{first // 100}\n    interval: {INTERVAL}s\n    rules:"]
        for number in range(first, min(first + 100, RULES)):
            metric, zone = name_of(number * PER_RULE % SERIES)
            if number % 2:
                lines.append(f"      - {{alert: A{number}, expr: 'avg by (zone) (rate({metric}{{zone=\"{zone}\"}}[1m])) > 0.9', for: 1m}}")
            else:
                lines.append(f"      - {{record: 'r{number}', expr: 'sum by (zone) (rate({metric}{{zone=\"{zone}\"}}[1m]))'}}")
        groups.append("\n".join(lines))
    return "groups:\n" + "\n".join(groups) + "\n"


class Feed(threading.Thread):
    """All series, once each interval."""

    def __init__(self, ports):
        super().__init__(daemon=True)
        self.ports, self.over, self.rounds = ports, threading.Event(), 0
        self.labels = []
        for number in range(SERIES):
            metric, zone = name_of(number)
            self.labels.append(b"".join(field(1, field(1, key.encode()) + field(2, value.encode())) for key, value in
                                        (("__name__", metric), ("host", f"h{number}"), ("zone", zone))))

    def run(self):
        connections = [http.client.HTTPConnection("127.0.0.1", port, timeout=120) for port in self.ports]
        while not self.over.wait(INTERVAL - time.time() % INTERVAL):
            stamp = b"\x10" + varint(int(time.time()) // INTERVAL * INTERVAL * 1000)
            for first in range(0, SERIES, BATCH):
                rows = []
                for number in range(first, min(first + BATCH, SERIES)):
                    value = b"\x09" + struct.pack("<d", self.rounds * (1 + number % 20))
                    rows.append(field(1, self.labels[number] + field(2, value + stamp)))
                body = snappy(b"".join(rows))
                for connection in connections:
                    connection.request("POST", "/api/v1/write", body, HEADERS)
                    reply = connection.getresponse()
                    expect(reply.status < 300, f"{reply.status}: {reply.read()}")
                    reply.read()
            self.rounds += 1


class VictoriaMetrics(Process):
    def __init__(self, folder):
        folder.mkdir()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        super().__init__(folder, ["victoria-metrics", f"-storageDataPath={folder}/data", f"-httpListenAddr=127.0.0.1:{self.port}"])

    def ready(self):
        try:
            return urllib.request.urlopen(self.url + "/health", timeout=5).status == 200
        except OSError:
            return False


class Vmalert(VictoriaMetrics):
    """Reads from the one and writes to it; notifies nobody who is there."""

    def __init__(self, folder, rules, store):
        super().__init__(folder)
        self.command = ["vmalert", f"-rule={rules}", f"-datasource.url={store.url}", f"-remoteWrite.url={store.url}",
                        f"-remoteRead.url={store.url}", "-notifier.url=http://127.0.0.1:1", f"-httpListenAddr=127.0.0.1:{self.port}"]


def cpu_seconds(pids):
    """Of all of them together."""
    total = 0
    for pid in pids:
        user, system = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
        total += (int(user) + int(system)) / 100
    return total


def measure(pids, feed):
    """Processor time of each over INTERVALS intervals, and how long they took."""
    begun = feed.rounds
    wait_until(lambda: feed.rounds > begun, 600, "an interval")
    before, at, first = [cpu_seconds(pid) for pid in pids], time.monotonic(), feed.rounds
    wait_until(lambda: feed.rounds >= first + INTERVALS, INTERVAL * INTERVALS * 3 + 60, "intervals")
    took = time.monotonic() - at
    return [(cpu_seconds(pid) - was) / took * INTERVAL for pid, was in zip(pids, before)]


def main():
    with temporary_folder() as folder, contextlib.ExitStack() as stack:
        rules = folder / "rules.yml"
        rules.write_text("groups: []\n")
        with Prometheus(folder / "prometheus", [rules]) as prometheus, VictoriaMetrics(folder / "vm") as victoria, \
                Server(folder / "data", "--host-metrics", "off", "--rules-files", str(rules)) as server:
            pids = [[server.process.pid], [prometheus.process.pid], [victoria.process.pid]]
            feed = Feed([server.port, prometheus.port, victoria.port])
            feed.start()
            # Until a minute's rate is there.
            wait_until(lambda: feed.rounds > max(2, 60 // INTERVAL), 600, "the first rounds")
            without = measure(pids, feed)
            rules.write_text(rules_text())
            # Both read their rules again.
            server.process.send_signal(1)
            prometheus.process.send_signal(1)
            wait_until(lambda: len(server.request("GET", "/api/v1/rules?exclude_alerts=true").json()["data"]["groups"]) > 0, what="our rules")
            wait_until(lambda: len(prometheus.get("/api/v1/rules")["data"]["groups"]) > 0, what="their rules")
            vmalert = stack.enter_context(Vmalert(folder / "vmalert", rules, victoria))
            pids[2].append(vmalert.process.pid)
            # The first evaluations make series.
            began = feed.rounds
            wait_until(lambda: feed.rounds > began + 2, 600, "the first evaluations")
            missed = missed_of(server)
            with_rules = measure(pids, feed)
            missed = missed_of(server) - missed
            health = [rule["health"] for group in server.request("GET", "/api/v1/rules?exclude_alerts=true").json()["data"]["groups"]
                      for rule in group["rules"]]
            feed.over.set()
            feed.join()
        ours, theirs, victorias = (b - a for a, b in zip(without, with_rules))
        print(f"{RULES} rules, {SERIES} series, each {INTERVAL} s: processor time of an interval without and with rules: "
              f"ours {without[0]:.3f} s, {with_rules[0]:.3f} s; Prometheus {without[1]:.3f} s, {with_rules[1]:.3f} s; "
              f"VictoriaMetrics with vmalert {without[2]:.3f} s, {with_rules[2]:.3f} s")
        print(f"one evaluation of all rules: ours {ours:.3f} s, Prometheus {theirs:.3f} s, ratio {ours / theirs:.2f}; "
              f"VictoriaMetrics with vmalert {victorias:.3f} s, ratio {ours / victorias:.2f}")
        print(f"missed by ours: {missed}; rules that are ok: {health.count('ok')} of {len(health)}")


def missed_of(server):
    return sum(float(line.rsplit(" ", 1)[1]) for line in server.request("GET", "/metrics").body.decode().splitlines()
               if line.startswith("tidemark_rule_missed_total"))


if __name__ == "__main__":
    main()
