"""kill -9 at random moments under load, against an independent ledger of what was acknowledged.

Each round starts the server on the same data, checks everything the ledger knows, loads it from several writers, and
kills it. A point that was acknowledged must be there with its last acknowledged value, or with that of a later write
that was never answered; a point that nobody sent must not be there.

  kill_rounds.py BIN_FOLDER [--rounds N] [--seed N]
"""
import pathlib
import random
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from harness import Server, expect, run_random, temporary_folder  # noqa: E402

T0 = 1_700_000_000
DAY = 86_400
WRITERS = 4
# All that a store has is read after each kill: a store that is never begun anew would cost the square of its kills.
KILLS_OF_A_STORE = 40
SERIES = 5
# Of the processor, from the start to the first answer: what a start does, whatever else the machine does.
RECOVERY_CPU_LIMIT_S = 3.0
# Small limits, so that freezing, checkpoints and journal segments come around within a round.
ARGUMENTS = ("--host-metrics", "off", "--storage-staged-bytes", "1MiB", "--storage-checkpoint-interval", "1s",
             "--storage-journal-segment-bytes", "256KiB")


class Ledger:
    """What one writer sent: per (series, time) the last acknowledged value, and those sent since without an answer."""

    def __init__(self):
        self.acknowledged = {}
        self.unanswered = {}

    def sent(self, points):
        for key, value in points.items():
            self.unanswered.setdefault(key, []).append(value)

    def answered(self, points):
        for key, value in points.items():
            self.acknowledged[key] = value
            # What was sent before it and never answered can no longer win: the writer sends one request at a time.
            self.unanswered[key] = []

    def check(self, writer, found):
        lost = wrong = 0
        for key, value in self.acknowledged.items():
            if key not in found:
                lost += 1
            elif found[key] != value and found[key] not in self.unanswered[key]:
                wrong += 1
        made_up = [key for key in found
                   if key not in self.acknowledged and found[key] not in self.unanswered.get(key, [])]
        expect(not lost and not wrong and not made_up,
               f"writer {writer}: {lost} acknowledged points lost, {wrong} wrong, {len(made_up)} made up")

    def settle(self, found):
        """After a restart what is there is there for good."""
        for key, values in self.unanswered.items():
            if key in found and found[key] in values:
                self.acknowledged[key] = found[key]
        self.unanswered = {key: [] for key in self.unanswered}


def make_batch(rng, clock):
    """Lines and points of one request: mostly new times, now and then late ones and overwrites."""
    points = {}
    for _ in range(rng.choice([1, 5, 50])):
        clock[0] += 1
        age = rng.choice([0, 0, 0, 0, 0, 60, 3 * DAY])
        at = T0 + clock[0] - (rng.randrange(age) if age else 0)
        points[(rng.randrange(SERIES), at)] = rng.randrange(1_000_000)
    return points


def load(server, writer, rng, clock, ledger, stop, failures):
    while not stop.is_set():
        points = make_batch(rng, clock)
        lines = "".join(f"m,w={writer},s={s} i={v}i,f={v / 100} {at}000000000\n" for (s, at), v in points.items())
        ledger.sent(points)
        try:
            status = server.write(lines).status
        except OSError:
            return
        if status != 204:
            failures.append(f"writer {writer}: answer {status}")
            return
        ledger.answered(points)


def read(server, writer, field, scale):
    found = {}
    for series in server.query(f'm_{field}{{w="{writer}"}}[400d]', time=T0 + 100 * DAY):
        for at, value in series["values"]:
            found[(int(series["metric"]["s"]), int(at))] = round(float(value) * scale)
    return found


def kill_often(kills, rng):
    """A store of its own, killed so many times: the points in its ledger, and the dearest start in seconds of CPU."""
    ledgers = [Ledger() for _ in range(WRITERS)]
    clocks = [[0] for _ in range(WRITERS)]
    worst = 0.0
    with temporary_folder() as folder:
        server = Server(folder / "data", *ARGUMENTS)
        for number in range(kills + 1):
            server.start()
            worst = max(worst, server.cpu_seconds())
            for writer, ledger in enumerate(ledgers):
                found = read(server, writer, "i", 1)
                ledger.check(writer, found)
                expect(found == read(server, writer, "f", 100), f"writer {writer}: the two fields of its rows differ")
                ledger.settle(found)
            if number == kills:
                expect(server.stop() == 0, "exit code of the last stop")
                break
            stop, failures = threading.Event(), []
            threads = [threading.Thread(target=load, args=(server, w, random.Random(rng.random()), clocks[w], ledgers[w],
                                                           stop, failures)) for w in range(WRITERS)]
            for thread in threads:
                thread.start()
            # The moment of the kill is what is random here; nothing waits for a result.
            time.sleep(rng.uniform(0.05, 1.5))
            server.kill()
            stop.set()
            for thread in threads:
                thread.join()
            expect(not failures, failures)
    return sum(len(ledger.acknowledged) for ledger in ledgers), worst


def main(options, rng):
    total, worst, done = 0, 0.0, 0
    while done < options.rounds:
        kills = min(KILLS_OF_A_STORE, options.rounds - done)
        points, dearest = kill_often(kills, rng)
        total, worst, done = total + points, max(worst, dearest), done + kills
        print(f"{done} of {options.rounds} kills", flush=True)
    expect(total > 0, "nothing was ever acknowledged")
    expect(worst < RECOVERY_CPU_LIMIT_S, f"recovery took {worst:.2f} s of CPU")
    print(f"{options.rounds} kills, {total} points in the ledgers, dearest start {worst:.2f} s of CPU: nothing lost, nothing made up")


if __name__ == "__main__":
    run_random(main, rounds=30)
