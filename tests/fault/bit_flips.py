"""Damage of every kind in every kind of file of a data directory: a flipped bit, a file that is cut, gone, or an old copy.

The server starts, and serves: every query answers exactly as before, or it says in its reply (an error or a warning) what it
could not read and shows nothing but true points. Never a wrong answer, never a crash, and damage that costs something is found
by `verify`. A server that is read-only changes no file. After `tidemark admin repair` it starts and takes writes; exit code 0
means that nothing is missing. What is true is kept apart from the server: it is computed here, not read from it.

  bit_flips.py BIN_FOLDER [--flips N] [--seed N] [--only PART_OF_A_FILE_NAME] [--act flip|cut|remove|old]
"""
import hashlib
import pathlib
import random
import re
import shutil
import subprocess
import sys
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from harness import BIN, Failed, Server, expect, expect_equal, run_random, temporary_folder  # noqa: E402

T0 = 1_700_000_000
DAY = 86_400
SERIES = 6
ROWS = 400
ARGUMENTS = ("--host-metrics", "off", "--storage-journal-segment-bytes", "64KiB", "--storage-checkpoint-interval", "1h",
             "--log-level", "warn")
# Starts that may refuse, of a hundred: where nothing at all can be read.
REFUSED_MAX = 1


def points(part):
    """(series, time) -> (float, integer, string) of one part of the data: a day on disk in a file of its own, one too small
    for that, and one in the journal."""
    noise = random.Random(part)
    rows = 8 * ROWS if part == 0 else ROWS
    return {(s, T0 + part * DAY + i * 10): (noise.randrange(10**6) / 100, noise.randrange(-9, 10**6), f"text {i % 17} {s}")
            for s in range(SERIES) for i in range(rows)}


PARTS = [points(part) for part in range(3)]
# Metrics of the points, with the place of their values; and all of them, under names that a repair made up too.
FIELDS = {"m_f": 0, "m_i": 1, "m_t": 2}
OURS = '__name__=~"m_.*|unknown.*"'
TRUTH = {key: value for part in PARTS for key, value in part.items()}


def write(server, part):
    rows = list(part.items())
    for at in range(0, len(rows), 100):
        lines = "".join(f'm,s={s} f={f},i={i}i,t="{t}" {time}000000000\n' for (s, time), (f, i, t) in rows[at:at + 100])
        expect_equal(server.write(lines).status, 204, "write")


class Answer:
    def __init__(self, reply):
        body = reply.json()
        self.status = reply.status
        self.ok = body["status"] == "success"
        self.said = body.get("error") or " ".join(body.get("warnings", []))
        self.data = body.get("data")


def ask(server, path, **parameters):
    return Answer(server.request("GET", path + "?" + urllib.parse.urlencode(parameters), timeout=60))


def check_points(server, accepted=False):
    """Whether everything is there; what is missing is missing with words (unless it has been accepted), what is shown is
    true."""
    whole = True
    answer = ask(server, "/api/v1/query", query=f"{{{OURS}}}[4d]", time=T0 + 4 * DAY - 1)
    rows = {}
    for series in (answer.data or {}).get("result", []):
        rows[tuple(sorted(series["metric"].items()))] = {int(time): float(value) for time, value in series["values"]}
    named = {0: {}, 1: {}}
    for labels, points in rows.items():
        index, number = place_of(dict(labels), points, (0, 1))
        named[index].update({(number, time): value for time, value in points.items()})
    for index, metric in ((0, "m_f"), (1, "m_i")):
        whole &= check_found(named[index], {key: float(value[index]) for key, value in TRUTH.items()}, answer, metric, accepted)
        whole &= all(dict(labels)["__name__"] in ("m_f", "m_i") and "id" not in dict(labels) for labels in rows)
    answer = ask(server, "/api/v1/events", **{"match[]": f"{{{OURS}}}", "limit": 100_000})
    texts = {}
    for event in answer.data or []:
        labels = tuple(sorted(event["labels"].items()))
        texts.setdefault(labels, {})[int(event["time_ns"]) // 10**9] = event["text"]
    found = {}
    for labels, points in texts.items():
        number = place_of(dict(labels), points, (2,))[1]
        found.update({(number, time): text for time, text in points.items()})
    whole &= check_found(found, {key: value[2] for key, value in TRUTH.items()}, answer, "m_t", accepted)
    for query, want in (("sum(count_over_time(m_f[4d]))", len(TRUTH)),
                        ("sum(sum_over_time(m_i[4d]))", sum(value[1] for value in TRUTH.values())),
                        ("max(max_over_time(m_i[4d]))", max(value[1] for value in TRUTH.values()))):
        answer = ask(server, "/api/v1/query", query=query, time=T0 + 4 * DAY - 1)
        result = (answer.data or {}).get("result", [])
        right = answer.ok and result and float(result[0]["value"][1]) == want
        expect(right or answer.said or accepted, f"{query}: {result}, want {want}, without a word")
        whole &= bool(right)
    return whole


def place_of(labels, points, indexes):
    """Which value of which series it is. A series that lost its name or its labels is told by its points, all of which must
    be of one."""
    name, rest = labels["__name__"], {key: value for key, value in labels.items() if key != "__name__"}
    if name in FIELDS and set(rest) == {"s"}:
        expect(FIELDS[name] in indexes, f"{labels} is of another type")
        return FIELDS[name], int(rest["s"])
    made_up = name.startswith(("unknown", "m_field_")) or "id" in rest
    expect(made_up and set(rest) <= {"s", "id"}, f"labels {labels}")
    for index in indexes:
        for number in [int(rest["s"])] if "s" in rest else range(SERIES):
            if all(TRUTH.get((number, time), (None,) * 3)[index] == value for time, value in points.items()):
                return index, number
    raise Failed(f"{labels}: {len(points)} points, not all of one series")


def check_found(found, truth, answer, what, accepted):
    wrong = [key for key, value in found.items() if truth.get(key) != value]
    expect(not wrong, f"{what}: {len(wrong)} wrong points, first {wrong[:1]}: {[found[key] for key in wrong[:1]]}")
    if len(found) == len(truth):
        return True
    expect(answer.said or accepted, f"{what}: {len(truth) - len(found)} points are missing without a word")
    return False


def flip(path, rng):
    """Flips one bit, mostly where something is written: segments and logs end in zeros."""
    data = bytearray(path.read_bytes())
    used = len(data.rstrip(b"\0"))
    at = rng.randrange(used if used and rng.random() < 0.95 else len(data))
    bit = rng.randrange(8)
    data[at] ^= 1 << bit
    path.write_bytes(data)
    return at, bit


def picture(directory):
    return {str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(directory.rglob("*")) if path.is_file()}


def damage(victim, old, name, act, rng):
    """Does it, and says what it was."""
    path = victim / name
    if act == "flip":
        at, bit = flip(path, rng)
        return f"{name}: flip at {at} bit {bit}"
    if act == "cut":
        data = path.read_bytes()
        to = rng.randrange(len(data.rstrip(b"\0")) or 1)
        path.write_bytes(data[:to])
        return f"{name}: cut to {to} of {len(data)}"
    if act == "old" and (old / name).exists() and (old / name).read_bytes() != path.read_bytes():
        shutil.copy(old / name, path)
        return f"{name}: an old copy"
    path.unlink()
    return f"{name}: removed"


def admin(*arguments):
    done = subprocess.run([str(BIN / "tidemark"), "admin", *map(str, arguments)], capture_output=True, timeout=120)
    said = (done.stdout + done.stderr).decode(errors="backslashreplace")
    # What was damaged may be anything, and is printed on somebody's terminal.
    expect_equal(said.encode(), done.stdout + done.stderr, "the bytes that are printed, as UTF-8")
    expect(not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", said), f"not text that a terminal shows: {said!r}")
    return done.returncode, said


def use(server, before, accepted=False):
    """Whether everything is there, and whether it was read-only; asks, writes, checkpoints and folds."""
    whole = check_points(server, accepted)
    reply = server.write(f"after v=1 {T0}000000000", db="after")
    expect(reply.status in (204, 503, 507), f"a write after it: {reply.status} {reply.body}")
    read_only = reply.status != 204
    # What RocksDB met when it was at work already has left files that differ; what a start finds has not.
    unchanged = b"nothing on disk is changed" in reply.body
    if read_only:
        expect(b"tidemark admin repair" in reply.body, f"no way on: {reply.body}")
        health = server.request("GET", "/health")
        expect(health.status == 503 and b'"status":"fail"' in health.body, f"/health: {health.status} {health.body}")
    else:
        expect(server.query("after_v", db="after", time=T0), "a point that was written after it")
    # Checkpoint and fold read and rewrite what is damaged: still nothing may become wrong.
    server.request("POST", "/api/v1/admin/checkpoint")
    server.request("POST", "/api/v1/admin/compact")
    after = check_points(server, accepted)
    expect(after or not whole, "whole before a checkpoint and a fold, and not after")
    code = server.stop()
    expect(code >= 0, f"the end by signal {-code}")
    if unchanged:
        expect_equal(picture(server.data), before, "a read-only server changed files")
    return whole, read_only


def try_flip(pristine, old, folder, rng, names, act):
    """What came of it: refused, whole, or said; and whether it was read-only."""
    victim = folder / "victim"
    shutil.rmtree(victim, ignore_errors=True)
    shutil.copytree(pristine, victim)
    what = damage(victim, old, rng.choice(names), act, rng)
    before = picture(victim)
    (folder / "victim.log").unlink(missing_ok=True)
    server = Server(victim, *ARGUMENTS)
    try:
        found, said = admin("verify", "--data", victim)
        expect(found in (0, 1), f"verify ended with {found}: {said}")
        expect_equal(picture(victim), before, "verify changed files")
        try:
            server.start(20)
        except Failed:
            code = server.process.wait(20)
            expect(code > 0, f"the start ended with signal {-code}: {server.log_text()}")
            expect("tidemark admin repair" in server.log_text(), f"no way on: {server.log_text()}")
            expect(found == 1, "a start refuses, and verify finds nothing")
            expect_equal(picture(victim), before, "a start that refused changed files")
            outcome, read_only = "refused", True
        else:
            whole, read_only = use(server, before)
            outcome = "whole" if whole else "said"
            expect(whole or found == 1, f"points are missing, and verify finds nothing: {said}")
            expect(not read_only or found == 1, f"a start is read-only, and verify finds nothing: {said}")
        code, text = admin("repair", "--data", victim)
        expect(code in (0, 1), f"repair ended with {code}: {text}")
        before = picture(victim)
        server.start(20)
        whole, still = use(server, before, accepted=code == 1)
        expect(not still, f"read-only after a repair: {text}")
        expect(whole or code == 1 or not read_only, f"points are missing, and repair says that nothing is lost: {text}")
        return what, outcome
    except (Failed, OSError, KeyError, ValueError) as error:
        died = server.process.poll() if server.process else None
        log = server.log_text()[-1500:] if server.log else "never started"
        raise Failed(f"{what}: {error!r} (exit code {died}): {log}") from error
    finally:
        if server.process and server.process.poll() is None:
            server.kill()


def make_pristine(folder):
    server = Server(folder / "pristine", *ARGUMENTS)
    with server:
        for part in PARTS[:2]:
            write(server, part)
            expect_equal(server.request("POST", "/api/v1/admin/checkpoint").status, 200, "checkpoint")
        shutil.copytree(folder / "pristine", folder / "old", ignore=shutil.ignore_patterns("reserve"))
        write(server, PARTS[2])
        # The last record cannot be told from one that a power cut tore, which is cut: what is checked lies before it.
        expect_equal(server.write(f"last v=1 {T0}000000000").status, 204, "the last write")
        server.kill()
    expect(list((folder / "pristine").rglob("*.sst")), "a day has a file")
    # Nothing is in it, and it is copied and read often.
    shutil.rmtree(folder / "pristine" / "reserve", ignore_errors=True)
    shutil.copytree(folder / "pristine", folder / "check")
    with Server(folder / "check", *ARGUMENTS) as server:
        expect(check_points(server), "the undamaged directory answers")
    return folder / "pristine"


def kinds(pristine):
    """Files by what they are, so that each kind has its share of the flips."""
    found = {}
    for path in sorted(pristine.rglob("*")):
        if not path.is_file() or not path.read_bytes().strip(b"\0") or path.name.startswith("LOG"):
            continue
        kind = re.sub(r"\d+", "#", str(path.relative_to(pristine)))
        found.setdefault(kind, []).append(path.relative_to(pristine))
    return found


def main(options, rng):
    tally, failures = {}, []
    acts = [options.act] if options.act else ["flip", "flip", "flip", "cut", "remove", "old"]
    with temporary_folder() as folder:
        pristine = make_pristine(folder)
        by_kind = {kind: names for kind, names in kinds(pristine).items() if options.only in kind}
        order = sorted(by_kind)
        for number in range(options.flips):
            kind = order[number % len(order)]
            act = rng.choice(acts)
            try:
                what, outcome = try_flip(pristine, folder / "old", folder, rng, by_kind[kind], act)
            except Failed as error:
                failures.append(str(error))
                print("FAIL", error, flush=True)
                continue
            tally.setdefault(f"{kind}, {act}", []).append(outcome)
            if (number + 1) % 50 == 0:
                print(f"{number + 1} of {options.flips}, {len(failures)} not survived", flush=True)
    for kind, outcomes in sorted(tally.items()):
        print(f"{kind}: " + ", ".join(f"{outcomes.count(o)} {o}" for o in ("whole", "said", "refused")))
    expect(tally, "nothing was damaged")
    expect(not failures, f"{len(failures)} of {options.flips} were not survived")
    refused = sum(outcomes.count("refused") for outcomes in tally.values())
    expect(refused * 100 <= options.flips * REFUSED_MAX, f"{refused} of {options.flips} starts refused")


if __name__ == "__main__":
    run_random(main, flips=50, only="", act="")
