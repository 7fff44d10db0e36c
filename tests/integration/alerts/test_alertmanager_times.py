"""Who is told what, in which order: the same alerts and silences at the same times to Debian's Alertmanager and to ours, which
tells as that one does. Many timelines (peers/alert_timelines.py, alert_timeline_edges.py) run at once, each with receivers of its own."""
import json
import pathlib
import shutil
import sys
import threading
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import Server, expect, run_tests, temporary_folder  # noqa: E402
from peers import alert_timeline_edges as edges  # noqa: E402
from peers.alert_sink import AlertSink  # noqa: E402
from peers.alert_timelines import EACH, END, WAIT, intervals, timelines  # noqa: E402
from peers.prometheus_pair import Alertmanager  # noqa: E402

CONFIG = """
route:
  receiver: nobody
  group_by: [case]
  group_wait: {wait}s
  group_interval: {each}s
  repeat_interval: 1h
  routes:
{routes}
receivers:
- {{name: nobody}}
{receivers}
inhibit_rules:
- {{source_matchers: [sev=hi], target_matchers: [sev=lo], equal: [case, zone]}}
- {{source_matchers: [sev=hi, also=lo], target_matchers: [also=lo], equal: [case]}}
{inhibit}
time_intervals:
{intervals}
"""
NOW = time.time()
TIMELINES = timelines(NOW) | edges.timelines()


def config(url):
    routes = "".join(f"  - {{receiver: {name}, matchers: [case={name}]{more}}}\n" for name, (more, _, _) in TIMELINES.items())
    receivers = "".join(f"- {{name: {name}, webhook_configs: [{{url: '{url}/{name}'{more.replace('URL', f'{url}/{name}')}}}]}}\n" for name, (_, more, _) in TIMELINES.items())
    named = "".join(f"- {{name: {name}, time_intervals: [{text}]}}\n" for name, text in {**intervals(NOW), **edges.intervals()}.items())
    return CONFIG.format(wait=WAIT, each=EACH, routes=routes, receivers=receivers, intervals=named, inhibit=edges.INHIBIT)


def stamp(at):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f".{int(at % 1 * 1000):03}Z"


def request(method, port, target, body=None):
    asked = urllib.request.Request(f"http://127.0.0.1:{port}/api/v2/{target}", None if body is None else json.dumps(body).encode(),
                                   {"Content-Type": "application/json"}, method=method)
    return urllib.request.urlopen(asked, timeout=30).read()


def send(port, case, what, begun, silences):
    """`silences`: the ids and starts of those that the timeline has made on this server."""
    if "expire" in what:
        request("DELETE", port, f"silence/{silences[what['expire']][0]}")
    elif "silence" in what:
        start = stamp(time.time()) if what["start"] is None else stamp(begun + what["start"])
        body = {"matchers": [what["silence"], {"name": "case", "value": case, "isRegex": False}], "startsAt": start,
                "endsAt": stamp(begun + what["until"]), "createdBy": "a", "comment": "b"}
        if what["number"] is not None:
            body["id"], body["startsAt"] = silences[what["number"]]
        silences.append((json.loads(request("POST", port, "silences", body))["silenceID"], body["startsAt"]))
    else:
        one = {"labels": {**what["labels"], "case": case}, "startsAt": stamp(begun + what["starts"]), "annotations": what["annotations"]}
        if what["ended"] or what["ends"] is not None:
            one["endsAt"] = stamp(time.time() if what["ended"] else begun + what["ends"])
        request("POST", port, "alerts", [one])


def play(case, ports, begun, faults):
    silences = {port: [] for port in ports}
    try:
        for second, what in TIMELINES[case][2]:
            time.sleep(max(0.0, begun + second - time.time()))
            for port in ports:
                send(port, case, what, begun, silences[port])
    except Exception as error:  # told of by the test
        faults.append(f"{case}: {error}")


def told(sink, case):
    return [(message["groupKey"], message["status"], message["truncatedAlerts"],
             [(one["labels"]["alertname"], one["labels"].get("team"), one["status"], one["annotations"]) for one in message["alerts"]])
            for path, message in sink.messages if path == f"/{case}"]


def play_all(names, at_once):
    """Of each of them that differs, what was told: ours, theirs; and how many messages came."""
    differences, count = {}, 0
    with temporary_folder() as folder, AlertSink() as theirs, AlertSink() as ours:
        (folder / "ours.yml").write_text(config(ours.url))
        with Alertmanager(folder / "am", config(theirs.url)) as manager, \
                Server(folder / "data", "--host-metrics", "off", "--notify-config", str(folder / "ours.yml"), "--notify-as-alertmanager", "on") as server:
            faults = []
            for first in range(0, len(names), at_once):
                some, begun = names[first:first + at_once], time.time() + 0.5
                players = [threading.Thread(target=play, args=(case, [server.port, manager.port], begun, faults)) for case in some]
                for player in players:
                    player.start()
                for player in players:
                    player.join()
                # Until then nothing more is to come: that nobody is told is an answer too.
                time.sleep(max(0.0, begun + END - time.time()))
                for case in some:
                    mine, yours = told(ours, case), told(theirs, case)
                    count += len(yours)
                    if sorted_groups(mine) != sorted_groups(yours):
                        differences[case] = f"{case}:\n    ours   {mine}\n    theirs {yours}"
            expect(not faults, str(faults))
    return differences, count


def test_the_same_messages_in_the_same_order():
    expect(shutil.which("prometheus-alertmanager"), "prometheus-alertmanager is missing: tools/dev/setup test")
    names = list(TIMELINES)
    differences, count = play_all(names, 50)
    expect(count > len(names), f"only {count} messages")
    # A busy machine is late, here or there: what differs is played anew, with fewer others at the same time.
    for at_once in (10, 4):
        if differences:
            print(f"anew, {at_once} at a time: {', '.join(differences)}", flush=True)
            differences, _ = play_all(list(differences), at_once)
    expect(not differences, f"{len(differences)} of {len(names)} differ:\n" + "\n".join(differences.values()))
    print(f"{len(names)} timelines, {count} messages")


def sorted_groups(messages):
    """Groups come in any order, messages of one in theirs."""
    return sorted(messages, key=lambda message: message[0])


if __name__ == "__main__":
    run_tests(globals())
