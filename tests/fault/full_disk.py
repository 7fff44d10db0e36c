"""A disk that fills up under load, on a small file system of its own: writes are refused with a clear error and
Retry-After, reads go on, writes come back by themselves when there is room, and nothing acknowledged is lost, neither
before nor after a restart on the full disk.

  full_disk.py BIN_FOLDER [--rounds N] [--seed N]

Needs the right to mount a tmpfs; without it the test is skipped (exit code 77).
"""
import errno
import os
import pathlib
import random
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from harness import Failed, Server, expect, expect_equal, run_random, temporary_folder, wait_until  # noqa: E402

T0 = 1_700_000_000
SKIPPED = 77
DISK = "64m"
ARGUMENTS = ("--host-metrics", "off", "--storage-staged-bytes", "2MiB", "--storage-checkpoint-interval", "1s",
             "--storage-journal-segment-bytes", "1MiB", "--storage-cache-bytes", "4MiB")
POINTS = 2000  # of one request


def mount(where):
    if os.geteuid() != 0:
        print("skipped: only root can mount the small disk that this test fills")
        sys.exit(SKIPPED)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(where)], capture_output=True)
    if done.returncode != 0:
        print("skipped: mounting a tmpfs was refused:", done.stderr.decode().strip())
        sys.exit(SKIPPED)


class Ledger:
    """What was sent, by request: its values follow from its number, so that nothing has to be kept of them but this."""

    def __init__(self, rng):
        self.rng, self.acknowledged, self.refused, self.count = rng, [], [], 0

    def next(self):
        number, self.count = self.count, self.count + 1
        # Noise, which no codec makes small.
        noise = random.Random(number)
        lines = "".join(f"m,r={number % 7} v={noise.random()} {T0 + number * POINTS + i}000000000\n"
                        for i in range(POINTS))
        return number, lines

    @staticmethod
    def values(number):
        noise = random.Random(number)
        return {T0 + number * POINTS + i: noise.random() for i in range(POINTS)}

    def check(self, server, when, sample=None):
        """All acknowledged requests (or some of them) are whole and exact; of a refused one, each point is right or
        not there: it was refused, but it may have come to the disk."""
        numbers = self.acknowledged if sample is None else self.rng.sample(self.acknowledged,
                                                                           min(sample, len(self.acknowledged)))
        for number in numbers:
            expect_equal(read(server, number), self.values(number), f"{when}: request {number}, acknowledged")
        for number in self.refused if sample is None else []:
            found, sent = read(server, number), self.values(number)
            expect(all(sent.get(at) == value for at, value in found.items()), f"{when}: request {number} was made up")


def read(server, number):
    at = T0 + number * POINTS
    result = server.query(f'm_v{{r="{number % 7}"}}[{POINTS}s]', time=at + POINTS - 1)
    return {int(t): float(v) for t, v in result[0]["values"]} if result else {}


def take_room(ballast, rng):
    """Somebody else takes most of what is free, also what the server has freed since the last time."""
    free = os.statvfs(ballast.parent)
    room = free.f_bavail * free.f_frsize
    try:
        with open(ballast, "ab") as file:
            file.write(b"\xff" * max(0, room - rng.randrange(1 << 20, 6 << 20)))
    except OSError as error:
        # The server has taken some of it meanwhile: then the disk is full at once.
        expect_equal(error.errno, errno.ENOSPC, "why the disk could not be filled")


def fill(server, ledger, ballast, rng, limit=4000):
    """Writes until a write is refused; the answer to it."""
    for tried in range(limit):
        if tried % 100 == 0:
            take_room(ballast, rng)
        number, lines = ledger.next()
        reply = server.write(lines)
        if reply.status == 204:
            ledger.acknowledged.append(number)
            continue
        ledger.refused.append(number)
        return reply
    raise Failed(f"{limit} requests of incompressible points went onto a disk of {DISK}")


def check_refusal(reply):
    expect(reply.status in (503, 507), f"a full disk answered {reply.status}: {reply.body}")
    expect(reply.headers["Retry-After"], "no Retry-After")
    text = reply.json()["error"]
    expect("space" in text.lower() or "full" in text.lower(), f"the error does not say what is wrong: {text}")


def takes_writes(server, ledger):
    number, lines = ledger.next()
    taken = server.write(lines).status == 204
    (ledger.acknowledged if taken else ledger.refused).append(number)
    return taken


def round_of(server, ledger, ballast, rng, restart):
    refusal = fill(server, ledger, ballast, rng)
    check_refusal(refusal)
    # While it is full: more writes are refused in the same way, everything can be read, and the server says so.
    for _ in range(20):
        number, lines = ledger.next()
        reply = server.write(lines)
        if reply.status == 204:
            # A write of a little less may still find room: then it counts like any other.
            ledger.acknowledged.append(number)
        else:
            ledger.refused.append(number)
            check_refusal(reply)
    ledger.check(server, "on the full disk", sample=15)
    health = server.request("GET", "/health")
    expect(health.status in (200, 503), f"/health: {health.status}")
    process = server.process.pid
    if restart:
        server.kill()
        try:
            server.start()
        except Failed as error:
            # It may refuse to start without room, but must say so.
            expect("space" in str(error).lower(), f"no clear words on a full disk: {error}")
            server.process.wait()
            ballast.unlink()
            server.start()
        process = server.process.pid
        ledger.check(server, "after kill -9 on the full disk", sample=30)
    ballast.unlink(missing_ok=True)
    wait_until(lambda: takes_writes(server, ledger), what="writes to be taken again")
    expect_equal(server.process.poll(), None, "the server lives")
    expect_equal(server.process.pid, process, "no restart")
    for _ in range(5):
        expect(takes_writes(server, ledger), "a write after the disk has room again")
    ledger.check(server, "when there is room again")


def main(options, rng):
    ledger = Ledger(rng)
    with temporary_folder() as folder:
        disk = folder / "disk"
        disk.mkdir()
        mount(disk)
        try:
            server = Server(disk / "data", *ARGUMENTS)
            with server:
                for number in range(options.rounds):
                    round_of(server, ledger, disk / "ballast", rng, restart=number % 2 == 1)
                    # Room for the next round.
                    server.request("POST", "/api/v1/admin/checkpoint")
                expect_equal(server.stop(), 0, "exit code")
            with server:
                ledger.check(server, "after the last restart")
        finally:
            if server.process and server.process.poll() is None:
                server.kill()
            subprocess.run(["umount", str(disk)], check=True)
    print(f"{options.rounds} full disks, {len(ledger.acknowledged)} requests of {POINTS} points acknowledged, "
          f"{len(ledger.refused)} refused: nothing lost, nothing made up")


if __name__ == "__main__":
    run_random(main, rounds=3)
