"""Starts real servers for tests and speaks to them. Standard library only.

A test is a Python file with functions named test_*; run_tests(globals()) runs them one after the other, prints a line
for each and exits with 1 when one failed. Each gets the binaries' folder from the command line and makes its own
temporary folder.
"""
import argparse
import contextlib
import http.client
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.parse

BIN = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path("build/dev/bin")
HERE = pathlib.Path(__file__).resolve().parent


# A sanitizer's build takes several times the time and the memory: waits are longer there, and bounds are not asked.
SANITIZED = "TIDEMARK_SANITIZED" in os.environ
SLOWNESS = 10 if SANITIZED else 1


class Failed(Exception):
    pass


def expect(condition, message):
    if not condition:
        raise Failed(message)


def expect_bounded(condition, message):
    """That something takes no more time or memory than it may."""
    expect(condition or SANITIZED, message)


def short(value):
    """What fits on a screen."""
    text = repr(value)
    return text if len(text) <= 2000 else f"{text[:2000]}... ({len(text)} characters)"


def difference(got, want):
    """What a message says of two values; of large tables only where they differ."""
    if isinstance(got, dict) and isinstance(want, dict) and len(want) > 20:
        keys = sorted(key for key in {*got, *want} if got.get(key) != want.get(key))
        return (f"{len(keys)} of {len(want)} entries differ: got {short({k: got.get(k) for k in keys[:20]})}, "
                f"want {short({k: want.get(k) for k in keys[:20]})}")
    return f"got {short(got)}, want {short(want)}"


def expect_equal(got, want, what):
    if got != want:
        raise Failed(f"{what}: {difference(got, want)}")


def wait_until(condition, seconds=120, what="it"):
    """Polls until condition() is true; the result is returned. No test depends on how long this takes."""
    end = time.monotonic() + seconds * SLOWNESS
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed(f"waited {seconds} s for {what}")
        time.sleep(0.05)


def free_port(kind=socket.SOCK_STREAM):
    """A port that nobody had a moment ago, for programs that cannot choose one themselves and for servers that come back. Below those
    that the kernel gives to connections and to port 0: while a server is away nobody else is given its port."""
    with open("/proc/sys/net/ipv4/ip_local_port_range") as given:
        lowest = int(given.read().split()[0])
    choices = range(10_000, lowest) if lowest > 12_000 else range(lowest, 61_000)
    for _ in range(1_000):
        with socket.socket(socket.AF_INET, kind) as s, contextlib.suppress(OSError):
            port = random.choice(choices)
            s.bind(("127.0.0.1", port))
            return port
    raise Failed("no port is free")


@contextlib.contextmanager
def temporary_folder():
    path = tempfile.mkdtemp(prefix="tidemark-test-")
    try:
        yield pathlib.Path(path)
    finally:
        shutil.rmtree(path, ignore_errors=True)


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


class Server:
    """A tidemarkd on a free port."""

    def __init__(self, data, *arguments, environment=None, prefix=()):
        self.prefix = prefix  # a command that starts the server, with its arguments
        self.data = pathlib.Path(data)
        self.arguments = arguments
        self.environment = environment
        self.process = None
        self.port = None
        self.log = None

    def start(self, seconds=60):
        self.port = None
        self.data.mkdir(parents=True, exist_ok=True)
        self.log = open(self.data.parent / (self.data.name + ".log"), "ab")
        self.process = subprocess.Popen(
            [*self.prefix, str(BIN / "tidemarkd"), "--data", str(self.data), "--http", "127.0.0.1:0", *self.arguments],
            stdout=subprocess.PIPE, stderr=self.log, env={**os.environ, **(self.environment or {})})
        end = time.monotonic() + seconds * SLOWNESS
        for line in self.process.stdout:
            match = re.search(rb"listening on http://127\.0\.0\.1:(\d+)", line)
            if match:
                self.port = int(match.group(1))
                break
            expect(time.monotonic() < end, "the server did not say where it listens")
        if self.port is None:
            raise Failed("the server ended at once:\n" + self.log_text())
        return self

    def log_text(self):
        return pathlib.Path(self.log.name).read_text(errors="replace")[-4000:]

    def stop(self, seconds=60):
        """SIGTERM, and the exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(seconds * SLOWNESS)
        self.process.stdout.close()
        self.log.close()
        return code

    def kill(self):
        """SIGKILL: no chance to save anything."""
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.log.close()
        self.port = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *error):
        if self.process and self.process.poll() is None:
            self.kill()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def cpu_seconds(self):
        """What the process has used of the processor, all threads together: does not depend on what else runs."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def request(self, method, target, body=None, headers=None, timeout=60):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout * SLOWNESS)
        try:
            connection.request(method, target, body, headers or {})
            reply = connection.getresponse()
            return Reply(reply.status, reply.headers, reply.read())
        finally:
            connection.close()

    def write(self, lines, db="default", **parameters):
        query = urllib.parse.urlencode({"db": db, **parameters})
        return self.request("POST", f"/write?{query}", lines.encode() if isinstance(lines, str) else lines)

    def query(self, expression, db="default", **parameters):
        """The result of an instant query, or of a range query when start is given."""
        path = "/api/v1/query_range" if "start" in parameters else "/api/v1/query"
        form = urllib.parse.urlencode({"query": expression, "db": db, **parameters})
        reply = self.request("POST", path, form, {"Content-Type": "application/x-www-form-urlencoded"})
        answer = reply.json()
        expect_equal(answer["status"], "success", f"{expression}: {answer.get('error')}")
        return answer["data"]["result"]


class StableServer(Server):
    """A server that comes back at the same address."""

    def __init__(self, data):
        self.fixed = free_port()
        super().__init__(data, "--host-metrics", "off", "--http", f"127.0.0.1:{self.fixed}")

    @property
    def fixed_url(self):
        return f"http://127.0.0.1:{self.fixed}"


def run_random(main, **flags):
    """Calls main(options, rng), where each of `flags` is a flag with its default, and --seed repeats a run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("bin")
    for name, default in flags.items():
        parser.add_argument(f"--{name}", type=type(default), default=default)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    options = parser.parse_args()
    print("seed", options.seed, flush=True)
    try:
        main(options, random.Random(options.seed))
    except Failed as error:
        print("FAIL", error)
        sys.exit(1)


def run_tests(names):
    failed = 0
    for name, test in list(names.items()):
        if not name.startswith("test_") or not callable(test):
            continue
        try:
            test()
            print(f"ok   {name}", flush=True)
        except Exception:
            failed += 1
            print(f"FAIL {name}\n{traceback.format_exc()}", flush=True)
    sys.exit(1 if failed else 0)
