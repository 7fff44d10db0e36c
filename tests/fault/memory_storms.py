"""Storms that would fill the memory, on a server in a control group of its own that may have little of it: new databases,
new fields, new series, and bodies that grow when they are unpacked. The kernel never ends the process, what is refused is
refused with its reason, known series are taken throughout, and the server stops in time and comes back in the same group.

  memory_storms.py BIN_FOLDER [--megabytes N] [--databases N] [--fields N] [--series N] [--only STORM] [--seed N]

Needs the right to make a control group (version 1) of memory; without it the test is skipped (exit code 77).
"""
import contextlib
import gzip
import http.client
import os
import pathlib
import random
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from harness import Server, expect, expect_bounded, expect_equal, run_random, temporary_folder, wait_until  # noqa: E402

SKIPPED = 77
GROUPS = pathlib.Path("/sys/fs/cgroup/memory")
T0 = 1_700_000_000
DRAIN = 2
STOP = DRAIN + 10


@contextlib.contextmanager
def group(megabytes):
    """A control group; what to start a process with so that it is in there."""
    folder = GROUPS / f"tidemark-test-{os.getpid()}-{time.monotonic_ns()}"
    try:
        folder.mkdir()
        (folder / "memory.limit_in_bytes").write_text(str(megabytes << 20))
    except OSError as error:
        print("skipped: a control group of memory cannot be made:", error)
        sys.exit(SKIPPED)
    try:
        yield ("sh", "-c", f'echo $$ > {folder}/cgroup.procs && exec "$@"', "sh"), folder
    finally:
        for _ in range(100):
            try:
                folder.rmdir()
                break
            except OSError:
                time.sleep(0.1)  # the kernel takes a moment to let a process go


class Sender:
    """One connection that writes."""

    def __init__(self, server):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)

    def write(self, database, lines):
        """The status, 0 without an answer, and what is said."""
        try:
            self.connection.request("POST", f"/write?db={database}", lines)
            reply = self.connection.getresponse()
            return reply.status, reply.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            return 0, str(error)


def at_once(count, work):
    threads = [threading.Thread(target=work, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class Storm:
    """Counts answers; what is known keeps being written beside, and must be taken."""

    def __init__(self, server):
        self.server, self.statuses, self.reasons, self.lock = server, {}, {}, threading.Lock()
        self.known_refused, self.over = [], threading.Event()

    def note(self, status, body):
        with self.lock:
            self.statuses[status] = self.statuses.get(status, 0) + 1
            if status != 204:
                self.reasons.setdefault(status, body)

    def keep_known(self):
        sender = Sender(self.server)
        i = 0
        while not self.over.is_set():
            status, body = sender.write("known", f"cpu,host=a usage={i} {T0 + i}000000000")
            if status != 204:
                self.known_refused.append((status, body))
            i += 1
            time.sleep(0.01)
        self.known = i

    def run(self, threads, work):
        known = threading.Thread(target=self.keep_known)
        known.start()
        try:
            at_once(threads, work)
        finally:
            self.over.set()
            known.join()
        expect(self.server.process.poll() is None, f"the server ended: {self.server.process.returncode}\n" + self.server.log_text())
        expect_equal(self.known_refused[:3], [], "known series that were refused")
        expect(self.known > 0, "nothing was written beside the storm")


def peak_mebibytes(folder):
    return int((folder / "memory.max_usage_in_bytes").read_text()) >> 20


def stop_and_come_back(server, what):
    began = time.monotonic()
    expect_equal(server.stop(), 0, f"{what}: exit code of the stop")
    took = time.monotonic() - began
    print(f"  stopped in {took:.1f} s", flush=True)
    expect_bounded(took <= STOP, f"{what}: the stop took {took:.1f} s, more than http.drain and 10 s")
    server.start(300)
    rows = server.query("cpu_usage", db="known", time=T0 + 1)
    expect_equal(len(rows), 1, f"{what}: what was written before is there again")
    expect_equal(server.stop(), 0, f"{what}: exit code of the second stop")


def storm(options, name, work_of, threads, expected):
    with group(options.megabytes) as (prefix, folder), temporary_folder() as scratch:
        server = Server(scratch / "data", "--host-metrics", "off", "--http-drain", f"{DRAIN}s", prefix=prefix)
        with server:
            expect_equal(server.write(f"cpu,host=a usage=1 {T0}000000000", db="known").status, 204, "the known series")
            began = time.monotonic()
            running = Storm(server)
            running.run(threads, work_of(running))
            print(f"{name}: {running.statuses} in {time.monotonic() - began:.1f} s, at most {peak_mebibytes(folder)} MiB of "
                  f"{options.megabytes}", flush=True)
            for status, body in running.reasons.items():
                print(f"  {status}: {body[:240]}", flush=True)
            expect(set(running.statuses) <= {204, 400}, f"{name}: answers {running.statuses}")
            expect(any(text in running.reasons.get(400, "") for text in expected),
                   f"{name}: no answer names the limit: {running.reasons}")
            stop_and_come_back(server, name)


def databases(options):
    def work_of(running):
        def work(thread):
            sender = Sender(running.server)
            for i in range(thread, options.databases, 8):
                running.note(*sender.write(f"storm{i}", f"m,h=a v={i} {T0}000000000"))
        return work
    storm(options, "new databases", work_of, 8, ["there is no memory for a new database", "max-databases limit"])


# 12 MB: less than a body may have.
FIELDS_OF_A_BODY = 1_000_000


def fields(options):
    """Rows with very many fields each, and requests of many rows with some each."""
    def work_of(running):
        def work(_):
            sender = Sender(running.server)
            for begin in range(0, options.fields, 200_000):
                line = "wide,h=a " + ",".join(f"f{i:06}=1" for i in range(begin, min(begin + 200_000, options.fields)))
                running.note(*sender.write("fields", f"{line} {T0}000000000"))
            for first in range(0, options.fields, FIELDS_OF_A_BODY):
                rows = [f"many,h=a {','.join(f'g{i + k:07}=1' for k in range(100))} {T0 + i}000000000"
                        for i in range(first, min(first + FIELDS_OF_A_BODY, options.fields), 100)]
                running.note(*sender.write("fields", "\n".join(rows)))
        return work
    storm(options, "new fields", work_of, 1, ["there is no memory for new fields", "max-fields-per-database limit"])


def series(options):
    def work_of(running):
        share = options.series // 4

        def work(thread):
            sender = Sender(running.server)
            for begin in range(thread * share, (thread + 1) * share, 5000):
                lines = "\n".join(f"churn,host=h{i},pod=p{i % 977} v={i} {T0}000000000" for i in range(begin, begin + 5000))
                running.note(*sender.write("series", lines))
        return work
    storm(options, "new series", work_of, 4, ["there is no memory for a new series", "max-series-per-database limit"])


def anonymous_mebibytes(server):
    for line in pathlib.Path(f"/proc/{server.process.pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) >> 10
    return 0


def bombs(options):
    """A hundred bodies at once that each unpack to 60 MB, at less than 200 times their size."""
    bomb = gzip.compress(bytes(60 << 20) + random.Random(1).randbytes(350 << 10), 6)
    with group(options.megabytes) as (prefix, folder), temporary_folder() as scratch:
        with Server(scratch / "data", "--host-metrics", "off", prefix=prefix) as server:
            expect_equal(server.write(f"cpu,host=a usage=1 {T0}000000000", db="known").status, 204, "the known series")
            before, most, over = anonymous_mebibytes(server), [0], threading.Event()

            def look():
                while not over.is_set():
                    most[0] = max(most[0], anonymous_mebibytes(server))
                    time.sleep(0.005)
            watcher = threading.Thread(target=look)
            watcher.start()
            statuses, lock = {}, threading.Lock()

            def send(_):
                status = server.request("POST", "/write?db=bombs", bomb, {"Content-Encoding": "gzip"}, timeout=120).status
                with lock:
                    statuses[status] = statuses.get(status, 0) + 1
            at_once(100, send)
            over.set()
            watcher.join()
            received = 100 * len(bomb) >> 20
            print(f"bombs: {statuses}, {before} MiB before, {most[0]} at most, {received} received", flush=True)
            expect(server.process.poll() is None, "the server ended:\n" + server.log_text())
            expect(set(statuses) <= {400, 413, 503}, f"bombs: answers {statuses}")
            # Beside what unpacks, what was received and the buffers of a hundred connections.
            expect_bounded(most[0] - before <= 64 + received + 24, f"bombs took {most[0] - before} MiB together")
            left = wait_until(lambda: anonymous_mebibytes(server) <= before + 24 and anonymous_mebibytes(server), 30, "memory to go back")
            print(f"  {left} MiB soon after", flush=True)


def main(options, _):
    for each in (bombs, databases, fields, series):
        if options.only in ("", each.__name__):
            each(options)


if __name__ == "__main__":
    run_random(main, megabytes=512, databases=6000, fields=1_000_000, series=2_000_000, only="")
