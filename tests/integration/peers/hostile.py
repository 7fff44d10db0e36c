"""What a hostile outsider can send: every attack gets a clear 4xx or 5xx or is cut, the memory of the server stays
below MEMORY_BOUND_MIB (its high-water mark, over all attacks of one file together), and after each attack a healthy
write and query work as before. Limits in time are set short, so that waiting for them costs little."""
import contextlib
import pathlib
import re
import socket
import time
import urllib.parse

from harness import (SLOWNESS, Failed, Server, expect, expect_bounded, expect_equal, free_port, run_tests,
                     temporary_folder)

T0 = 1_700_000_000
MIB = 1 << 20
# Of one process that has suffered everything below, sanitizers aside. What the flags allow: 128 MiB of bodies, 64 MiB of
# replies, 4 writes with their parsed batch, 2 queries of 64 MiB, 64 MiB staged, 16 MiB of cache, and what the series
# written here need for ever.
MEMORY_BOUND_MIB = 2048
UDP_PORT = free_port(socket.SOCK_DGRAM)
ARGUMENTS = (
    "--host-metrics", "off", "--http-header-timeout", "700ms", "--http-body-grace", "700ms", "--http-body-stall", "700ms",
    "--http-body-rate-min", "1KiB", "--http-idle-timeout", "3s", "--http-write-threads", "4", "--http-read-threads", "2", "--http-body-memory",
    "128MiB", "--http-decoded-bytes-max", "32MiB", "--write-parse-memory", "256MiB", "--query-max-memory", "64MiB",
    "--query-timeout", f"{8 * SLOWNESS}s",
    "--storage-staged-bytes", "64MiB", "--storage-cache-bytes", "16MiB", "--storage-max-series-per-database", "200000",
    "--udp", f"127.0.0.1:{UDP_PORT},db=udp,precision=s,batch=64KiB,interval=20ms")
SERVER = None
HEALTHY = 0


def rss_mib(which="VmHWM"):
    text = pathlib.Path(f"/proc/{SERVER.process.pid}/status").read_text()
    return int(text.split(which + ":")[1].split()[0]) / 1024


def healthy(after):
    """The server lives, takes a point and shows it at once, and has not used more memory than it may."""
    global HEALTHY
    HEALTHY += 1
    expect(SERVER.process.poll() is None, f"the server died of {after}: {SERVER.log_text()}")
    reply = SERVER.write(f"healthy v={HEALTHY}i {T0 + HEALTHY}000000000", db="healthy")
    expect_equal(reply.status, 204, f"healthy write after {after}: {reply.body}")
    expect_equal(SERVER.query("healthy_v", db="healthy", time=T0 + HEALTHY)[0]["value"][1], str(HEALTHY),
                 f"healthy query after {after}")
    used = rss_mib()
    expect_bounded(used < MEMORY_BOUND_MIB, f"{after}: {used:.0f} MiB of memory, the bound is {MEMORY_BOUND_MIB}")


def attack(test):
    def run():
        began = time.monotonic()
        test()
        healthy(test.__name__)
        print(f"     {time.monotonic() - began:5.2f} s, {rss_mib():4.0f} MiB at most so far", flush=True)
    run.__name__ = test.__name__
    return run


def connect(timeout=10):
    return socket.create_connection(("127.0.0.1", SERVER.port), timeout=timeout)


def read_all(connection):
    """Everything up to the end or the reset."""
    data = b""
    with contextlib.suppress(ConnectionError):
        while block := connection.recv(1 << 16):
            data += block
    return data


def raw(*pieces, half_close=True):
    """The bytes of the answer to bytes that no HTTP client would send."""
    with connect() as connection:
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                connection.sendall(piece)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
        return read_all(connection)


def statuses(data):
    """The codes of the replies in `data`, by their status lines."""
    return [int(code) for code in re.findall(rb"HTTP/1\.1 (\d\d\d) ", data)]


def expect_refused(data, what, allowed=(400, 405, 408, 411, 413, 414, 417, 431, 501, 505)):
    """One clear refusal and the end, or a cut without any answer."""
    got = statuses(data)
    expect(len(got) <= 1 and all(code in allowed for code in got), f"{what}: {data[:300]!r}")
    return got


def expect_clear(reply, codes, what):
    """A refusal with words that somebody can act on, and never an internal error."""
    codes = codes if isinstance(codes, tuple) else (codes,)
    expect(reply.status in codes, f"{what}: {reply.status} {reply.body[:300]!r}")
    expect(len(reply.body.strip()) > 5, f"{what}: no words in {reply.body!r}")
    expect(len(reply.body) < 512 * 1024, f"{what}: {len(reply.body)} bytes of answer")


def api(path, **parameters):
    return SERVER.request("POST", path, urllib.parse.urlencode(parameters, doseq=True),
                          {"Content-Type": "application/x-www-form-urlencoded"})


def write_head(length, *headers, target="/write?db=hostile"):
    lines = [f"POST {target} HTTP/1.1", "Host: x", f"Content-Length: {length}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def metric(name):
    for line in SERVER.request("GET", "/metrics").body.decode().splitlines():
        if line.startswith(name + " "):
            return float(line.split()[-1])
    raise Failed(f"/metrics has no {name}")


def write_big():
    """100,000 points in 200 series: what big replies are made of."""
    lines = "".join(f"big,s={s} v={i}.5 {T0 + i}000000000\n" for s in range(200) for i in range(500))
    expect_equal(SERVER.write(lines, db="big").status, 204, "write")


def memory_stayed_within_its_bound_and_a_restart_has_the_points():
    print(f"     {rss_mib():.0f} MiB at most, bound {MEMORY_BOUND_MIB} MiB")
    expect_equal(SERVER.stop(), 0, "exit code")
    SERVER.start()
    expect_equal(SERVER.query("count_over_time(healthy_v[1d])", db="healthy", time=T0 + HEALTHY)[0]["value"][1],
                 str(HEALTHY), "healthy points after a restart")


def run(tests):
    """Runs the attacks of a file against one server."""
    global SERVER
    with temporary_folder() as folder:
        SERVER = Server(folder / "data", *ARGUMENTS)
        with SERVER:
            run_tests({**tests, "test_memory_stayed_within_its_bound_and_a_restart_has_the_points": memory_stayed_within_its_bound_and_a_restart_has_the_points})
