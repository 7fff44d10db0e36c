#!/usr/bin/env python3
"""How many pages questions over rollup tiers read, where raw rows are gone, beside rows that are still there, and on both sides of the
border; of two builds side by side, or of one:

    tests/bench/tier_pages.py BIN_FOLDER_A [BIN_FOLDER_B] [--hosts 40] [--every 1] [--all]

Both get the same rows and are asked the same questions. gdb stops each server where it reads a page and writes down which; nothing in the
server counts for it. Printed are the questions for which the builds differ in pages (all of them with --all), their sums by kind of page,
the questions that only one of the builds answers, which have no part in the sums, and of each build how often a question read a page that
it had read already, and a page of a partition in which none of its windows has a time.
"""
import argparse
import math
import pathlib
import random
import re
import struct
import subprocess
import sys
import time
import urllib.parse

parser = argparse.ArgumentParser()
parser.add_argument("a", type=pathlib.Path)
parser.add_argument("b", type=pathlib.Path, nargs="?")
parser.add_argument("--hosts", type=int, default=40)
parser.add_argument("--every", type=int, default=1, help="ask each Nth question only")
parser.add_argument("--all", action="store_true")
options = parser.parse_args()
sys.argv[1:] = [str(options.a)]
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
import harness  # noqa: E402
from harness import Server, expect, expect_equal, temporary_folder, wait_until  # noqa: E402

DAY, HOUR, MINUTE = 86_400, 3_600, 60
STEP = 30
DAYS = 6
# Midnight: partitions are days.
TODAY = int(time.time()) // DAY * DAY
BEGIN = TODAY - DAYS * DAY
BORDER = TODAY - 2 * DAY  # rows before it are gone

# Each time that GetPage is called the key of the page is written. Those of small epochs have a prefix.
KEY_BYTES, START_AT, TIER_AT = 37, 4, 20
GDB = """
import gdb
out = open({path!r}, "a", buffering=1)
class Stop(gdb.Breakpoint):
    def stop(self):
        frame = gdb.newest_frame()
        size, data = (int(frame.read_register(name)) for name in ("rcx", "r8"))
        key = gdb.selected_inferior().read_memory(data, size).tobytes()
        out.write(key[-{bytes}:].hex() + "\\n")
        return False
gdb.execute("set pagination off")
gdb.execute("set breakpoint pending off")
Stop("*(long)&{symbol}")
print("counting", flush=True)
gdb.execute("continue")
"""


def symbol_of(program):
    """The name that the linker knows RocksStore::GetPage by."""
    for line in subprocess.run(["nm", program], capture_output=True, text=True, check=True).stdout.splitlines():
        if "RocksStore7GetPage" in line and " T " in line.upper() and ".cold" not in line:
            return line.split()[-1]
    raise SystemExit(f"{program} has no symbols")


class Counted:
    """A server under gdb."""

    def __init__(self, folder, programs):
        harness.BIN = programs
        self.server = Server(folder / "data", "--host-metrics", "off")
        self.server.start()
        self.path = folder / "pages"
        self.path.touch()
        self.seen = 0
        self.script = folder / "count.py"
        self.script.write_text(GDB.format(bytes=KEY_BYTES, path=str(self.path), symbol=symbol_of(programs / "tidemarkd")))
        self.gdb = None

    def count(self):
        self.gdb = subprocess.Popen(["gdb", "-nx", "-batch", "-p", str(self.server.process.pid), "-x", str(self.script)],
                                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        said = []
        for line in self.gdb.stdout:
            said.append(line)
            if line.startswith("counting"):
                return
        raise SystemExit("gdb does not count:\n" + "".join(said[-20:]))

    def pages(self):
        """Keys of the pages that were read since the last call."""
        with open(self.path) as lines:
            lines.seek(self.seen)
            text = lines.read()
        self.seen += len(text)
        return [bytes.fromhex(line) for line in text.split()]

    def stop(self):
        if self.gdb:
            self.gdb.terminate()
            self.gdb.wait()
        self.server.kill()


def admin(server, path, *parameters):
    reply = server.request("POST", f"/api/v1/admin/{path}?{urllib.parse.urlencode([('db', 'tiers'), *parameters])}", timeout=600)
    expect_equal(reply.status, 200, f"{path}: {reply.body}")
    return reply


def lines_of(host, begin, end, chance):
    total, level = 1000 * host, 50.0
    out = []
    for at in range(begin, end, STEP):
        total = 0 if chance.random() < 0.0003 else total + chance.randrange(7)
        level += chance.gauss(0, 1)
        out.append(f"m,host=h{host:03} total={total}i,level={level:.2f},free={math.sin(at) * host:.17g},up={'tf'[total % 2]} {at}000000000")
    return out


def load(server):
    chance = random.Random(1)
    for host in range(options.hosts):
        lines = lines_of(host, BEGIN, TODAY, chance)
        for at in range(0, len(lines), 20_000):
            expect_equal(server.write("\n".join(lines[at:at + 20_000]), db="tiers").status, 204, "a write")
        if host == 0:
            admin(server, "rollup", ("tier", "5m:inf"), ("tier", "1h:inf"))
    admin(server, "checkpoint")
    admin(server, "retention", ("keep", f"{int(time.time()) - BORDER + 60}s"))
    admin(server, "compact")

    def gone():
        """Whether raw rows before the border are gone, and no others."""
        answer = server.request("GET", "/api/v1/query?" + urllib.parse.urlencode(
            {"db": "tiers", "query": "count_over_time(m_total{host='h000'}[8d])", "resolution": "raw", "time": TODAY})).json()
        return float(answer["data"]["result"][0]["value"][1]) <= 2 * DAY / STEP

    wait_until(gone, 600, "retention")


FUNCTIONS = {
    "rate": ("rate(m_total{}[{w}])", "m_total"), "increase": ("increase(m_total{}[{w}])", "m_total"),
    "avg": ("avg_over_time(m_level{}[{w}])", ""), "sum": ("sum_over_time(m_total{}[{w}])", ""),
    "min": ("min_over_time(m_level{}[{w}])", ""), "max": ("max_over_time(m_level{}[{w}])", ""),
    "count": ("count_over_time(m_total{}[{w}])", ""), "first": ("first_over_time(m_level{}[{w}])", ""),
    "last": ("last_over_time(m_level{}[{w}])", ""), "present": ("present_over_time(m_up{}[{w}])", ""),
    "quantile": ("quantile_over_time(0.9, m_level{}[{w}])", ""), "avg of doubles": ("avg_over_time(m_free{}[{w}])", ""),
    "selector": ("m_level{}", ""),
}
WINDOWS = ("30s", "2m", "5m", "7m", "1h", "100m", "1d")
PLACES = {"gone": BEGIN + 3 * DAY, "border": BORDER + HOUR, "rows": BORDER + DAY + 5 * HOUR}
SERIES = {"one": '{host="h007"}', "some": '{host=~"h00.*"}', "all": ""}


def questions():
    """(name, route's parameters)."""
    for name, (text, _) in FUNCTIONS.items():
        for window in WINDOWS if name != "selector" else ("1h",):
            for place, at in PLACES.items():
                for which, matcher in SERIES.items():
                    expression = text.replace("{}", matcher).replace("{w}", window)
                    for odd in (0, 137):
                        label = f"{name} {window} {place} {which} {'aligned' if not odd else 'odd'}"
                        yield f"{label} instant", {"query": expression, "time": at + odd}
                        step = {"1d": HOUR}.get(window, 5 * MINUTE)
                        yield f"{label} range", {"query": expression, "start": at + odd - 6 * HOUR, "end": at + odd, "step": step,
                                                 "nocache": 1}


def ask(counted, parameters):
    """Pages, and whether there is an answer; the rows of the answer."""
    route = "query_range" if "start" in parameters else "query"
    counted.pages()
    reply = counted.server.request("GET", f"/api/v1/{route}?{urllib.parse.urlencode({'db': 'tiers', **parameters})}", timeout=600)
    answer = reply.json()
    values = sum(len(row.get("values", [1])) for row in answer["data"]["result"]) if answer["status"] == "success" else 0
    return counted.pages(), values


def kinds(pages):
    names = {0: "rows", 255: "directory"}
    out = {}
    for tier in (page[TIER_AT] for page in pages):
        name = names.get(tier, f"sketches {tier - 128}" if tier > 128 else f"tier {tier}")
        out[name] = out.get(name, 0) + 1
    return out


def beside(pages, parameters):
    """Pages of partitions, a day each, in which no window of the question has a time; a selector looks back for an hour at most."""
    window = re.search(r"\[(\w+)\]", parameters["query"])
    length = max(HOUR, sum(int(n) * {"s": 1, "m": MINUTE, "h": HOUR, "d": DAY}[unit]
                           for n, unit in re.findall(r"(\d+)(\w)", window.group(1)))) if window else HOUR
    first = parameters.get("start", parameters.get("time")) - length
    last = parameters.get("end", parameters.get("time"))
    starts = (struct.unpack(">Q", page[START_AT:START_AT + 8])[0] - (1 << 63) for page in pages)
    return sum(start // 10**9 > last or start // 10**9 + DAY < first for start in starts)


def main():
    with temporary_folder() as folder:
        builds = []
        for name, programs in (("a", options.a), ("b", options.b)):
            if programs is None:
                continue
            (folder / name).mkdir()
            builds.append(Counted(folder / name, programs))
        try:
            for build in builds:
                load(build.server)
                build.count()
            compare(builds)
        finally:
            for build in builds:
                build.stop()


def compare(builds):
    asked = more = fewer = 0
    sums = [{} for _ in builds]
    twice, far = [0] * len(builds), [0] * len(builds)
    only = []
    for label, parameters in list(questions())[::options.every]:
        # Once before: directories, which are read once and kept, are not counted.
        for build in builds:
            ask(build, parameters)
        pages, values = zip(*(ask(build, parameters) for build in builds))
        if (values[0] == 0) != (values[-1] == 0) or values[-1] > 1.02 * values[0]:
            only.append(f"{label}: {values[0]} values of {len(pages[0])} pages -> {values[-1]} of {len(pages[-1])}")
            continue
        asked += 1
        more += len(pages[-1]) > len(pages[0])
        fewer += len(pages[-1]) < len(pages[0])
        for i, read in enumerate(pages):
            for kind, count in kinds(read).items():
                sums[i][kind] = sums[i].get(kind, 0) + count
            again, aside = len(read) - len(set(read)), beside(read, parameters)
            twice[i] += again
            far[i] += aside
            if (again or aside) and len(builds) == 1:
                print(f"{label}: {kinds(read)}, {again} read again, {aside} of other days", flush=True)
        if len(pages[0]) != len(pages[-1]) or options.all:
            print(f"{label}: {kinds(pages[0])} -> {kinds(pages[-1])}", flush=True)
    expect(asked > 0, "nothing was compared")
    if len(builds) > 1:
        print(f"\n{len(only)} questions to which one of the builds has fewer values:", *only, sep="\n  ")
        print(f"\n{asked} questions: B reads more for {more}, fewer for {fewer}")
    for kind in sorted({kind for total in sums for kind in total}):
        print(f"  {kind:24}", *(f"{total.get(kind, 0):8}" for total in sums))
    for name, counts in (("all", [sum(total.values()) for total in sums]), ("read again", twice), ("of other days", far)):
        print(f"  {name:24}", *(f"{count:8}" for count in counts))


main()
