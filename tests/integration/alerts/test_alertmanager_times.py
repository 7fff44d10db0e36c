"""Who is told what, in which order: the same alerts and silences at the same times to Debian's Alertmanager and to ours, which
tells as that one does. All timelines run at once, each with receivers of its own."""
import json
import pathlib
import shutil
import sys
import threading
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import Server, expect, run_tests, temporary_folder  # noqa: E402
from peers.alert_sink import AlertSink  # noqa: E402
from peers.prometheus_pair import Alertmanager  # noqa: E402

WAIT, EACH, END = 1, 3, 17  # seconds: group_wait, group_interval, and when all is over


def alert(name, ended=False, **labels):
    return {"labels": {"alertname": name, **labels}, "ended": ended}


def silence(name, until):
    return {"silence": name, "until": until}


A, B = alert("A"), alert("B")
GONE = alert("A", ended=True)
# Name to more keys of the route, more of the receiver, and [(second, what)...]. Nothing happens when a group is looked at:
# at 1, 4, 7, 10 and 13 s after its first alert.
TIMELINES = {
    "fires": ("", "", [(0, A)]),
    "ends": ("", "", [(0, A), (5.5, GONE)]),
    "ends_before_anybody_is_told": ("", "", [(0, A), (0.3, GONE)]),
    "two_together": ("", "", [(0, A), (0.3, B)]),
    "another_joins": ("", "", [(0, A), (5.5, B)]),
    "one_of_two_ends": ("", "", [(0, A), (0.3, B), (5.5, GONE)]),
    "both_end": ("", "", [(0, A), (0.3, B), (5.5, GONE), (5.6, alert("B", ended=True))]),
    "one_ends_as_another_joins": ("", "", [(0, A), (5.5, GONE), (5.6, B)]),
    "ends_and_fires_anew": ("", "", [(0, A), (5.5, GONE), (8.5, A)]),
    "ends_and_fires_between_two_looks": ("", "", [(0, A), (5.0, GONE), (5.8, A)]),
    "resolves_are_not_told": ("", ", send_resolved: false", [(0, A), (5.5, GONE), (11.5, A)]),
    "repeats": (", repeat_interval: 5s", "", [(0, A)]),
    "told_again_and_again": ("", "", [(0, A), (2, A), (5.5, A), (8.5, A)]),
    "by_a_label": (", group_by: [team]", "", [(0, alert("A", team="x")), (0.2, alert("B", team="x")), (0.3, alert("A", team="y"))]),
    "by_all_labels": (", group_by: ['...']", "", [(0, alert("A", team="x")), (0.2, alert("A", team="y"))]),
    "a_label_that_is_missing": (", group_by: [team]", "", [(0, A), (0.3, B)]),
    "silenced": ("", "", [(0, silence("A", 60)), (0.3, A), (0.4, B)]),
    "silenced_once_told": ("", "", [(0, A), (5.5, silence("A", 60)), (5.6, B)]),
    "silenced_and_ended": ("", "", [(0, A), (5.5, silence("A", 60)), (8.5, GONE)]),
    "a_silence_ends": ("", "", [(0, silence("A", 5.5)), (0.3, A)]),
    "inhibited": ("", "", [(0, alert("Source", sev="hi")), (0.2, alert("A", sev="lo"))]),
    "inhibited_once_told": ("", "", [(0, alert("A", sev="lo")), (5.5, alert("Source", sev="hi"))]),
    "an_inhibition_ends": ("", "", [(0, alert("Source", sev="hi")), (0.2, alert("A", sev="lo")), (5.5, alert("Source", ended=True, sev="hi"))]),
    "never": (", mute_time_intervals: [always]", "", [(0, A)]),
    "always": (", active_time_intervals: [always]", "", [(0, A)]),
    "outside": (", active_time_intervals: [never]", "", [(0, A)]),
    "not_muted": (", mute_time_intervals: [never]", "", [(0, A)]),
    "within_a_route": (", routes: [{matchers: [team=~\"x|y\"], group_by: [team], continue: true}, {match: {team: x}}]", "",
                       [(0, alert("A", team="x")), (0.2, alert("A", team="z"))]),
}
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
inhibit_rules: [{{source_matchers: [sev=hi], target_matchers: [sev=lo], equal: [case]}}]
time_intervals:
- {{name: always, time_intervals: [{{times: [{{start_time: '00:00', end_time: '24:00'}}]}}]}}
- {{name: never, time_intervals: [{{years: ['1999']}}]}}
"""


def config(url):
    routes = "".join(f"  - {{receiver: {name}, matchers: [case={name}]{more}}}\n" for name, (more, _, _) in TIMELINES.items())
    receivers = "".join(f"- {{name: {name}, webhook_configs: [{{url: '{url}/{name}'{more}}}]}}\n" for name, (_, more, _) in TIMELINES.items())
    return CONFIG.format(wait=WAIT, each=EACH, routes=routes, receivers=receivers)


def stamp(at):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f".{int(at % 1 * 1000):03}Z"


def send(port, case, what, begun):
    if "silence" in what:
        target, body = "silences", {"matchers": [{"name": "alertname", "value": what["silence"], "isRegex": False},
                                                 {"name": "case", "value": case, "isRegex": False}],
                                    "startsAt": stamp(time.time()), "endsAt": stamp(begun + what["until"]), "createdBy": "a", "comment": "b"}
    else:
        target, body = "alerts", [{"labels": {**what["labels"], "case": case}, "startsAt": stamp(begun)}]
        if what["ended"]:
            body[0]["endsAt"] = stamp(time.time())
    request = urllib.request.Request(f"http://127.0.0.1:{port}/api/v2/{target}", json.dumps(body).encode(), {"Content-Type": "application/json"})
    urllib.request.urlopen(request, timeout=30).read()


def play(case, ports, begun, faults):
    try:
        for second, what in TIMELINES[case][2]:
            time.sleep(max(0.0, begun + second - time.time()))
            for port in ports:
                send(port, case, what, begun)
    except Exception as error:  # told of by the test
        faults.append(f"{case}: {error}")


def told(sink, case):
    return [(message["groupKey"].rpartition(":")[2], message["status"],
             [(one["labels"]["alertname"], one["labels"].get("team"), one["status"]) for one in message["alerts"]])
            for path, message in sink.messages if path == f"/{case}"]


def test_the_same_messages_in_the_same_order():
    expect(shutil.which("prometheus-alertmanager"), "prometheus-alertmanager is missing: tools/dev/setup test")
    with temporary_folder() as folder, AlertSink() as theirs, AlertSink() as ours:
        (folder / "ours.yml").write_text(config(ours.url))
        with Alertmanager(folder / "am", config(theirs.url)) as manager, \
                Server(folder / "data", "--host-metrics", "off", "--notify-config", str(folder / "ours.yml"), "--notify-as-alertmanager", "on") as server:
            faults, begun = [], time.time() + 0.5
            players = [threading.Thread(target=play, args=(case, [server.port, manager.port], begun, faults)) for case in TIMELINES]
            for player in players:
                player.start()
            for player in players:
                player.join()
            # Until then nothing more is to come: that nobody is told is an answer too.
            time.sleep(max(0.0, begun + END - time.time()))
        differences = [f"{case}:\n    ours   {told(ours, case)}\n    theirs {told(theirs, case)}" for case in TIMELINES
                       if sorted_groups(told(ours, case)) != sorted_groups(told(theirs, case))]
        expect(not faults, str(faults))
        expect(sum(bool(told(theirs, case)) for case in TIMELINES) > len(TIMELINES) / 2, "most are told of something")
        expect(not differences, f"{len(differences)} of {len(TIMELINES)} differ:\n" + "\n".join(differences))
        print(f"{len(TIMELINES)} timelines, {len(theirs.messages)} messages")


def sorted_groups(messages):
    """Groups come in any order, messages of one in theirs."""
    return sorted(messages, key=lambda message: message[0])


if __name__ == "__main__":
    run_tests(globals())
