"""`tidemark admin verify` and `repair` of data directories with one flipped bit.

- verify changes nothing, finds nothing in a whole directory, and refuses one that a server has open.
- A flip in a page, in a file or in `meta`, is found, with the names of what lies there.
- A flip anywhere after which the server refuses to start or answers with a warning is found. (What cannot matter, as
  zeros behind the records, need not be.)
- A journal that stops the start is repaired: `--dry-run` changes nothing, what is given up is set aside byte for byte,
  verify is content then, and the server serves everything else, without a warning.

  verify.py BIN_FOLDER [--flips N] [--seed N]
"""
import hashlib
import pathlib
import random
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
import bit_flips as flips  # noqa: E402
from harness import BIN, Failed, Server, expect, expect_equal, run_random, temporary_folder  # noqa: E402


# More than bit_flips has in its journal, so that it has several segments.
ROWS = 12 * flips.ROWS
_noise = random.Random(7)
flips.PARTS[2] = {(s, flips.T0 + 2 * flips.DAY + i * 10): (_noise.randrange(10**8) / 100, _noise.randrange(10**9), f"text {i % 17} {s}")
                  for s in range(flips.SERIES) for i in range(ROWS)}
flips.TRUTH.update(flips.PARTS[2])


def admin(*arguments):
    done = subprocess.run([str(BIN / "tidemark"), "admin", *map(str, arguments)], capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


def verify(directory):
    """The exit code and the lines about damage; the directory stays as it is."""
    before = picture(directory)
    code, out, err = admin("verify", "--data", directory)
    expect_equal(picture(directory), before, "verify changed files")
    expect(code in (0, 1), f"verify ended with {code}: {out} {err}")
    lines = out.splitlines()
    expect_equal(code, 1 if lines[:-1] else 0, f"the exit code of {lines}")
    return code, lines[:-1]


def picture(directory):
    return {str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(directory.rglob("*")) if path.is_file()}


def flip_at(path, at, bit=0):
    data = bytearray(path.read_bytes())
    data[at] ^= 1 << bit
    path.write_bytes(data)


def copy_of(pristine, folder):
    victim = folder / "victim"
    shutil.rmtree(victim, ignore_errors=True)
    shutil.copytree(pristine, victim)
    return victim


def check_whole(pristine, folder):
    victim = copy_of(pristine, folder)
    expect_equal(verify(victim), (0, []), "a whole directory")
    code, out, _ = admin("repair", "--data", victim)
    expect(code == 0 and "nothing to do" in out and not (victim / "set-aside").exists(), f"repair of a whole one: {out}")
    with Server(victim, *flips.ARGUMENTS):
        for command in ("verify", "repair"):
            code, _, err = admin(command, "--data", victim)
            expect(code == 2 and "in use" in err, f"{command} of a directory in use: {code} {err}")
    code, _, err = admin("verify", "--data", folder)
    expect(code == 2 and "no data directory" in err, f"verify of another directory: {code} {err}")


def check_pages(pristine, folder, rng):
    """The pages of a file; and those that are values of meta, whose block may have other records in it: then the file is named."""
    for path in [*pristine.rglob("*.sst"), *pristine.glob("rocksdb/*.log")]:
        data = path.read_bytes()
        pages = [at for at in range(len(data) - 4) if data[at:at + 4] == b"TMP\x01"]
        if not pages:
            continue
        victim = copy_of(pristine, folder)
        at = rng.choice(pages) + 40
        flip_at(victim / path.relative_to(pristine), at)
        code, lines = verify(victim)
        expect(code == 1, f"a flip at {at} of {path.name} is not found")
        if path.suffix == ".sst":
            named = any("database default" in line and "partition 2023-11-1" in line and "page " in line for line in lines)
            in_meta = len(pages) < 20 and any(line.startswith("meta: ") and path.name in line for line in lines)
            expect(named or in_meta, f"a flip at {at} of {path.name}: {lines}")


def repair(victim, what):
    """Repairs it; the lines about what was given up, and whether it says that something is lost."""
    before = picture(victim)
    code, out, err = admin("repair", "--data", victim, "--dry-run")
    expect(code in (0, 1), f"{what}: dry run: {out} {err}")
    would_lose = code == 1
    expect_equal(picture(victim), before, f"{what}: a dry run changed files")
    planned = out.splitlines()[:-1]
    code, out, err = admin("repair", "--data", victim)
    expect_equal(code == 1, would_lose, f"{what}: repair: {out} {err}")
    expect_equal(out.splitlines()[:-1], planned, f"{what}: the plan and the repair")
    return planned, would_lose


def check_served(victim, what):
    """It starts, warns of nothing, shows nothing but true points, and has what was on disk before the journal."""
    log = pathlib.Path(str(victim) + ".log")
    log.unlink(missing_ok=True)
    found = set()
    with Server(victim, *flips.ARGUMENTS) as server:
        answer = flips.ask(server, "/api/v1/query", query="m_f[4d]", time=flips.T0 + 4 * flips.DAY - 1)
        expect(answer.ok and not answer.said, f"{what}: {answer.said}")
        for series in answer.data["result"]:
            for time, value in series["values"]:
                key = (int(series["metric"]["s"]), int(time))
                expect_equal(float(value), float(flips.TRUTH[key][0]), f"{what}: the point {key}")
                found.add(key)
        for part in flips.PARTS[:2]:
            expect(found.issuperset(part), f"{what}: points that were not in the journal are gone")
        reply = server.write(f"after v=1 {flips.T0}000000000", db="after")
        expect_equal(reply.status, 204, f"{what}: a write after it")
        server.kill()
    with Server(victim, *flips.ARGUMENTS) as server:
        expect(server.query("after_v", db="after", time=flips.T0), f"{what}: what was written after it is gone")
        expect_equal(server.stop(), 0, f"{what}: the end")
    expect(" E " not in log.read_text(errors="replace"), f"{what}: {log.read_text(errors='replace')[-2000:]}")
    return len(found)


def check_journal(pristine, folder):
    """A record in the first, a middle and the last segment; the headers of all three; a segment that is gone."""
    segments = sorted(pristine.glob("journal/*.tmj"))
    expect(len(segments) >= 3, f"{len(segments)} segments")
    everything = len(flips.TRUTH)
    middle = len(segments) // 2
    for number in (0, middle, len(segments) - 1):
        for at in (20, 64 + 40, None):
            victim = copy_of(pristine, folder)
            path = victim / segments[number].relative_to(pristine)
            what = f"segment {number} of {len(segments)}, " + ("gone" if at is None else f"a flip at {at}")
            if at is None:
                path.unlink()
            else:
                flip_at(path, at)
            before = picture(victim)
            with Server(victim, *flips.ARGUMENTS) as server:
                reply = server.write(f"after v=1 {flips.T0}000000000", db="after")
                expect(reply.status == 503 and b"tidemark admin repair" in reply.body, f"{what}: {reply.status} {reply.body}")
                expect(not flips.check_points(server), f"{what}: nothing is missing")
                server.stop()
            expect_equal(picture(victim), before, f"{what}: the server changed files")
            code, lines = verify(victim)
            expect(code == 1 and lines, f"{what}: not found")
            damaged = b"" if at is None else path.read_bytes()
            planned, loses = repair(victim, what)
            expect(planned and all("gives up" in line for line in planned), f"{what}: {planned}")
            if at is not None:
                kept = path.read_bytes() if path.exists() else b""
                for file in (victim / "set-aside").rglob("*.tmj*"):
                    cut = int(file.name.partition(".from-")[2] or 0)
                    expect(file.read_bytes() == damaged[cut:], f"{what}: what was set aside is not what was cut")
                    expect(kept[:cut] == damaged[:cut] and not kept[cut:].strip(b"\0"), f"{what}: what was kept")
            expect_equal(verify(victim), (0, []), f"{what}: after the repair")
            found = check_served(victim, what)
            lost = everything - found
            expect(loses or lost == 0, f"{what}: {lost} points lost, and repair said that nothing is: {planned}")
            # A segment of 64 KiB holds some 2,500 rows at most; what lies behind it stays.
            expect(lost < len(flips.PARTS[2]) or len(segments) < 3, f"{what}: {lost} points lost")


def check_flips(pristine, folder, rng, count):
    """Anywhere: what the server notices, verify finds."""
    tally = {}
    kinds = {}
    for kind, names in flips.kinds(pristine).items():
        if kind.startswith(("rocksdb", "journal")):
            kinds.setdefault("journal" if kind.startswith("journal") else kind, []).extend(names)
    order = sorted(kinds)
    for number in range(count):
        kind = order[number % len(order)]
        victim = copy_of(pristine, folder)
        path = victim / rng.choice(kinds[kind])
        at, bit = flips.flip(path, rng)
        what = f"{path.relative_to(victim)} at {at} bit {bit}"
        code, lines = verify(victim)
        outcome = "found" if code else "passed"
        if not code:
            pathlib.Path(str(victim) + ".log").unlink(missing_ok=True)
            with Server(victim, *flips.ARGUMENTS) as server:
                expect(flips.check_points(server), f"{what}: verify finds nothing, and points are missing")
        tally.setdefault(kind, []).append(outcome)
        expect(code == 0 or lines, what)
    for kind, outcomes in sorted(tally.items()):
        print(f"{kind}: {outcomes.count('found')} found, {outcomes.count('passed')} without effect")


def main(options, rng):
    with temporary_folder() as folder:
        pristine = flips.make_pristine(folder)
        check_whole(pristine, folder)
        check_pages(pristine, folder, rng)
        check_journal(pristine, folder)
        check_flips(pristine, folder, rng, options.flips)


if __name__ == "__main__":
    run_random(main, flips=30)
