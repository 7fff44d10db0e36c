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
from peers import group_looks  # noqa: E402
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
        with Alertmanager(folder / "am", ROUTES.replace("URL", theirs.url), "--log.level=debug") as manager, \
                Prometheus(folder / "prom", [rules], manager) as prometheus, \
                Server(folder / "data", "--host-metrics", "off", "--rules-files", str(rules), "--notify-config",
                       str(folder / "ours.yml"), "--notify-as-alertmanager", "on", "--log-level", "debug") as server:
            def get(target):
                return server.request("GET", target).json()
            feed = Feed([prometheus.port, server.port])
            feed.start()
            compared, differences, begun = 0, {}, time.time()
            while time.time() - begun < SECONDS:
                time.sleep(1)
                before = evaluated(get), evaluated(prometheus.get)
                a, b = alerts_of(get), alerts_of(prometheus.get)
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
            mine = Side(messages_of(ours, begun), group_looks.of_ours(log_of(folder / "data.log")), begun)
            yours = Side(messages_of(theirs, begun), group_looks.of_alertmanager(log_of(folder / "am" / "log"), sources_of), begun)
            expect(len(yours.told) > SECONDS / 60, f"only {len(yours.told)} notifications")
            excused = compare_told(mine, yours)
            print(f"compared {compared} times; {len(mine.told)} notifications of ours, {len(yours.told)} of theirs, "
                  f"{excused} told by one alone since the other had not seen it, or had seen it inhibited")


def log_of(path):
    return path.read_text(errors="replace")


ZONE_OF = {group_looks.fingerprint({"alertname": "HighFor", "severity": "warn", "host": f"h{host}", "zone": f"z{host % 3}"}): host % 3
           for host in range(10)}


def sources_of(alert):
    """What inhibits it."""
    return [] if alert not in ZONE_OF else [group_looks.fingerprint({"alertname": "ZoneHigh", "severity": "page", "zone": f"z{ZONE_OF[alert]}"})]


class Side:
    """What one of both told, and when it looked at its groups."""

    def __init__(self, told, looks, begun):
        self.told = told
        self.looks = [look._replace(at=look.at - begun) for look in looks]
        expect(self.looks, "no look at a group is in the log")

    def must_have_told(self, entry):
        """Whether one of its looks at the group, within the time in which it may tell of the same as the other, has seen what the other
        tells of, not muted, and what it had told of last before that look was not that already."""
        at, (_, group), name, status = entry
        alert, state = group_looks.fingerprint(dict(name)), {"firing": "active", "resolved": "resolved"}[status]
        return any(look.group == group and abs(look.at - at) <= ALIKE and look.alerts.get(alert) == (state, False)
                   and self.is_news(look.at, entry) for look in self.looks)

    def is_news(self, at, entry):
        """Whether what it told of an alert last before a time was something else: an end is none if no beginning was told."""
        known = [status for told_at, key, name, status in self.told if told_at < at and (key, name) == entry[1:3]]
        return (known[-1] if known else "resolved") != entry[3]


# What comes just before a look at a group here may come just after it there: a group interval, and an evaluation.
ALIKE = GROUP_INTERVAL + INTERVAL


def compare_told(mine, yours):
    """Each message of one has its like of the other, or the other could not have told: at none of its own looks, of which both
    write down what they saw, was the alert in that state and not inhibited. Alertmanager and ours let go of an end that they see
    while its alert is inhibited, and of what begins and ends between two looks; the looks of both are at different seconds. How many
    were told by one alone for this reason."""
    excused = 0
    for these, those, whose in ((mine, yours, "us"), (yours, mine, "them")):
        alone = [entry for entry in these.told if 60 < entry[0] < SECONDS - GROUP_INTERVAL
                 and not any(entry[1:] == other[1:] and abs(entry[0] - other[0]) <= ALIKE for other in those.told)]
        wrong = [entry for entry in alone if those.must_have_told(entry)]
        excused += len(alone) - len(wrong)
        around = [(side, entry[2], [(round(t, 1), s) for t, key, n, s in side_told.told if (key, n) == entry[1:3]],
                   [(round(look.at, 1), look.alerts.get(group_looks.fingerprint(dict(entry[2])))) for look in side_told.looks
                    if look.group == entry[1][1] and abs(look.at - entry[0]) < 60])
                  for entry in wrong for side, side_told in (("we", mine), ("they", yours))]
        expect_equal(wrong, [], f"told by {whose} alone although the other has seen it; told and looks of both: {around}")
    return excused


if __name__ == "__main__":
    run_tests(globals())
