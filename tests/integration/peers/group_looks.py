"""When groups of alerts were looked at, what was seen then and what of it was muted: as Alertmanager and as we write it into the
log at the level debug.

Alertmanager 0.25 logs each look (dispatch/dispatch.go, aggrGroup.flush) with the state of each alert, and each alert as it comes
in (Dispatcher.run), but not what is inhibited. That follows from the alerts that had come in by then: an alert is inhibited
while one that fires matches the source of a rule, is alike in its labels, and is let go of then, resolved or not
(notify/notify.go, MuteStage; inhibit/inhibit.go, Inhibitor.Mutes).
"""
import calendar
import collections
import re
import time

Look = collections.namedtuple("Look", "at group alerts")  # alerts: by fingerprint, (state, muted); muted None: it may be or not
THEIRS = re.compile(r'^ts=(\S+) .*component=dispatcher aggrGroup="((?:[^"\\]|\\.)*)" msg=flushing alerts="?\[(.*)\]"?$')
RECEIVED = re.compile(r'^ts=(\S+) .*msg="Received alert" alert=\w+\[(\w+)\]\[(\w+)\]$')
OURS = re.compile(r'^(\d{4}-\d\d-\d\d[T ]\S+) .*looked at the group (.*) for \S+?:((?: \w+\[\w+\](?:\[[^\]]+\])+)*)$')
ALERT = re.compile(r"\w+\[(\w{7})\w*\]\[(active|resolved)\](?:\[([^\]]+)\])?")
# Of two threads of Alertmanager one may be this late.
LATE = 0.3


def fingerprint(labels):
    """As both write it in short: seven digits."""
    value = 14695981039346656037
    for name, text in sorted(labels.items()):
        for byte in f"{name}\xff{text}\xff".encode("latin-1"):
            value = (value ^ byte) * 1099511628211 % 2**64
    return f"{value:016x}"[:7]


def seconds(stamp):
    whole, _, rest = stamp.replace(" ", "T").rstrip("Z").partition(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + float("0." + (re.match(r"\d*", rest)[0] or "0"))


def of_alertmanager(log, sources):
    """`sources`: the fingerprints of the alerts that inhibit a fingerprint."""
    came, looks = collections.defaultdict(list), []
    for line in log.splitlines():
        if match := RECEIVED.match(line):
            came[match[2]].append((seconds(match[1]), match[3] == "active"))
        elif match := THEIRS.match(line):
            looks.append((seconds(match[1]), match[2].replace('\\"', '"').replace("\\\\", "\\"), match[3]))

    def fires(at, source):
        return next((active for when, active in reversed(came[source]) if when <= at), False)

    def muted(at, alert):
        around = {any(fires(at + late, source) for source in sources(alert)) for late in (-LATE, 0, LATE)}
        return around.pop() if len(around) == 1 else None
    return [Look(at, group, {alert: (state, muted(at, alert)) for alert, state, _ in ALERT.findall(text)}) for at, group, text in looks]


def of_ours(log):
    return [Look(seconds(match[1]), match[2], {alert: (state, bool(why)) for alert, state, why in ALERT.findall(match[3])})
            for match in map(OURS.match, log.splitlines()) if match]
