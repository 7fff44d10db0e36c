"""Rules, alerts and messages through kills at random moments: while rules are evaluated and while messages are sent.

    test_alert_kills.py [FOLDER OF THE BINARIES] [--full]

One round, with --full thirty. A round kills the server some times, at moments that a seed chooses, while alerts of rules
and of others begin and end and a receiver refuses some of what it gets. A ledger has what the server acknowledged and what
the receiver took. In the end: of each alert that was taken there was a message that it fires, of each that has ended one
that it is resolved, and none that it is resolved while it fires.
"""
import json
import os
import pathlib
import random
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import Server, expect, run_tests, temporary_folder, wait_until  # noqa: E402
from peers.alert_sink import AlertSink  # noqa: E402

ROUNDS = 30 if "--full" in sys.argv else 1
KILLS = 4
HOSTS = 4
# Much less than the four minutes for which a rule's alert is known without being told of again: that it has ended is found
# by the first evaluation after a restart (tools/server/watch/rule_notices.h).
SOON_SECONDS = 60
SEED = int(os.environ.get("TIDEMARK_SEED", str(random.randrange(1 << 30))))
RULES = """groups:
  - name: g
    interval: 200ms
    rules: [{alert: High, expr: 'level > 5'}]
"""
ROUTES = """
route: {receiver: all, group_by: [alertname, host], group_wait: 100ms, group_interval: 300ms, repeat_interval: 1h}
receivers: [{name: all, webhook_configs: [{url: 'URL/all'}]}]
"""


class Ledger(AlertSink):
    """Takes messages, and notes for each alert what it was told, in the order of arrival."""

    def states(self):
        """By labels."""
        told = {}
        for _, message in list(self.messages):
            for alert in message["alerts"]:
                # What the server has to say of itself has no host.
                states = told.setdefault((alert["labels"]["alertname"], alert["labels"].get("host")), [])
                # The same once more: at least once is promised.
                if not states or states[-1] != alert["status"]:
                    states.append(alert["status"])
        return told


def stamp(offset=0.0):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + offset)) + "Z"


def post(server, host, ended):
    """Whether it was acknowledged."""
    alert = {"labels": {"alertname": "Other", "host": host}, "startsAt": stamp(-600)}
    # One that fires does so for long, so that no end of it may come by itself.
    alert["endsAt"] = stamp(-1) if ended else stamp(3600)
    try:
        return server.request("POST", "/api/v2/alerts", json.dumps([alert]), {"Content-Type": "application/json"}, timeout=5).status == 200
    except OSError:
        return False


def level(server, host, value):
    try:
        return server.write(f"level,host={host} value={value} {int(time.time() * 1e9)}").status == 204
    except OSError:
        return False


class Life(threading.Thread):
    """Tells the server each host's level again and again, and of the other alerts until that is acknowledged."""

    def __init__(self, server, hosts):
        super().__init__(daemon=True)
        self.server, self.over = server, threading.Event()
        self.high = {host: True for host in hosts}
        self.owed = {host: False for host in hosts}  # host to whether it has ended; until it is acknowledged
        self.lock = threading.Lock()

    def end(self, host):
        with self.lock:
            self.high[host] = False
            self.owed[host] = True

    def run(self):
        while not self.over.wait(0.05):
            if self.server.port is None:
                continue
            with self.lock:
                highs, owed = dict(self.high), dict(self.owed)
            for host, high in highs.items():
                level(self.server, host, 9 if high else 1)
            for host, ended in owed.items():
                if post(self.server, host, ended):
                    with self.lock:
                        if self.owed.get(host) == ended:
                            del self.owed[host]


def one_round(number, chance):
    with temporary_folder() as folder, Ledger() as ledger:
        (folder / "notify.yml").write_text(ROUTES.replace("URL", ledger.url))
        (folder / "rules.yml").write_text(RULES)
        server = Server(folder / "data", "--host-metrics", "off", "--notify-config", str(folder / "notify.yml"),
                        "--rules-files", str(folder / "rules.yml"))
        hosts = [f"h{i}" for i in range(HOSTS)]
        server.start()
        life = Life(server, hosts)
        life.start()
        ends = hosts[: HOSTS // 2]
        try:
            for kill in range(KILLS):
                ledger.answer = chance.choice([200, 200, 503])
                # The moment is the chance here, so that it is a time and not a condition.
                life.over.wait(chance.uniform(0.05, 1.2))
                if kill == KILLS // 2:
                    # Of those that end everybody has heard, so that the end is owed.
                    ledger.answer = 200
                    wait_until(lambda: all((name, host) in ledger.states() for name in ("High", "Other") for host in ends), what="that they fire")
                    for host in ends:
                        life.end(host)
                    life.over.wait(chance.uniform(0.0, 0.6))
                server.kill()
                server.start()
            ledger.answer = 200
            wait_until(lambda: all(ledger.states().get((name, host)) for name in ("High", "Other") for host in hosts), what=f"all that fire: {ledger.states()}")
            wait_until(lambda: all(ledger.states()[(name, host)][-1] == "resolved" for name in ("High", "Other") for host in ends), SOON_SECONDS,
                       what=f"all of {ends} that have ended")
            told = ledger.states()
        finally:
            life.over.set()
            life.join()
            if server.port is not None:
                server.kill()
        for (name, host), states in sorted((alert, states) for alert, states in told.items() if alert[1]):
            expect(states == (["firing", "resolved"] if host in ends else ["firing"]), f"round {number}: {name} of {host} was told {states}")


def test_kills_lose_no_alert_and_resolve_none():
    print(f"seed {SEED}, {ROUNDS} rounds of {KILLS} kills")
    chance = random.Random(SEED)
    for number in range(ROUNDS):
        one_round(number, chance)


if __name__ == "__main__":
    run_tests(globals())
