"""The same samples by remote write to Prometheus 2.42 and to Tidemark, the same queries to both, every answer compared
value by value: labels, times, values to the last bit, and of failures the code, the type and the words.

  python3 differential.py BIN [--seed N] [--queries N] [--show N]

What Prometheus 3 changed on purpose is in changes.py, each change with the answer that it must give now; operations
whose last digits may differ are in rounding.py, each with how much and why.
"""
import argparse
import collections
import contextlib
import http.client
import json
import math
import pathlib
import random
import re
import shutil
import subprocess
import sys
import threading
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "integration"))
import changes  # noqa: E402
import harness  # noqa: E402
from peers import remote_write  # noqa: E402
import rounding  # noqa: E402
import samples  # noqa: E402
from grammar import COUNTERS, GAUGES, Grammar  # noqa: E402

class Prometheus:
    """Debian's prometheus on a free port, as a receiver of remote write."""

    def __init__(self, folder):
        self.folder = folder
        self.process = None
        self.port = harness.free_port()

    def __enter__(self):
        program = shutil.which("prometheus")
        harness.expect(program, "prometheus is missing: tools/dev/setup test installs it")
        config = self.folder / "prometheus.yml"
        config.write_text("scrape_configs: []\n")
        self.process = subprocess.Popen(
            [program, f"--config.file={config}", f"--storage.tsdb.path={self.folder}/tsdb",
             f"--web.listen-address=127.0.0.1:{self.port}", "--web.enable-remote-write-receiver",
             "--storage.tsdb.retention.time=100y"],
            stdout=subprocess.DEVNULL, stderr=open(self.folder / "prometheus.log", "wb"))
        harness.wait_until(self.ready, what="prometheus")
        return self

    def ready(self):
        with contextlib.suppress(OSError):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            connection.request("GET", "/-/ready")
            return connection.getresponse().status == 200
        return False

    def __exit__(self, *error):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Client:
    """Queries over one connection that stays open."""

    def __init__(self, port, **parameters):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.parameters = parameters

    def query(self, expression, times):
        path = "/api/v1/query_range" if "start" in times else "/api/v1/query"
        form = urllib.parse.urlencode({"query": expression, **times, **self.parameters})
        self.connection.request("POST", path, form, {"Content-Type": "application/x-www-form-urlencoded"})
        reply = self.connection.getresponse()
        return reply.status, json.loads(reply.read())


def words(error):
    """An error without what stands in an order of its own."""
    error = re.sub(r"found duplicate series for the match group .* on the (\w+) hand-side.*", r"duplicates on the \1", error)
    # Prometheus 3 says which parameter could not be parsed.
    return error.removeprefix('invalid parameter "query": ').replace("holt_winters", "double_exponential_smoothing")


def points(series):
    return series["values"] if "values" in series else [series["value"]]


def by_labels(result):
    return {json.dumps(series["metric"], sort_keys=True): points(series) for series in result}


def difference(expression, theirs, ours, close=rounding.close):
    """What is not the same, or None. close(value, value, expression): whether two values as text may stand for one."""
    (their_code, their), (our_code, our) = theirs, ours
    if (their_code, their["status"], their.get("errorType")) != (our_code, our["status"], our.get("errorType")):
        return (f"codes: {their_code} {their.get('errorType')} {their.get('error')}, "
                f"{our_code} {our.get('errorType')} {our.get('error')}")
    if their["status"] == "error":
        if words(their["error"]) != words(our["error"]):
            return f"words: {their['error']}\n       {our['error']}"
        return None
    their, our = their["data"], our["data"]
    if their["resultType"] != our["resultType"]:
        return f"types: {their['resultType']}, {our['resultType']}"
    if their["resultType"] in ("scalar", "string"):
        same = their["result"][0] == our["result"][0] and close(their["result"][1], our["result"][1], expression)
        return None if same else f"values: {their['result']}, {our['result']}"
    if re.match(r"(sort|sort_desc)\(", expression) and their["resultType"] == "vector":
        a, b = [[float(series["value"][1]) for series in data["result"]] for data in (their, our)]
        if not all(close(repr(x), repr(y), expression) for x, y in zip(a, b)):
            return f"order: {a}, {b}"
    a, b = by_labels(their["result"]), by_labels(our["result"])
    if len(b) != len(our["result"]):
        return "two series with the same labels"
    if a.keys() != b.keys():
        return f"labels: only theirs {sorted(a.keys() - b.keys())[:3]}, only ours {sorted(b.keys() - a.keys())[:3]}"
    for labels, want in a.items():
        got = b[labels]
        if [p[0] for p in want] != [p[0] for p in got]:
            only = sorted({p[0] for p in want} ^ {p[0] for p in got})
            return f"times: {labels}: {len(want)} and {len(got)} points, not in both: {only[:5]}"
        for (at, x), (_, y) in zip(want, got):
            if not close(x, y, expression):
                return f"value: {labels} at {at}: {x}, {y}"
    return None


def ours_of(expression):
    """The same query in the names of Prometheus 3."""
    return expression.replace("holt_winters", "double_exponential_smoothing")


Outcome = collections.namedtuple("Outcome", "expression times difference answered same_bits")


def compare(queries, prometheus_port, tidemark_port):
    """[Outcome] in order; two connections to each."""
    out = [None] * len(queries)

    def work(first):
        theirs, ours = Client(prometheus_port), Client(tidemark_port, db="diff")
        for i in range(first, len(queries), 2):
            expression, times = queries[i]
            answer, our_answer = theirs.query(expression, times), ours.query(ours_of(expression), times)
            out[i] = Outcome(expression, times, difference(expression, answer, our_answer),
                             bool(answer[1].get("data", {}).get("result")),
                             difference(expression, answer, our_answer, lambda a, b, _: rounding.same(a, b)) is None)

    threads = [threading.Thread(target=work, args=(first,)) for first in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return out


def write(all_series, prometheus, tidemark):
    for part in samples.slices(all_series):
        for port, target in ((prometheus.port, "/api/v1/write"), (tidemark.port, "/api/v1/write?db=diff")):
            status, body = remote_write.send(port, target, part)
            harness.expect(status in (200, 204), f"port {port}: remote write answers {status}: {body[:500]}")


def check_changes(prometheus_port, tidemark_port):
    """Failures of the list of changes: each must differ from Prometheus 2.42, and be what Prometheus 3 says."""
    theirs, ours = Client(prometheus_port), Client(tidemark_port, db="diff")
    failures = []
    for change in changes.CHANGES:
        times = {"time": change["time"]}
        old, new = theirs.query(change["query"], times), ours.query(change["query"], times)
        got = [p[1] for series in new[1].get("data", {}).get("result", []) for p in points(series)]
        labels = [series["metric"] for series in new[1].get("data", {}).get("result", [])]
        if labels != change.get("labels", labels):
            failures.append(f"{change['query']}: want {change['labels']} ({change['why']}), got {labels}")
        if new[1].get("error") != change.get("error"):
            failures.append(f"{change['query']}: want error {change.get('error')}, got {new[1].get('error')}")
        if len(got) != len(change["now"]) or not all(map(rounding.same, got, change["now"])):
            failures.append(f"{change['query']}: want {change['now']} ({change['why']}), got {got or new}")
        if difference(change["query"], old, new) is None:
            failures.append(f"{change['query']}: not a change: Prometheus 2.42 answers the same")
    return failures


def window_failures(generator, prometheus_port, tidemark_port, count=300):
    """Sums and means of windows to the last bit, from the samples that Prometheus has."""
    theirs, ours = Client(prometheus_port), Client(tidemark_port, db="diff")
    failures = []
    compared = 0
    for _ in range(count):
        selector = f"{generator.choice(GAUGES + COUNTERS)}[{generator.choice(['50s', '2m', '5m', '30m'])}]"
        times = {"time": samples.BASE + 7 + 10 * generator.randrange(60, samples.SPAN // 10)}
        rows = by_labels(theirs.query(selector, times)[1]["data"]["result"])
        for function, expected in (("sum_over_time", rounding.sums), ("avg_over_time", rounding.means)):
            named = f"label_replace({function}({selector}), '__name__', '{selector.split('[')[0]}', '', '')"
            result = ours.query(named, times)
            for labels, values in by_labels(result[1]["data"]["result"]).items():
                texts = [value for _, value in rows[labels]]
                if not all(math.isfinite(float(text)) and abs(float(text)) < 1e300 for text in texts):
                    continue
                compared += 1
                got, want = values[0][1], expected(texts)
                if float(got) not in want:
                    failures.append(f"{function}({selector}) at {times['time']}: {got}, not {want}: {labels}")
    harness.expect(compared > count, f"only {compared} windows were compared")
    return failures


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bin", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=4)
    parser.add_argument("--queries", type=int, default=3000)
    parser.add_argument("--show", type=int, default=20)
    options = parser.parse_args()
    harness.BIN = options.bin
    generator = random.Random(options.seed)
    all_series = samples.make(generator) + changes.series()
    queries = list(Grammar(generator).queries(options.queries))
    with harness.temporary_folder() as folder, Prometheus(folder) as prometheus, \
            harness.Server(folder / "data", "--host-metrics", "off") as tidemark:
        write(all_series, prometheus, tidemark)
        results = compare(queries, prometheus.port, tidemark.port)
        failures = check_changes(prometheus.port, tidemark.port)
        failures += window_failures(generator, prometheus.port, tidemark.port)
    different = [result for result in results if result.difference]
    for result in different[:options.show]:
        print(f"--- {result.expression}\n    {result.times}\n    {result.difference}")
    for failure in failures:
        print(f"--- listed: {failure}")
    exact = [result for result in results if not rounding.named(result.expression)]
    print(f"seed {options.seed}: {len(results) - len(different)} of {len(results)} queries agree, "
          f"{sum(result.answered for result in results)} of them with values, "
          f"{sum(result.same_bits for result in results)} to the last bit, "
          f"of {len(exact)} without an operation of rounding.py {sum(result.same_bits for result in exact)}; "
          f"{len(changes.CHANGES)} listed changes of Prometheus 3, {len(failures)} failures of what is listed")
    sys.exit(1 if different or failures else 0)


if __name__ == "__main__":
    main()
