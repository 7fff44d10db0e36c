"""Connections and messages that are wrong, slow, huge or half there. See hostile.py."""
import contextlib
import random
import socket
import struct
import threading
import time
import urllib.parse

from peers import hostile
from harness import expect, expect_bounded, expect_equal, wait_until
from peers.hostile import (T0, MIB, api, attack, connect, expect_refused, healthy, metric, raw, read_all, rss_mib,
                     statuses, write_big, write_head)


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
    many = "&".join(f"a{i}=" for i in range(20_000))
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
    names = hostile.SERVER.request("GET", "/query?q=SHOW%20DATABASES").body
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
            # Far longer than the timeouts in force: a client that is never told has no answer in the end.
            while time.monotonic() - began < 60:
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
            results.append(statuses(data))

    cases = {"head": (b"GET /ping HTTP/1.1\r\nHost: x\r\n", b"a"), "nothing but a byte": (b"G", b""),
             "half a request": (write_head(10_000) + b"m v=1", b""),
             "half a chunked body": (b"POST /write HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nm\r\n", b"")}
    threads, outcome = [], {}
    for what, (start, piece) in cases.items():
        outcome[what] = []
        threads.append(threading.Thread(target=trickle, args=(start, piece, outcome[what])))
        threads[-1].start()
    for thread in threads:
        thread.join()
    for what, results in outcome.items():
        expect_equal(results, [[408]], what)


@attack
def test_slow_bodies_are_waited_for_while_there_is_room():
    # A radio link of some bytes in a second: slower than --http-body-rate-min, for longer than --http-body-grace.
    body = f"slow_link v=1 {T0}000000000".encode()
    with connect() as connection:
        connection.sendall(write_head(len(body)))
        for byte in body:
            connection.sendall(bytes([byte]))
            time.sleep(0.1)
        connection.settimeout(30)
        expect_equal(statuses(connection.recv(1 << 16)), [204], "a body that took three seconds")


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
    expect_equal(hostile.SERVER.query("m_v", db="hostile", time=T0), [], "half a body must not be written")


@attack
def test_slow_bodies_do_not_lock_others_out():
    # Each declares 25 MB and sends little: together far more than --http-body-memory, if a declaration were enough.
    with contextlib.ExitStack() as stack:
        for size in (24_000_000, 6_000_000, 1_500_000, 400_000, 100_000):
            for _ in range(30):
                connection = stack.enter_context(connect())
                connection.sendall(write_head(size) + b"#" * 2000)
        reply = hostile.SERVER.write(f"m v=1 {T0}000000000", db="others")
        expect_equal(reply.status, 204, f"a write beside 150 slow ones: {reply.body}")
        reply = hostile.SERVER.write("#" * 1_000_000 + f"\nm v=1 {T0}000000000", db="others")
        expect_equal(reply.status, 204, f"1 MB beside 150 slow ones: {reply.body}")


@attack
def test_idle_connections():
    with contextlib.ExitStack() as stack:
        before = rss_mib("VmRSS")
        idle = [stack.enter_context(connect()) for _ in range(500)]
        expect_equal(hostile.SERVER.request("GET", "/ping").status, 204, "beside 500 idle connections")
        healthy("500 idle connections")
        expect_bounded(rss_mib("VmRSS") - before < 64, "500 idle connections took more than 64 MiB")
        for connection in idle:
            expect_equal(read_all(connection), b"", "an idle connection is closed without a word")


@attack
def test_slow_readers_of_big_replies():
    # 20,000 points in 40 series: replies of some MB, which nobody takes.
    query = urllib.parse.urlencode({"query": 'big_v[1d]', "db": "big", "time": T0 + 500})
    write_big()
    with contextlib.ExitStack() as stack:
        for _ in range(100):
            connection = stack.enter_context(connect())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.sendall(f"GET /api/v1/query?{query} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        healthy("100 slow readers")
        wait_until(lambda: metric("tidemark_http_connections") < 10, what="the slow readers to be cut")


hostile.run(globals())
