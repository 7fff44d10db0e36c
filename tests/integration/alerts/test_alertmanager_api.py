"""The same requests to Alertmanager's API of Debian's Alertmanager and of ours (peers/alertmanager_requests.py, alertmanager_request_edges.py): the same
answers, but for what README.md of tools/server/notify names."""
import datetime
import http.client
import json
import pathlib
import re
import shutil
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import Server, expect, run_tests, temporary_folder, wait_until  # noqa: E402
from peers import alertmanager_request_edges  # noqa: E402
from peers.alertmanager_requests import CONFIG, cases  # noqa: E402
from peers.prometheus_pair import Alertmanager  # noqa: E402

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
STAMP = re.compile(r'"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d))"')


def instant(offset, begun):
    return datetime.datetime.fromtimestamp(begun + offset, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


class Talk:
    """One case against one server."""

    def __init__(self, port, begun):
        self.port, self.begun, self.ids = port, begun, []

    def fill(self, text):
        text = re.sub(r"\$(\d)", lambda match: self.ids[int(match[1]) - 1] if len(self.ids) >= int(match[1]) else match[0], text)
        return re.sub(r"@([+-]\d+)", lambda match: instant(int(match[1]), self.begun), text)

    def step(self, method, target, body, content_type="application/json"):
        text = None if body is None else self.fill(body if isinstance(body, str) else json.dumps(body))
        headers = {"Content-Type": content_type} if body is not None and content_type else {}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, self.fill(target), None if text is None else text.encode(), headers)
            reply = connection.getresponse()
            answer = reply.read().decode()
        except http.client.RemoteDisconnected:
            return None
        finally:
            connection.close()
        if method == "POST" and "silences" in target and reply.status == 200:
            self.ids.append(json.loads(answer)["silenceID"])
        return reply.status, (reply.headers.get("Content-Type") or "").split(";")[0], self.bare(target, answer)

    def bare(self, target, text):
        """Without what differs each time: ids by the order in which they came, times as seconds since the case began."""
        for number, silence_id in enumerate(self.ids):
            text = text.replace(silence_id, f"id{number + 1}")

        def stamp(match):
            at = datetime.datetime.fromisoformat(re.sub(r"\.\d+", lambda m: (m[0] + "00000")[:7], match[1].replace("Z", "+00:00"))).timestamp()
            # What is far away was written so. A loaded machine is seconds late.
            away = 5 * round((at - self.begun) / 5)
            # Alertmanager says it in the zone in which it was sent.
            utc = datetime.datetime.fromtimestamp(at, datetime.timezone.utc)
            return f'"@{away:+}"' if abs(away) < 100_000 else f'"{utc:%Y-%m-%dT%H:%M:%S}"'
        text = STAMP.sub(stamp, text)
        try:
            value = json.loads(text)
        except ValueError:
            return text
        # Silences of earlier cases stay listed.
        if target.startswith("/api/v2/silences?") and isinstance(value, list):
            value = [one for one in value if one["id"].startswith("id")]
        return without_more(value)


# What is behind it are the words of Go's decoder there, and the place here.
DECODER = re.compile(r'(parsing (alerts|silence) body from "" failed, because ).*')
# Two libraries of regular expressions.
PATTERN = re.compile(r'^(silence invalid: invalid label matcher \d: |failed to parse receiver param: |).*(not a regular expression|'
                     r'invalid regular expression|error parsing regexp).*$', re.DOTALL)
# Where we say more, or lose less, on purpose: README.md of tools/server/notify has the reasons.
OURS = {
    "an unknown one is ended": 404,             # there 500
    "an id without hyphens": 404,               # there 500
    "an id in capitals": 404,                   # there 500
}


def without_words(text):
    return PATTERN.sub(r"\1...", DECODER.sub(r"\1...", text))


def without_more(value):
    """Without members that newer Alertmanagers have as well."""
    if isinstance(value, list):
        return [without_more(one) for one in value]
    if isinstance(value, str):
        return without_words(value)
    if isinstance(value, dict):
        # Ids are random, and sorted.
        return {key: sorted(one) if key == "silencedBy" else without_more(one) for key, one in value.items() if key != "mutedBy"}
    return value


def forget(port):
    """Ends all alerts and silences."""
    talk = Talk(port, time.time())
    _, _, alerts = talk.step("GET", "/api/v2/alerts", None)
    if alerts:
        talk.step("POST", "/api/v2/alerts", [{"labels": one["labels"], "startsAt": instant(-1e6, time.time()), "endsAt": instant(-1e5, time.time())} for one in alerts])
    for one in talk.step("GET", "/api/v2/silences", None)[2]:
        if one["status"]["state"] != "expired":
            talk.step("DELETE", f"/api/v2/silence/{one['id']}", None)


def difference_of(name, steps, ports):
    """What differs, as text; None: nothing."""
    forget(ports[0])
    forget(ports[1])
    # An update is of the second in which the silence began, so that the case has most of one for itself.
    if any("$1" in json.dumps(step) for step in steps):
        wait_until(lambda: time.time() % 1 < 0.4, what="the beginning of a second")
    begun = time.time()
    ours, theirs = (Talk(port, begun) for port in ports)
    for step in steps:
        mine, yours = ours.step(*step), theirs.step(*step)
        # What an alert does to groups and to others comes a little later there.
        end = time.monotonic() + 2
        while mine != yours and step[0] == "GET" and time.monotonic() < end:
            time.sleep(0.02)
            yours = theirs.step(*step)
        if yours is None:
            # It has panicked.
            expect(mine is not None and 400 <= mine[0] < 500, f"{name}: {mine}")
        elif step[0] == "DELETE" and name in OURS and yours[0] == 500:
            expect(mine[0] == OURS[name], f"{name}: {mine}")
        elif mine[0] == yours[0] and yours[0] in (404, 405):
            continue  # the words of the server, not of Alertmanager
        elif mine != yours:
            return f"{name}: {step[0]} {step[1]} {step[2] if isinstance(step[2], str) else json.dumps(step[2])}\n    ours   {mine}\n    theirs {yours}"
    return None


def test_the_answers_are_those_of_alertmanager():
    expect(shutil.which("prometheus-alertmanager"), "prometheus-alertmanager is missing: tools/dev/setup test")
    with temporary_folder() as folder:
        (folder / "notify.yml").write_text(CONFIG)
        with Alertmanager(folder / "am", CONFIG) as theirs, \
                Server(folder / "data", "--host-metrics", "off", "--notify-config", str(folder / "notify.yml")) as ours:
            all_cases = cases() | alertmanager_request_edges.cases()
            differences = []
            for name, steps in all_cases.items():
                if text := difference_of(name, steps, [ours.port, theirs.port]):
                    differences.append(text)
                    print(text, flush=True)
            print(f"{len(all_cases)} cases")
            expect(not differences, f"{len(differences)} differ")


if __name__ == "__main__":
    run_tests(globals())
