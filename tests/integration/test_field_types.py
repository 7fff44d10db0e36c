"""Integers first and a float later: written by line protocol of both versions and by remote write, read by every
endpoint, over kill -9, restarts and compaction; what frees a name; and the policy that refuses."""
import json
import struct
import subprocess
import time
import urllib.parse

from peers import remote_write
from harness import BIN, Server, expect, expect_equal, run_tests, temporary_folder

BIG = 9007199254740993  # that no float is equal to
ARGUMENTS = ("--host-metrics", "off")


def write(server, line, at, db="d"):
    return server.write(f"{line} {at}000000000", db=db)


def taken(reply):
    expect_equal(reply.status, 204, f"a row is taken: {reply.body[:300]}")


def refused(reply, *words):
    expect_equal(reply.status, 400, "a row is refused")
    for word in words:
        expect(word in reply.body.decode(), f"{word!r} in {reply.body!r}")


def get(server, path, db="d", **parameters):
    return server.request("GET", f"{path}?{urllib.parse.urlencode({'db': db, **parameters}, doseq=True)}")


def act(server, path, method="POST", **parameters):
    reply = server.request(method, f"/api/v1/admin/{path}?{urllib.parse.urlencode({'db': 'd', **parameters})}")
    expect_equal(reply.status, 200, f"{path}: {reply.body[:300]}")
    return reply


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def unsnappy(data):
    """Snappy's block format: https://github.com/google/snappy/blob/main/format_description.txt"""
    length, at = varint(data, 0)
    out = bytearray()
    while at < len(data):
        tag = data[at]
        at += 1
        if tag & 3 == 0:
            size = tag >> 2
            if size >= 60:
                count = size - 59
                size = int.from_bytes(data[at:at + count], "little")
                at += count
            out += data[at:at + size + 1]
            at += size + 1
            continue
        if tag & 3 == 1:
            size, offset = (tag >> 2 & 7) + 4, (tag >> 5) << 8 | data[at]
            at += 1
        else:
            count = 2 if tag & 3 == 2 else 4
            size, offset = (tag >> 2) + 1, int.from_bytes(data[at:at + count], "little")
            at += count
        for _ in range(size):
            out.append(out[-offset])
    expect_equal(len(out), length, "snappy: bytes")
    return bytes(out)


def fields(data):
    """(number, value) of a protobuf message."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        elif key & 7 == 1:
            value, at = data[at:at + 8], at + 8
        else:
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
        yield key >> 3, value


def remote_read(server, name, start, end):
    """Samples of each series, as (seconds, value)."""
    matcher = remote_write.field(2, b"__name__") + remote_write.field(3, name.encode())
    query = (b"\x08" + remote_write.varint(start * 1000) + b"\x10" + remote_write.varint(end * 1000)
             + remote_write.field(3, matcher))
    reply = server.request("POST", "/db/d/api/v1/read", remote_write.snappy(remote_write.field(1, query)),
                           {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"})
    expect_equal(reply.status, 200, f"remote read: {reply.body[:300]}")
    out = []
    for _, result in fields(unsnappy(reply.body)):
        for _, series in fields(result):
            out.append([])
            for number, sample in fields(series):
                if number == 2:
                    parts = dict(fields(sample))
                    out[-1].append((parts[2] // 1000, struct.unpack("<d", parts[1])[0]))
    return out


def check_reads(server, base):
    """What all endpoints say of m_v{host="a"} and of up{host="a"}."""
    want = [[base, str(BIG - 1)], [base + 10, "7.5"], [base + 20, "2.5"], [base + 30, "3"]]
    reply = get(server, "/api/v1/query_range", query="m_v", start=base, end=base + 30, step=10).json()
    expect("warnings" not in reply and "infos" not in reply, f"nothing to warn of: {reply}")
    expect_equal([row["values"] for row in reply["data"]["result"]], [want], "query_range")
    expect_equal([row["values"] for row in server.query("up", db="d", start=base, end=base + 20, step=10)],
                 [[[base, "1"], [base + 10, "1"], [base + 20, "0.5"]]], "query_range of up")
    expect_equal([row["value"][1] for row in server.query("m_v", db="d", time=base + 30)], ["3"], "query")
    expect_equal([row["value"][1] for row in server.query("count_over_time(m_v[1h])", db="d", time=base + 30)], ["4"],
                 "count_over_time")
    expect_equal([row["values"] for row in server.query("m_v[1h]", db="d", time=base + 30)], [want], "a range selector")
    expect_equal(get(server, "/api/v1/series", **{"match[]": ["m_v", "up"]}).json()["data"],
                 [{"__name__": "m_v", "host": "a"}, {"__name__": "up", "host": "a"}], "series")
    expect_equal(sorted(get(server, "/api/v1/label/__name__/values").json()["data"]), ["m_v", "up"], "label values")
    expect_equal(sorted(get(server, "/api/v1/metadata").json()["data"]), ["m_v", "up"], "metadata")
    expect_equal(remote_read(server, "m_v", base, base + 60),
                 [[(time_s, float(value)) for time_s, value in want]], "remote read")
    page = get(server, "/federate", **{"match[]": "m_v"}).body.decode()
    samples = [line.split() for line in page.splitlines() if line.startswith("m_v{")]
    expect_equal([(sample[1], int(sample[2])) for sample in samples], [("3", (base + 30) * 1000)], "federate")
    lines = [json.loads(line) for line in get(server, "/api/v1/rows", **{"match[]": "m_v"}).body.splitlines()]
    expect_equal([(line["type"], line["times_ns"], line["values"]) for line in lines[:-1]],
                 [("integer", [base * 10**9], [BIG]),
                  ("float", [(base + s) * 10**9 for s in (10, 20, 30)], [7.5, 2.5, 3])], "rows")
    expect_equal({key: lines[-1]["end"][key] for key in ("series", "rows")}, {"series": 1, "rows": 4}, "rows, the end")
    keys = get(server, "/query", q="SHOW FIELD KEYS FROM m").json()["results"][0]["series"]
    expect_equal([series["values"] for series in keys], [[["v", "float"]]], "SHOW FIELD KEYS")


def test_integers_and_then_floats():
    with temporary_folder() as folder, Server(folder / "data", *ARGUMENTS) as server:
        base = int(time.time()) - 60
        taken(write(server, f"m,host=a v={BIG}i", base))
        taken(write(server, "m,host=a v=2i", base + 10))
        taken(write(server, "up,host=a value=1i", base))
        # As InfluxDB 2 has it.
        taken(server.request("POST", "/api/v2/write?org=o&bucket=d&precision=s", f"m,host=a v=2.5 {base + 20}"))
        # An integer, and one row over another.
        taken(server.write(f"m,host=a v=3i {base + 30}000000000\nm,host=a v=7.5 {base + 10}000000000", db="d"))
        refused(write(server, f"m,host=a v={BIG}i", base + 40), str(BIG), "v", "float")
        status, body = remote_write.send(server.port, "/db/d/api/v1/write",
                                         [({"__name__": "up", "host": "a"}, [((base + 20) * 1000, 0.5)])])
        expect(status in (200, 204), f"remote write: {status} {body}")
        check_reads(server, base)
        server.kill()
        server.start()
        check_reads(server, base)
        act(server, "checkpoint")
        check_reads(server, base)
        server.kill()
        server.start()
        check_reads(server, base)
        act(server, "compact")
        check_reads(server, base)
        expect_equal(server.stop(), 0, "the exit code")
        run = subprocess.run([BIN / "tidemark", "admin", "verify", "--data", folder / "data"], capture_output=True,
                             text=True, timeout=120)
        expect_equal(run.returncode, 0, run.stdout + run.stderr)
        server.start()
        check_reads(server, base)
        taken(write(server, "m,host=a v=4i", base + 35))
        expect_equal([row["value"][1] for row in server.query("m_v", db="d", time=base + 40)], ["4"], "after all that")


def test_two_rows_of_one_request():
    with temporary_folder() as folder, Server(folder / "data", *ARGUMENTS) as server:
        base = int(time.time()) - 60
        taken(server.write(f"m v=1i {base}000000000\nm v=1.5 {base + 1}000000000\nm v=2i {base + 2}000000000", db="d"))
        expect_equal([row["values"] for row in server.query("m_v[1m]", db="d", time=base + 2)],
                     [[[base, "1"], [base + 1, "1.5"], [base + 2, "2"]]], "rows")


def test_a_name_is_free_with_its_last_row():
    with temporary_folder() as folder, Server(folder / "data", *ARGUMENTS) as server:
        base = int(time.time()) - 60
        taken(write(server, 'm,host=a v="text",w=1', base))
        refused(write(server, "m,host=a v=1.5", base), "field type conflict", "already exists as type string")
        act(server, "delete", **{"match[]": '{__name__="m_v"}'})
        act(server, "compact")
        taken(write(server, "m,host=a v=1.5", base))
        refused(write(server, 'm,host=a v="text"', base), "already exists as type float")
        server.kill()
        server.start()
        expect_equal([row["value"][1] for row in server.query("m_v", db="d", time=base)], ["1.5"], "the new type")
        drop = server.request("POST", "/query?" + urllib.parse.urlencode({"db": "d", "q": "DROP MEASUREMENT m"}))
        expect_equal(drop.status, 200, drop.body)
        taken(write(server, "m,host=a v=true", base))
        expect_equal([row["value"][1] for row in server.query("m_v", db="d", time=base)], ["1"], "a boolean")


def test_a_refused_row_leaves_no_type():
    with temporary_folder() as folder, Server(folder / "data", *ARGUMENTS) as server:
        now = int(time.time())
        taken(write(server, "other v=1", now))
        act(server, "retention", keep="1d")
        refused(write(server, "m v=1.5", now - 10 * 86400), "beyond retention")
        expect_equal(get(server, "/api/v1/label/__name__/values").json()["data"], ["other_v"], "names")
        taken(write(server, 'm v="text"', now))


def test_tiers_of_both_types_outlive_the_rows():
    with temporary_folder() as folder, Server(folder / "data", *ARGUMENTS) as server:
        # Two hours of one day, a month ago: integers, then floats, each a row a minute.
        base = (int(time.time()) // 86400 - 30) * 86400 + 3600
        rows = [(base + 60 * i, f"{i}i" if i <= 60 else f"{i + 0.5}") for i in range(1, 121)]
        for at, value in rows:
            taken(write(server, f"m v={value}", at))
        act(server, "rollup", tier="5m:inf")
        act(server, "compact")
        want = [(120, sum(range(1, 121)) + 30)]

        def counted():
            found = server.query("count_over_time(m_v[2h])", db="d", time=base + 7200)
            sums = server.query("sum_over_time(m_v[2h])", db="d", time=base + 7200)
            return [(int(count["value"][1]), float(total["value"][1])) for count, total in zip(found, sums)]
        expect_equal(counted(), want, "with the rows")
        act(server, "retention", keep="1d")
        expect_equal(get(server, "/api/v1/rows", **{"match[]": "m_v"}).body.count(b"integer"), 0, "rows are gone")
        expect_equal(counted(), want, "with tiers")
        refused(write(server, 'm v="text"', int(time.time())), "already exists as type float")
        act(server, "delete", **{"match[]": "m_v"})
        expect_equal(counted(), [], "after a delete")
        taken(write(server, 'm v="text"', int(time.time())))


def test_a_database_may_refuse():
    with temporary_folder() as folder, Server(folder / "data", *ARGUMENTS) as server:
        base = int(time.time()) - 60
        taken(write(server, "m v=1i", base))
        command = [BIN / "tidemark", "admin", "types", "set", "d", "refuse", "--server", server.url]
        run = subprocess.run(command, capture_output=True, text=True, timeout=60)
        expect_equal(run.returncode, 0, run.stdout + run.stderr)
        refused(write(server, "m v=1.5", base), "is type float, already exists as type integer")
        server.stop()
        server.start()
        refused(write(server, "m v=1.5", base), "is type float, already exists as type integer")
        shown = act(server, "types", method="GET").json()["data"]
        expect_equal(shown, {"database": "d", "typeConflicts": "refuse"}, "types")
        act(server, "types", conflicts="widen")
        taken(write(server, "m v=1.5", base))


run_tests(globals())
