"""Beside Debian's Prometheus and Alertmanager, on the same data, rules and routing tree: the same alerts, states and times,
and the same notifications in the same groups.

How long is TIDEMARK_SIDE_BY_SIDE_SECONDS (600); the seed of the data TIDEMARK_SEED.
"""
import os
import pathlib
import random
import shutil
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from peers.alert_sink import AlertSink  # noqa: E402
from harness import Server, expect, expect_equal, run_tests, temporary_folder  # noqa: E402
from peers.prometheus_pair import Alertmanager, Prometheus  # noqa: E402
from peers.remote_write import send  # noqa: E402

SECONDS = int(os.environ.get("TIDEMARK_SIDE_BY_SIDE_SECONDS", "600"))
SEED = int(os.environ.get("TIDEMARK_SEED", str(random.randrange(1 << 30))))
FEED_EACH = 2  # seconds
INTERVAL = 5
GROUP_INTERVAL = 10

RULES = """groups:
  - name: first
    interval: 5s
    rules:
      - {record: 'zone:level:avg', expr: avg by (zone) (level)}
      - {alert: High, expr: level > 8, labels: {severity: page, team: "{{ $labels.zone }}"}, annotations: {summary: "{{ $labels.host }}"}}
      - {alert: HighFor, expr: level > 7, for: 15s, labels: {severity: warn}}
  - name: second
    interval: 5s
    rules:
      - {alert: ZoneHigh, expr: 'zone:level:avg > 6', for: 10s, labels: {severity: page}}
      - {alert: Absent, expr: 'absent(level{host="h0"})', labels: {severity: warn}}
  - name: third
    interval: 7s
    rules:
      - {alert: Many, expr: count by (zone) (level > 7) > 2, labels: {severity: warn}}
"""
ROUTES = """
route:
  receiver: all
  group_by: [alertname]
  group_wait: 3s
  group_interval: 10s
  repeat_interval: 5m
  routes:
    - {matchers: ['severity="page"'], receiver: page, group_by: [alertname, zone], continue: true}
    - {matchers: ['severity=~"page|warn"'], receiver: ops}
inhibit_rules: [{source_matchers: [alertname=ZoneHigh], target_matchers: [alertname=HighFor], equal: [zone]}]
receivers:
  - {name: all, webhook_configs: [{url: 'URL/all'}]}
  - {name: page, webhook_configs: [{url: 'URL/page'}]}
  - {name: ops, webhook_configs: [{url: 'URL/ops', send_resolved: true}]}
"""


class Feed(threading.Thread):
    """Levels of ten hosts that wander, to both at the same times."""

    def __init__(self, ports):
        super().__init__(daemon=True)
        self.ports, self.random, self.over = ports, random.Random(SEED), threading.Event()
        self.levels = [self.random.uniform(0, 10) for _ in range(10)]
        self.faults = []

    def run(self):
        while not self.over.wait(FEED_EACH - time.time() % FEED_EACH):
            now = int(time.time()) // FEED_EACH * FEED_EACH * 1000
            rows = []
            for number, level in enumerate(self.levels):
                # Now and then far away, mostly a little.
                step = self.random.choice([0, 0, 0, 0, 0, 0, 0, 0, -5, 5]) + self.random.uniform(-0.5, 0.5)
                self.levels[number] = min(10.0, max(0.0, level + step))
                rows.append(({"__name__": "level", "host": f"h{number}", "zone": f"z{number % 3}"},
                             [(now, self.levels[number])]))
            for port in self.ports:
                status, body = send(port, "/api/v1/write", rows)
                if status >= 300:
                    self.faults.append((port, status, body))


def alerts_of(get):
    """By labels: state and when it became active, without the alerts that the server has of itself."""
    return {tuple(sorted(alert["labels"].items())): (alert["state"], seconds(alert["activeAt"]))
            for alert in get("/api/v1/alerts")["data"]["alerts"]}


def seconds(text):
    """RFC 3339 to the millisecond."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    return (time.mktime(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")), (fraction + "000")[:3])


def evaluated(get):
    """When each group was evaluated last, in seconds, and its interval. Ours is the time of the grid, theirs when it began."""
    out = {}
    for group in get("/api/v1/rules")["data"]["groups"]:
        whole, milliseconds = seconds(group["lastEvaluation"])
        out[group["name"]] = (whole + int(milliseconds) / 1000, group["interval"])
    return out


def same_evaluations(ours, theirs):
    return all(name in theirs and 0 <= theirs[name][0] - at < interval for name, (at, interval) in ours.items())


def messages_of(sink, since):
    """What was told: receiver, group and which alerts begin or end to fire, each with when; repeats left out."""
    told, known = [], {}
    for at, (path, message) in sink.timed:
        key = (path, message["groupKey"])
        for alert in message["alerts"]:
            name = tuple(sorted(alert["labels"].items()))
            if known.get((key, name)) == alert["status"] or (alert["status"] == "resolved" and (key, name) not in known):
                continue
            known[(key, name)] = alert["status"]
            told.append((at - since, key, name, alert["status"]))
    return told


class TimedSink(AlertSink):
    """Notes when each message came."""

    def __init__(self):
        super().__init__()
        self.timed = []
        sink = self

        class Messages(list):
            def append(self, entry):
                sink.timed.append((time.time(), entry))
                super().append(entry)
        self.messages = Messages()


def test_the_same_alerts_and_notifications():
    for program in ("prometheus", "prometheus-alertmanager"):
        expect(shutil.which(program), f"{program} is missing: tools/dev/setup test")
    print(f"seed {SEED}, {SECONDS} s")
    with temporary_folder() as folder, TimedSink() as theirs, TimedSink() as ours:
        rules = folder / "rules.yml"
        rules.write_text(RULES)
        (folder / "ours.yml").write_text(ROUTES.replace("URL", ours.url))
        with Alertmanager(folder / "am", ROUTES.replace("URL", theirs.url)) as manager, \
                Prometheus(folder / "prom", [rules], manager) as prometheus, \
                Server(folder / "data", "--host-metrics", "off", "--rules-files", str(rules), "--notify-config",
                       str(folder / "ours.yml"), "--notify-as-alertmanager", "on") as server:
            def get(target):
                return server.request("GET", target).json()
            feed = Feed([prometheus.port, server.port])
            feed.start()
            compared, differences, begun, inhibiting = 0, {}, time.time(), {}
            while time.time() - begun < SECONDS:
                time.sleep(1)
                before = evaluated(get), evaluated(prometheus.get)
                a, b = alerts_of(get), alerts_of(prometheus.get)
                inhibiting[time.time() - begun] = {dict(labels)["zone"] for labels, (state, _) in {*a.items(), *b.items()}
                                                   if state == "firing" and dict(labels)["alertname"] == "ZoneHigh"}
                # Between two evaluations both have seen the same.
                if not same_evaluations(*before) or before != (evaluated(get), evaluated(prometheus.get)):
                    continue
                compared += 1
                for labels in {*a, *b}:
                    if a.get(labels) != b.get(labels):
                        differences.setdefault(labels, []).append((round(time.time() - begun), a.get(labels), b.get(labels)))
            feed.over.set()
            feed.join()
            expect_equal(feed.faults, [], "writes")
            expect(compared > SECONDS / 10, f"compared only {compared} times: the evaluations are not at the same times")
            # The first of ours after the start is not on the grid.
            late = {labels: found for labels, found in differences.items() if any(at > 60 for at, _, _ in found)}
            expect_equal(late, {}, "alerts that differ: [(second, ours, theirs)...]")
            # What is on its way still comes.
            time.sleep(2 * GROUP_INTERVAL)
            mine, yours = messages_of(ours, begun), messages_of(theirs, begun)
            expect(len(yours) > SECONDS / 60, f"only {len(yours)} notifications")
            compare_told(mine, yours, inhibiting)
            print(f"compared {compared} times; {len(mine)} notifications of ours, {len(yours)} of theirs")


def compare_told(mine, yours, inhibiting):
    """Each that lasted longer than a group interval has its like within one group interval, and an evaluation: what comes
    just before a look at the group here may come just after it there. `inhibiting`: by second, the zones with an alert that
    inhibits."""
    def turns(entry):
        # Both let go of an end that comes while its alert is inhibited. They look at a group at different seconds, so that
        # where the inhibition begins or ends between two looks either may be the one that tells.
        name = dict(entry[2])
        around = [name.get("zone") in zones for at, zones in inhibiting.items() if abs(at - entry[0]) <= GROUP_INTERVAL + INTERVAL]
        return name["alertname"] == "HighFor" and len(set(around)) == 2

    def short(told, entry):
        at, key, name, status = entry
        # Of one that began and ended, or ended and began, between two looks at a group somebody may hear nothing.
        return any(key == k and name == n and s != status and abs(t - at) <= 2 * GROUP_INTERVAL + INTERVAL
                   for t, k, n, s in told)

    def without_like(these, those):
        return [entry for entry in these
                if not any(entry[1:] == other[1:] and abs(entry[0] - other[0]) <= GROUP_INTERVAL + 5 for other in those)
                and not short(these, entry) and not short(those, entry) and not turns(entry) and 60 < entry[0] < SECONDS - GROUP_INTERVAL]

    for alone, whose in ((without_like(mine, yours), "us"), (without_like(yours, mine), "them")):
        about = {entry[1:3] for entry in alone}
        around = [[(round(entry[0], 1), entry[3]) for entry in told if entry[1:3] in about] for told in (mine, yours)]
        expect_equal(alone, [], f"told by {whose} alone; of these alerts we told {around[0]}, they told {around[1]}")


if __name__ == "__main__":
    run_tests(globals())
