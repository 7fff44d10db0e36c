"""Bodies that are bombs, damaged or absurd, in every protocol. See hostile.py."""
import gzip
import json
import random
import socket
import struct
import threading
import urllib.parse

from peers import hostile
from harness import expect, expect_equal, wait_until
from peers.hostile import T0, MIB, UDP_PORT, api, attack, expect_clear
from peers.remote_write import HEADERS, field, snappy, varint
from peers.remote_write import series as series_of


# --- compressed bodies


def write_gzip(body):
    return hostile.SERVER.request("POST", "/write?db=gzip", body, {"Content-Encoding": "gzip"})


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
    expect_equal(hostile.SERVER.query("g_v", db="gzip", time=T0), [], "nothing of a damaged body is written")
    expect_equal(write_gzip(gzip.compress(b"g,m=1 v=1 %d000000000\n" % T0) + gzip.compress(b"g,m=2 v=2 %d000000000" % T0)
                            ).status, 204, "two members")
    expect_equal(len(hostile.SERVER.query("g_v", db="gzip", time=T0)), 2, "both members count")


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
    reply = hostile.SERVER.request("POST", "/api/v1/query", gzip.compress(form, 1), form_type)
    expect_clear(reply, (400, 413), "a query of 16 MiB in a compressed form")


def series(labels, value=1.0, ms=T0 * 1000):
    return series_of(labels, [(ms, value)])


def remote_write(body):
    return hostile.SERVER.request("POST", "/api/v1/write?db=remote", body, HEADERS)


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
        reply = hostile.SERVER.request("POST", f"/api/v1/write?db=meta{n}", snappy(entries), HEADERS)
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
        reply = hostile.SERVER.write(line, db="lines")
        expect_clear(reply, 400, what)
        expect("error" in reply.json(), f"{what}: {reply.body[:200]}")
    # As many bad lines as fit are counted, and few described.
    reply = hostile.SERVER.write(b"m v=\n" * 1_000_000, db="lines")
    expect_clear(reply, 400, "10^6 bad lines")


@attack
def test_many_fields():
    # 300,000 new fields in one line just under the limit of a line, several times over.
    for n in range(3):
        line = f"wide{n} " + ",".join(f"{i:x}=1" for i in range(300_000)) + f" {T0}000000000"
        reply = hostile.SERVER.write(line, db="wide")
        expect(reply.status in (204, 400, 413, 429), f"{reply.status} {reply.body[:200]}")


@attack
def test_bad_database_names():
    for name in ("../../etc", "..", ".", "a/b", "a\\b", "a\0b", "a\nb", "a\x7fb", "x" * 300, "\xff".encode("latin1")):
        quoted = urllib.parse.quote(name, safe="")
        for target in (f"/write?db={quoted}", f"/db/{quoted}/write", f"/api/v2/write?bucket={quoted}&precision=ns"):
            reply = hostile.SERVER.request("POST", target, b"m v=1 1")
            if name == "a/b" or b"\xff" in (name if isinstance(name, bytes) else b"") or reply.status == 404:
                expect(reply.status in (204, 400, 404), f"{target}: {reply.status} {reply.body[:200]}")
                continue
            expect_clear(reply, 400, target)
        reply = api("/api/v1/query", query="m_v", db=name)
        expect(reply.status in (200, 400, 404) and not reply.json().get("data", {}).get("result"), f"{name!r}: {reply.body}")
        if isinstance(name, str) and "\0" not in name:
            reply = hostile.SERVER.request("POST", "/query?" + urllib.parse.urlencode({"q": f'CREATE DATABASE "{name}"'}))
            expect(b'"error"' in reply.body, f"CREATE DATABASE {name!r}: {reply.body}")
    names = hostile.SERVER.request("GET", "/query?q=SHOW%20DATABASES").json()["results"][0]["series"][0]["values"]
    for (name,) in names:
        expect(name.isprintable() and len(name) <= 64 and "/" not in name, f"database {name!r} was made")


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
            return hostile.SERVER.query("good_v", db="udp", time=T0)
        wait_until(arrived, what="a good datagram after bad ones")


@attack
def test_everything_at_once():
    bombs = [(write_gzip, gzip.compress(bytes(100 * MIB), 1)), (remote_write, varint(30 * MIB + 1) + b"\x00\x0a" +
             b"\xfe\x01\x00" * (30 * MIB // 64)), (lambda body: hostile.SERVER.write(body, db="lines"), b"m v=\n" * 1_000_000)]
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


hostile.run(globals())
