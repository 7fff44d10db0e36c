"""What a hostile outsider can send: every attack gets a clear 4xx or 5xx or is cut, the memory of the server stays
below MEMORY_BOUND_MIB (its high-water mark, over all attacks together), and after each attack a healthy write and query
work as before. Limits in time are set short, so that waiting for them costs little."""
import contextlib
import gzip
import json
import pathlib
import random
import re
import socket
import struct
import threading
import time
import urllib.parse

from harness import Failed, Server, expect, expect_equal, free_port, run_tests, temporary_folder, wait_until

T0 = 1_700_000_000
MIB = 1 << 20
# Of one process that has suffered everything below, sanitizers aside. What the flags allow: 128 MiB of bodies, 64 MiB of
# replies, 4 writes with their parsed batch, 2 queries of 64 MiB, 64 MiB staged, 16 MiB of cache, and what the series
# written here need for ever.
MEMORY_BOUND_MIB = 2048
UDP_PORT = free_port(socket.SOCK_DGRAM)
ARGUMENTS = (
    "--host-metrics", "off", "--http-header-timeout", "700ms", "--http-body-grace", "700ms", "--http-body-rate-min",
    "1KiB", "--http-idle-timeout", "3s", "--http-write-threads", "4", "--http-read-threads", "2", "--http-body-memory",
    "128MiB", "--http-decoded-bytes-max", "32MiB", "--write-parse-memory", "256MiB", "--query-max-memory", "64MiB", "--query-timeout", "8s",
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
    expect(used < MEMORY_BOUND_MIB, f"{after}: {used:.0f} MiB of memory, the bound is {MEMORY_BOUND_MIB}")


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


# --- the parts of HTTP


@attack
def test_header_bombs():
    for what, bomb in {
            "one long header": b"GET /ping HTTP/1.1\r\nHost: x\r\nX: " + b"a" * MIB + b"\r\n\r\n",
            "many headers": b"GET /ping HTTP/1.1\r\nHost: x\r\n" + b"a: b\r\n" * 200_000 + b"\r\n",
            "a header that never ends": b"GET /ping HTTP/1.1\r\nHost: x\r\nX: " + b"a" * (4 * MIB),
            "a long target": b"GET /" + b"a" * MIB + b" HTTP/1.1\r\nHost: x\r\n\r\n",
            "a long method": b"G" * MIB,
    }.items():
        got = expect_refused(raw(bomb, half_close=False), what)
        expect(got in ([431], [400], []), f"{what}: {got}")
    many = "&".join(f"a{i}=" for i in range(3000))
    expect_refused(raw(f"GET /ping?{many} HTTP/1.1\r\nHost: x\r\n\r\n".encode()), "many parameters")


@attack
def test_garbage_for_a_request():
    rng = random.Random(1)
    for what, garbage in {
            "random bytes": rng.randbytes(5000), "NUL bytes": bytes(5000), "line ends": b"\r\n" * 5000 + b"\xff\r\n\r\n",
            "a TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + rng.randbytes(500),
            "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "version 9.9": b"GET /ping HTTP/9.9\r\nHost: x\r\n\r\n",
            "no version": b"GET /ping\r\n\r\n", "a space in a name": b"GET /ping HTTP/1.1\r\nHo st: x\r\n\r\n",
            "a space before the colon": b"GET /ping HTTP/1.1\r\nHost : x\r\n\r\n",
            "NUL in a value": b"GET /ping HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n",
            "no host": b"GET /ping HTTP/1.1\r\n\r\n", "two hosts": b"GET /ping HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
            "a bad escape": b"GET /ping?%zz=%1 HTTP/1.1\r\nHost: x\r\n\r\n",
            "half an escape": b"GET /pin%6 HTTP/1.1\r\nHost: x\r\n\r\n",
    }.items():
        got = expect_refused(raw(garbage), what)
        expect(got or what in ("random bytes", "line ends", "NUL bytes"), f"{what}: cut without a word")


@attack
def test_pipelined_garbage():
    good = write_head(len("m v=1 1"), target="/write?db=pipelined") + b"m v=1 1"
    data = raw(good + b"\x00\x01garbage\r\n\r\n" + good)
    expect_equal(statuses(data), [204, 400], "a good request, then garbage; nothing behind it counts")
    data = raw(good * 200 + b"GET / HTTP/1.1\r\n" + b"x" * 10, half_close=False)
    expect_equal(statuses(data)[:200], [204] * 200, "200 pipelined requests")


@attack
def test_request_smuggling():
    hidden = b"POST /write?db=smuggled HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\nm v=1 1"
    chunks = b"0\r\n\r\n"
    head = b"POST /write?db=hostile HTTP/1.1\r\nHost: x\r\n"
    for what, request in {
            "two lengths": head + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n" + hidden,
            "two lengths in a list": head + b"Content-Length: 5, 6\r\n\r\n" + hidden,
            "length and chunked": head + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + hidden,
            "chunked and length": head + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n" + chunks + hidden,
            "chunked twice": head + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + hidden,
            "identity after chunked":
                head + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n" + chunks + hidden,
            "xchunked": head + b"Transfer-Encoding: xchunked\r\n\r\n" + chunks + hidden,
            "a tab": head + b"Transfer-Encoding:\tchunked,\tidentity\r\n\r\n" + chunks + hidden,
            "a vertical tab": head + b"Transfer-Encoding: \x0bchunked\r\n\r\n" + chunks + hidden,
            "a space before the colon": head + b"Transfer-Encoding : chunked\r\nContent-Length: 5\r\n\r\n" + chunks + hidden,
            "a bare CR": head + b"A: b\rTransfer-Encoding: chunked\r\n\r\n" + chunks + hidden,
            "a bad chunk hides one": head + b"Transfer-Encoding: chunked\r\n\r\n0\n\n" + hidden,
            "no CRLF behind a chunk": head + b"Transfer-Encoding: chunked\r\n\r\n1\r\nmXX0\r\n\r\n" + hidden,
    }.items():
        expect_refused(raw(request), what)
    names = SERVER.request("GET", "/query?q=SHOW%20DATABASES").body
    expect(b"smuggled" not in names, "a hidden request was run")
    # What stands in a trailer is not a header.
    body = b"7\r\nm v=1 1\r\n0\r\nContent-Encoding: gzip\r\nX-Request-Id: trailer\r\n\r\n"
    data = raw(head + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + body)
    expect_equal(statuses(data), [204], f"a trailer: {data!r}")
    expect(b"trailer" not in data, "a trailer was taken for a header")


@attack
def test_bad_lengths():
    for length in ("-1", "+5", "0x10", "1e3", "5 5", "", "5,", "99999999999999999999999", "18446744073709551616"):
        expect_equal(expect_refused(raw(write_head(length) + b"m v=1 1"), f"length {length!r}"), [400], length)
    for length in (25_000_001, 1 << 40, 9223372036854775807, 18446744073709551615):
        expect_equal(expect_refused(raw(write_head(length), half_close=False), str(length)), [413], str(length))
    expect_equal(expect_refused(raw(b"POST /write?db=hostile HTTP/1.1\r\nHost: x\r\nContent-Length: 18446744073709551615"
                                    b"\r\nExpect: 100-continue\r\n\r\n"), "expect"), [413], "refused before it is sent")


@attack
def test_bad_chunks():
    head = b"POST /write?db=hostile HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    for what, body in {
            "negative": b"-1\r\nm\r\n0\r\n\r\n", "not hex": b"g\r\nm\r\n0\r\n\r\n", "too long": b"f" * 17 + b"\r\n",
            "0x": b"0x5\r\nm v=1\r\n0\r\n\r\n", "empty": b"\r\nm\r\n0\r\n\r\n",
            "too short": b"3\r\nm v=1 1\r\n0\r\n\r\n", "a NUL": b"\x00\r\n\r\n",
            "zeros without end": b"0" * (2 * MIB),
            "one huge extension": b"1;a=" + b"x" * (4 * MIB) + b"\r\nm\r\n0\r\n\r\n",
            "huge": b"7fffffffffffffff\r\n" + b"m" * 1000, "over the limit": b"2000000\r\n" + b"m" * (27 * MIB),
            "huge trailers": b"0\r\n" + b"a: b\r\n" * 400_000 + b"\r\n",
    }.items():
        expect_refused(raw(head + body), what)
    expect_refused(raw(head + (b"1;" + b"x" * 500 + b"\r\nm\r\n") * 20_000), "10 MB of extensions around 20 kB of body")


# --- slow and silent clients


@attack
def test_slow_senders():
    def trickle(start, piece, results):
        with connect() as connection:
            connection.sendall(start)
            began = time.monotonic()
            connection.settimeout(0.1)
            data = b""
            while time.monotonic() - began < 8:
                with contextlib.suppress(ConnectionError):
                    connection.sendall(piece)
                try:
                    block = connection.recv(1 << 16)
                except TimeoutError:
                    continue
                except ConnectionError:
                    break
                if not block:
                    break
                data += block
            results.append((time.monotonic() - began, statuses(data)))

    cases = {"head": (b"GET /ping HTTP/1.1\r\nHost: x\r\n", b"a"), "nothing but a byte": (b"G", b""),
             "body": (write_head(10_000), b"m"), "half a request": (write_head(10_000) + b"m v=1", b""),
             "chunked body": (b"POST /write HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nm\r\n")}
    threads, outcome = [], {}
    for what, (start, piece) in cases.items():
        outcome[what] = []
        threads.append(threading.Thread(target=trickle, args=(start, piece, outcome[what])))
        threads[-1].start()
    for thread in threads:
        thread.join()
    for what, results in outcome.items():
        (seconds, got), = results
        expect(seconds < 7, f"{what}: was served for {seconds:.1f} s")
        expect_equal(got, [408], what)


@attack
def test_half_requests():
    for what, half in {"half a head": b"GET /pi", "half a body": write_head(100) + b"m v=1 1",
                       "half a chunk": b"POST /write HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nm v=1"
                       }.items():
        expect_refused(raw(half), what)
        with connect() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.sendall(half)
        # Closed with a reset here.
    expect_equal(SERVER.query("m_v", db="hostile", time=T0), [], "half a body must not be written")


@attack
def test_slow_bodies_do_not_lock_others_out():
    # Each declares 25 MB and sends little: together far more than --http-body-memory, if a declaration were enough.
    with contextlib.ExitStack() as stack:
        for size in (24_000_000, 6_000_000, 1_500_000, 400_000, 100_000):
            for _ in range(30):
                connection = stack.enter_context(connect())
                connection.sendall(write_head(size) + b"#" * 2000)
        reply = SERVER.write(f"m v=1 {T0}000000000", db="others")
        expect_equal(reply.status, 204, f"a write beside 150 slow ones: {reply.body}")
        reply = SERVER.write("#" * 1_000_000 + f"\nm v=1 {T0}000000000", db="others")
        expect_equal(reply.status, 204, f"1 MB beside 150 slow ones: {reply.body}")


@attack
def test_idle_connections():
    with contextlib.ExitStack() as stack:
        before = rss_mib("VmRSS")
        idle = [stack.enter_context(connect()) for _ in range(500)]
        expect_equal(SERVER.request("GET", "/ping").status, 204, "beside 500 idle connections")
        healthy("500 idle connections")
        expect(rss_mib("VmRSS") - before < 64, "500 idle connections took more than 64 MiB")
        for connection in idle:
            expect_equal(read_all(connection), b"", "an idle connection is closed without a word")


@attack
def test_slow_readers_of_big_replies():
    # 20,000 points in 40 series: replies of some MB, which nobody takes.
    query = urllib.parse.urlencode({"query": 'big_v[1d]', "db": "big", "time": T0 + 500})
    lines = "".join(f"big,s={s} v={i}.5 {T0 + i}000000000\n" for s in range(200) for i in range(500))
    expect_equal(SERVER.write(lines, db="big").status, 204, "write")
    with contextlib.ExitStack() as stack:
        for _ in range(100):
            connection = stack.enter_context(connect())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.sendall(f"GET /api/v1/query?{query} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        healthy("100 slow readers")
        wait_until(lambda: metric("tidemark_http_connections") < 10, 20, "the slow readers to be cut")


def metric(name):
    for line in SERVER.request("GET", "/metrics").body.decode().splitlines():
        if line.startswith(name + " "):
            return float(line.split()[-1])
    raise Failed(f"/metrics has no {name}")


# --- compressed bodies


def write_gzip(body):
    return SERVER.request("POST", "/write?db=gzip", body, {"Content-Encoding": "gzip"})


@attack
def test_gzip():
    lines = "".join(f"g,i={i} v={i} {T0}000000000\n" for i in range(2000)).encode()
    whole = gzip.compress(lines)
    for what, body in {
            "truncated": whole[:-20], "cut in the middle": whole[:len(whole) // 2], "corrupt": whole[:500] + b"\xff\xff" +
            whole[502:], "a wrong CRC": whole[:-8] + b"\0\0\0\0" + whole[-4:], "no gzip": lines, "a header alone": whole[:10],
            "trailing garbage": whole + b"garbage behind it", "trailing NULs": whole + bytes(600),
            "a wrong size": whole[:-4] + struct.pack("<I", 7),
    }.items():
        expect_clear(write_gzip(body), 400, what)
    expect_clear(write_gzip(whole[:-4] + b"\xff\xff\xff\xff"), (400, 413), "a size of 4 GiB declared")
    expect_equal(SERVER.query("g_v", db="gzip", time=T0), [], "nothing of a damaged body is written")
    expect_equal(write_gzip(gzip.compress(b"g,m=1 v=1 %d000000000\n" % T0) + gzip.compress(b"g,m=2 v=2 %d000000000" % T0)
                            ).status, 204, "two members")
    expect_equal(len(SERVER.query("g_v", db="gzip", time=T0)), 2, "both members count")


@attack
def test_gzip_bombs():
    one = gzip.compress(b"m v=1\n" * 4_000_000, 9)
    zeros = gzip.compress(bytes(100 * MIB), 9)
    lying = one[:-4] + struct.pack("<I", 100)
    for what, body in {"lines": one, "zeros": zeros, "a lying size": lying, "many members": one * 20,
                       "twice": gzip.compress(zeros), "empty members": gzip.compress(b"") * 200_000}.items():
        reply = write_gzip(body)
        expect(reply.status in (200, 204, 400, 413), f"{what}: {reply.status} {reply.body[:200]}")
        if what in ("lines", "zeros", "many members"):
            expect_clear(reply, 413, what)
    # Below the ratio, so that it is unpacked and parsed: 30 MiB of the shortest lines there are.
    rng = random.Random(2)
    short = b"".join(b"m v=%d\n" % rng.randrange(10) for _ in range(4_000_000))
    reply = write_gzip(gzip.compress(short, 1))
    expect(reply.status in (204, 413), f"4 M lines: {reply.status} {reply.body[:200]}")
    # A form is a body too.
    form = b"query=" + b"1%2B" * (8 * MIB) + b"1"
    form_type = {"Content-Encoding": "gzip", "Content-Type": "application/x-www-form-urlencoded"}
    reply = SERVER.request("POST", "/api/v1/query", gzip.compress(form, 1), form_type)
    expect_clear(reply, (400, 413), "a query of 16 MiB in a compressed form")


def varint(number):
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def field(number, content):
    return varint(number << 3 | 2) + varint(len(content)) + content


def series(labels, value=1.0, ms=T0 * 1000):
    sample = b"\x09" + struct.pack("<d", value) + b"\x10" + varint(ms)
    return field(1, b"".join(field(1, field(1, n) + field(2, v)) for n, v in labels) + field(2, sample))


def snappy(message, declared=None):
    """A block of literals: what a compressor makes of noise."""
    out = varint(len(message) if declared is None else declared)
    for at in range(0, len(message), 65536):
        piece = message[at:at + 65536]
        out += b"\xf4" + struct.pack("<H", len(piece) - 1) + piece
    return out


REMOTE = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy",
          "X-Prometheus-Remote-Write-Version": "0.1.0"}


def remote_write(body):
    return SERVER.request("POST", "/api/v1/write?db=remote", body, REMOTE)


@attack
def test_snappy_bombs():
    good = series([(b"__name__", b"up"), (b"job", b"a")])
    expect_equal(remote_write(snappy(good)).status, 204, "a good request")
    expect_clear(remote_write(snappy(good, 1 << 31)), (400, 413), "2 GiB declared")
    expect_clear(remote_write(snappy(good, 0xFFFFFFFF)), (400, 413), "4 GiB declared")
    expect_clear(remote_write(snappy(good, len(good) + 1)), 400, "one more declared than there is")
    expect_clear(remote_write(snappy(good, len(good) - 1)), 400, "one less declared than there is")
    expect_clear(remote_write(snappy(good, 60 * MIB)), (400, 413), "60 MiB declared, a hundred there")
    expect_clear(remote_write(b"\xff" * 11), 400, "a length that does not end")
    expect_clear(remote_write(snappy(good)[:-3]), 400, "truncated")
    expect_clear(remote_write(varint(100) + b"\x0e\xff\xff" * 50), 400, "copies from before the start")
    expect_equal(remote_write(b"").status, 400, "an empty body")
    # A literal of one byte and then copies of it: 21 bytes for each that is sent.
    size = 30 * MIB
    copies = varint(size + 1) + b"\x00\x0a" + b"\xfe\x01\x00" * (size // 64)
    expect_clear(remote_write(copies), 400, "30 MiB of line feeds")
    copies = varint(1600 * MIB + 1) + b"\x00\x0a" + b"\xfe\x01\x00" * (8 * MIB)
    expect_clear(remote_write(copies), (400, 413), "1.6 GiB")
    expect_clear(remote_write(gzip.compress(good)), (400, 415), "gzip that says that it is snappy")


@attack
def test_protobuf():
    name = (b"__name__", b"p")
    for what, message in {
            "a varint without end": b"\x0a" + b"\xff" * 20, "a length over the end": b"\x0a\x7f\x0a\x01a",
            "a length of 2^64-1": b"\x0a" + b"\xff" * 9 + b"\x01", "a length of 2^63": b"\x0a" + b"\x80" * 9 + b"\x01",
            "field 0": b"\x02\x01a", "a group": b"\x0b" * 100_000, "the end of a group": b"\x0c",
            "wire type 7": b"\x0f\x01", "noise": random.Random(3).randbytes(100_000),
            "a label over the series": field(1, b"\x0a\x64" + b"\x0a\x01a"), "a value of 4 bytes":
            field(1, field(1, field(1, b"__name__") + field(2, b"p")) + field(2, b"\x0d\x00\x00\x00\x00")[:4]),
    }.items():
        expect_clear(remote_write(snappy(message)), 400, what)
    nested = b"a"
    for _ in range(3000):
        nested = field(1, nested)
    expect_clear(remote_write(snappy(nested)), 400, "3,000 levels")
    for what, labels in {
            "no name": [(b"job", b"x")], "no labels": [], "a name twice": [name, (b"a", b"1"), (b"a", b"2")],
            "an empty name": [(b"__name__", b"")], "invalid UTF-8": [name, (b"a", b"\xff\xfe")],
            "100,000 labels": [name] + [(b"l%06d" % i, b"v") for i in range(100_000)],
            "a value of 1 MiB": [name, (b"a", b"x" * MIB)], "a name of 1 MiB": [name, (b"x" * MIB, b"a")],
            "a metric of 60 kB": [(b"__name__", b"x" * 60_000)],
    }.items():
        expect_clear(remote_write(snappy(series(labels))), 400, what)
    for what, labels in {"NUL in a name": [name, (b"a\0b", b"1")], "NUL in a value": [name, (b"a", b"1\0")],
                         "NUL in the metric": [(b"__name__", b"p\0q")], "a name over two": [name, (b"a\nb", b"1")]}.items():
        reply = remote_write(snappy(series(labels)))
        expect(reply.status in (204, 400), f"{what}: {reply.status} {reply.body[:200]}")
        if reply.status == 204:
            json.loads(api("/api/v1/series", db="remote", **{"match[]": '{__name__=~"p.*"}'}).body)
    for ms in (2**63, 2**63 - 1, 10**15):
        expect_clear(remote_write(snappy(series([name], 1.0, ms))), 400, f"a time of {ms} ms")


@attack
def test_metadata_flood():
    # Metadata of families that nobody writes, into databases that nobody made.
    for n in range(24):
        entries = b"".join(field(3, field(2, b"family_%d_%d" % (n, i)) + field(4, b"h" * 8000)) for i in range(2000))
        reply = SERVER.request("POST", f"/api/v1/write?db=meta{n}", snappy(entries), REMOTE)
        expect(reply.status in (204, 400, 413), f"{reply.status} {reply.body[:200]}")


# --- lines


@attack
def test_bad_lines():
    t = b" %d000000000" % T0
    for what, line in {
            "truncated": b"m,a=b v=", "a string without end": b'm v="abc', "no fields": b"m,a=b",
            "a tag of 1 MiB": b"m,a=" + b"x" * MIB + b" v=1" + t, "a measurement of 1 MiB": b"x" * MIB + b" v=1" + t,
            "a tag name of 1 MiB": b"m," + b"x" * MIB + b"=1 v=1" + t,
            "a field name of 1 MiB": b"m " + b"x" * MIB + b"=1" + t,
            "a string of 2 MiB": b'm v="' + b"x" * (2 * MIB) + b'"' + t, "a number of 1 MiB": b"m v=" + b"1" * MIB + t,
            "invalid UTF-8": b"m,a=\xff\xfe v=1" + t, "invalid UTF-8 in a string": b'm v="\xc3\x28"' + t,
            "half a surrogate": b'm v="\xed\xa0\x80"' + t, "NUL in a measurement": b"m\0n v=1" + t,
            "NUL in a field": b"m v\0w=1" + t, "10^6 fields": b"m " + b",".join(b"f%d=1" % i for i in range(10**6)) + t,
            "10^6 tags": b"m," + b",".join(b"t%d=1" % i for i in range(10**6)) + b" v=1" + t,
            "only commas": b"," * MIB, "only backslashes": b"\\" * MIB, "only quotes": b'm v="' * 200_000,
            "a time of 30 digits": b"m v=1 " + b"9" * 30, "1e999": b"m v=1e999" + t, "NaN": b"m v=NaN" + t,
            "random bytes": random.Random(4).randbytes(MIB),
    }.items():
        reply = SERVER.write(line, db="lines")
        expect_clear(reply, 400, what)
        expect("error" in reply.json(), f"{what}: {reply.body[:200]}")
    # As many bad lines as fit are counted, and few described.
    reply = SERVER.write(b"m v=\n" * 1_000_000, db="lines")
    expect_clear(reply, 400, "10^6 bad lines")


@attack
def test_many_fields():
    # 300,000 new fields in one line just under the limit of a line, several times over.
    for n in range(3):
        line = f"wide{n} " + ",".join(f"{i:x}=1" for i in range(300_000)) + f" {T0}000000000"
        reply = SERVER.write(line, db="wide")
        expect(reply.status in (204, 400, 413, 429), f"{reply.status} {reply.body[:200]}")


@attack
def test_bad_database_names():
    for name in ("../../etc", "..", ".", "a/b", "a\\b", "a\0b", "a\nb", "a\x7fb", "x" * 300, "\xff".encode("latin1")):
        quoted = urllib.parse.quote(name, safe="")
        for target in (f"/write?db={quoted}", f"/db/{quoted}/write", f"/api/v2/write?bucket={quoted}&precision=ns"):
            reply = SERVER.request("POST", target, b"m v=1 1")
            if name == "a/b" or b"\xff" in (name if isinstance(name, bytes) else b"") or reply.status == 404:
                expect(reply.status in (204, 400, 404), f"{target}: {reply.status} {reply.body[:200]}")
                continue
            expect_clear(reply, 400, target)
        reply = api("/api/v1/query", query="m_v", db=name)
        expect(reply.status in (200, 400, 404) and not reply.json().get("data", {}).get("result"), f"{name!r}: {reply.body}")
        if isinstance(name, str) and "\0" not in name:
            reply = SERVER.request("POST", "/query?" + urllib.parse.urlencode({"q": f'CREATE DATABASE "{name}"'}))
            expect(b'"error"' in reply.body, f"CREATE DATABASE {name!r}: {reply.body}")
    names = SERVER.request("GET", "/query?q=SHOW%20DATABASES").json()["results"][0]["series"][0]["values"]
    for (name,) in names:
        expect(name.isprintable() and len(name) <= 64 and "/" not in name, f"database {name!r} was made")


# --- queries


@attack
def test_bad_promql():
    depth = 5000
    for what, query in {
            "parentheses": "(" * depth + "1" + ")" * depth, "open parentheses": "(" * depth, "signs": "-" * depth + "1",
            "calls": "abs(" * 3000 + "vector(1)" + ")" * 3000, "a chain": "+".join(["1"] * 8000),
            "powers": "^".join(["2"] * 8000), "subqueries": "up" + "[1m:1s]" * 2000, "17 KiB": "a" * 17_000,
            "1 MB": "vector(1) + " * 80_000 + "1", "braces": "{" * depth, "quotes": "'" * 4999, "NUL": "up\0", "": "",
            "invalid UTF-8": b"up{a=\"\xff\"}", "a bad regex": 'up{a=~"("}', "repetition": 'up{a=~"(x{1000}){1000}"}',
            "a backreference": r'up{a=~"(a)\\1"}', "comments": "#" * 10_000, "an offset over the end": "up offset 999999999y",
            "a range over the end": "rate(up[999999999999y])", "@ 1e300": "up @ 1e300", "@ NaN": "up @ NaN",
            "a topk": "topk(1e300", "numbers": "1" * 15_000 + "x", "matches everything": '{a=~".*"}',
    }.items():
        reply = api("/api/v1/query", query=query, db="big", time=T0)
        expect_clear(reply, (400, 413, 422), what)
        expect_equal(reply.json()["status"], "error", what)
        reply = api("/api/v1/format_query", query=query)
        expect(reply.status in (200, 400, 413), f"format {what}: {reply.status} {reply.body[:200]}")
    grown = "big_v"
    for _ in range(60):
        grown = f'label_join({grown}, "s", "", "s", "s")'
    expect_clear(api("/api/v1/query", query=grown, db="big", time=T0), 422, "a label that doubles 60 times")
    grown = "big_v"
    for _ in range(8):
        grown = f'label_replace({grown}, "s", "{"$1" * 100}", "s", "(.*)")'
    expect_clear(api("/api/v1/query", query=grown, db="big", time=T0), 422, "a label that grows 100 times 8 times")
    for what, query in {
            "nested stars": 'big_v{s=~"(((((a*)*)*)*)*)*b"}', "alternatives": 'big_v{s=~"' + "|".join(["(x+x+)+y"] * 200) + '"}',
            "or of ors": " or ".join(["big_v"] * 900), "a huge k": "topk(1e300, big_v)", "k NaN": "topk(NaN, big_v)",
            "quantile": "quantile(-1e300, big_v)", "round to 0": "round(big_v, 0)", "clamp": "clamp(big_v, 2, 1)",
            "limits of numbers": "1e308 * 10 / 0 % 0 ^ -1e308", "count_values": 'count_values("' + "x" * 5000 + '", big_v)',
            "@ far away": "big_v @ 9e15", "offset far away": "big_v offset 290y", "range far away": "rate(big_v[290y])",
            "predict": "predict_linear(big_v[1h], 1e308)", "join": 'label_join(big_v, "d", "-"' + ', "s"' * 2000 + ")",
            "replace": 'label_replace(big_v, "d", "' + "$1" * 2000 + '", "s", "(.*)")',
    }.items():
        reply = api("/api/v1/query", query=query, db="big", time=T0 + 100)
        expect(reply.status in (200, 400, 413, 422), f"{what}: {reply.status} {reply.body[:300]}")
        json.loads(reply.body)


@attack
def test_bad_times_and_steps():
    for bad in ("NaN", "inf", "-inf", "Inf", "1e300", "-1e300", "x", "1" * 400, "2030-13-45T99:99:99Z", "\0", "1;2"):
        reply = api("/api/v1/query", query="big_v", db="big", time=bad)
        expect_clear(reply, 400, f"time {bad!r}")
        reply = api("/api/v1/query_range", query="big_v", db="big", start=bad, end=T0, step=1)
        expect_clear(reply, 400, f"start {bad!r}")
        reply = api("/api/v1/query_range", query="big_v", db="big", start=T0, end=bad, step=1)
        expect_clear(reply, 400, f"end {bad!r}")
        for path in ("/api/v1/series", "/api/v1/labels"):
            reply = api(path, **{"match[]": "big_v"}, db="big", start=bad)
            expect_clear(reply, 400, f"{path} start {bad!r}")
    for step in ("0", "-1", "NaN", "inf", "1e300", "1e-300", "0.0001", "", "x", "1y1"):
        expect_clear(api("/api/v1/query_range", query="big_v", db="big", start=T0, end=T0 + 10, step=step), 400, step)
    for start, end, step in ((T0, T0 + 11_001, 1), (T0, T0 + 86_400, 0.001), (-9e15, 9e15, 1), (-9e9, 9e9, 1)):
        reply = api("/api/v1/query_range", query="big_v", db="big", start=start, end=end, step=step)
        expect_clear(reply, 400, f"{start} {end} {step}")
    reply = api("/api/v1/query_range", query="big_v", db="big", start=T0, end=T0 + 11_000, step=1)
    expect(reply.status in (200, 422), f"11,000 steps: {reply.status} {reply.body[:200]}")
    for time_ in ("-1e9", "-1", "0", "9e15"):
        reply = api("/api/v1/query", query="big_v", db="big", time=time_)
        expect(reply.status in (200, 400), f"time {time_}: {reply.status} {reply.body[:200]}")
    for key in ("timeout", "limit", "lookback_delta", "resolution"):
        for bad in ("x", "-5", "NaN", "1e300", "9" * 40):
            reply = api("/api/v1/query", query="big_v", db="big", time=T0, **{key: bad})
            expect(reply.status in (200, 400, 503), f"{key}={bad}: {reply.status} {reply.body[:200]}")
    subquery = "max_over_time(big_v[290y:1ms])"
    expect_clear(api("/api/v1/query", query=subquery, db="big", time=T0), (400, 422, 503), subquery)
    reply = api("/api/v1/query", query="sum_over_time(" * 8 + "big_v[1d]" + ")[1d:1s]" * 7 + ")", db="big", time=T0)
    expect(reply.status in (400, 422, 503), f"subqueries of subqueries: {reply.status} {reply.body[:200]}")


@attack
def test_floods_of_series():
    for n in range(10):
        lines = "".join(f"flood,id={i} v={i} {T0}000000000\n" for i in range(n * 10_000, n * 10_000 + 10_000))
        expect_equal(SERVER.write(lines, db="flood").status, 204, "write")
    for what, query in {
            "everything": '{__name__=~".+"}', "everything squared": '{__name__=~".+"} * on() group_left {__name__=~".+"}',
            "a cartesian product": "flood_v * ignoring(id) group_left flood_v", "many to many": "flood_v * on() flood_v",
            "ors": " or ".join(['{__name__=~".+"}'] * 20), "counted values": 'count_values("x", flood_v)',
            "labels joined": 'label_join(flood_v, "x", "' + "y" * 5000 + '", "id", "id")',
    }.items():
        for path, times in (("/api/v1/query", {"time": T0}),
                            ("/api/v1/query_range", {"start": T0, "end": T0 + 10_000, "step": 1})):
            reply = api(path, query=query, db="flood", **times)
            expect(reply.status in (200, 400, 422, 503), f"{what}: {reply.status} {reply.body[:200]}")
            expect(path.endswith("query") or reply.status != 200, f"{what}: 10^9 points for 64 MiB of memory")
            expect(reply.json()["status"] in ("success", "error"), what)
    reply = api("/api/v1/series", **{"match[]": '{__name__=~".+"}'}, db="flood")
    expect(reply.status in (200, 400, 422), f"series: {reply.status}")
    api("/api/v1/labels", **{"match[]": ['{__name__=~".+"}'] * 900}, db="flood")
    # More series than a database may have: refused, by name, and the old ones still written.
    lines = "".join(f"flood,id={i} v={i} {T0}000000000\n" for i in range(90_000, 230_000))
    expect_clear(SERVER.write(lines, db="flood"), 400, "series over the limit")
    expect_equal(SERVER.write(f"flood,id=7 v=8 {T0}000000000", db="flood").status, 204, "a series that is known")


@attack
def test_queries_are_not_stopped_by_a_client_that_goes_away():
    query = urllib.parse.urlencode({"query": "flood_v * on() group_left flood_v or " * 5 + "flood_v", "db": "flood",
                                    "start": T0, "end": T0 + 1000, "step": 1})
    for _ in range(30):
        with connect() as connection:
            connection.sendall(f"GET /api/v1/query_range?{query} HTTP/1.1\r\nHost: x\r\n\r\n".encode())


@attack
def test_bad_influxql():
    for what, query in {
            "": "", "quotes": '"' * 5000, "an open string": "SHOW DATABASES '", "a comment without end": "/* ",
            "brackets": "(" * 5000, "nothing known": "FROBNICATE ALL", "a select": "SELECT * FROM \"m\"", "NUL": "SHOW\0",
            "invalid UTF-8": b"\xff\xfe", "drop what is not": "DROP", "create nothing": "CREATE DATABASE",
            "a bad duration": "CREATE DATABASE x WITH DURATION 99999999999999999999h", "regexes": "SHOW MEASUREMENTS WITH "
            "MEASUREMENT =~ /(((((a*)*)*)*)*)*b/", "limits": "SHOW MEASUREMENTS LIMIT 99999999999999999999999",
    }.items():
        for method in ("GET", "POST"):
            reply = SERVER.request(method, "/query?db=big&" + urllib.parse.urlencode({"q": query}))
            expect(reply.status in (200, 400), f"{method} {what}: {reply.status} {reply.body[:200]}")
            expect(b'"error"' in reply.body, f"{method} {what}: {reply.body[:200]}")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    reply = SERVER.request("POST", "/query", urllib.parse.urlencode({"q": "SHOW DATABASES;" * 40_000}), form)
    expect_clear(reply, 400, "40,000 statements")
    reply = SERVER.request("GET", "/query?" + urllib.parse.urlencode({"q": "DROP DATABASE big"}))
    expect(b"POST" in reply.body, "a link must not drop anything")
    expect(SERVER.query("count(big_v)", db="big", time=T0 + 100), "big is still there")


@attack
def test_udp():
    rng = random.Random(5)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        target = ("127.0.0.1", UDP_PORT)
        for datagram in (b"", b"\0" * 1000, rng.randbytes(60_000), b"m v=", b"\n" * 65_000, b'm v="' + b"x" * 65_000,
                         b"x" * 65_507, b"m,a=b " + b",".join(b"f%d=1" % i for i in range(8000))[:65_000]):
            for _ in range(50):
                sender.sendto(datagram, target)

        def arrived():
            sender.sendto(b"good v=1 %d" % T0, target)
            return SERVER.query("good_v", db="udp", time=T0)
        wait_until(arrived, 10, "a good datagram after bad ones")


@attack
def test_everything_at_once():
    bombs = [(write_gzip, gzip.compress(bytes(100 * MIB), 1)), (remote_write, varint(30 * MIB + 1) + b"\x00\x0a" +
             b"\xfe\x01\x00" * (30 * MIB // 64)), (lambda body: SERVER.write(body, db="lines"), b"m v=\n" * 1_000_000)]
    codes = []

    def send(bomb):
        call, body = bomb
        for _ in range(3):
            codes.append(call(body).status)
    threads = [threading.Thread(target=send, args=(bombs[i % len(bombs)],)) for i in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expect(len(codes) == 36 and set(codes) <= {400, 413, 503}, f"{codes}")


def test_memory_stayed_within_its_bound_and_a_restart_has_the_points():
    print(f"     {rss_mib():.0f} MiB at most, bound {MEMORY_BOUND_MIB} MiB")
    expect_equal(SERVER.stop(), 0, "exit code")
    SERVER.start()
    expect_equal(SERVER.query("count_over_time(healthy_v[1d])", db="healthy", time=T0 + HEALTHY)[0]["value"][1],
                 str(HEALTHY), "healthy points after a restart")


with temporary_folder() as folder:
    SERVER = Server(folder / "data", *ARGUMENTS)
    with SERVER:
        run_tests(globals())
