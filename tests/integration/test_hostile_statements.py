"""Queries and statements that are wrong, absurd or too large. See hostile.py."""
import json
import urllib.parse

from peers import hostile
from harness import expect, expect_equal
from peers.hostile import T0, api, attack, connect, expect_clear, write_big


@attack
def test_bad_promql():
    write_big()
    depth = 5000
    for what, query in {
            "parentheses": "(" * depth + "1" + ")" * depth, "open parentheses": "(" * depth, "signs": "-" * depth + "1",
            "calls": "abs(" * 3000 + "vector(1)" + ")" * 3000, "a chain": "+".join(["1"] * 8000),
            "powers": "^".join(["2"] * 8000), "subqueries": "up" + "[1m:1s]" * 2000, "1.1 MB": "a" * 1_100_000,
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
        expect_equal(hostile.SERVER.write(lines, db="flood").status, 204, "write")
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
    expect_clear(hostile.SERVER.write(lines, db="flood"), 400, "series over the limit")
    expect_equal(hostile.SERVER.write(f"flood,id=7 v=8 {T0}000000000", db="flood").status, 204, "a series that is known")


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
            "a bad duration": "CREATE DATABASE x WITH DURATION 99999999999999999999h", "a bad regex": "SHOW MEASUREMENTS WITH "
            "MEASUREMENT =~ /(/", "a bad regex of a tag": "SHOW TAG KEYS WHERE s =~ /(/", "a regex without end":
            "SHOW TAG VALUES WITH KEY =~ /" + "a" * 5000, "repetition": "SHOW TAG VALUES WITH KEY =~ /(x{1000}){1000}/",
            "limits": "SHOW MEASUREMENTS LIMIT 99999999999999999999999",
    }.items():
        for method in ("GET", "POST"):
            reply = hostile.SERVER.request(method, "/query?db=big&" + urllib.parse.urlencode({"q": query}))
            expect(reply.status in (200, 400), f"{method} {what}: {reply.status} {reply.body[:200]}")
            expect(b'"error"' in reply.body, f"{method} {what}: {reply.body[:200]}")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for regex in ("(((((a*)*)*)*)*)*b", "|".join(["(x+x+)+y"] * 200), ".*" * 200 + "x"):
        for statement in (f"SHOW MEASUREMENTS WITH MEASUREMENT =~ /{regex}/", f"SHOW TAG VALUES WITH KEY = s WHERE s =~ /{regex}/"):
            reply = hostile.SERVER.request("POST", "/query", urllib.parse.urlencode({"q": statement, "db": "big"}), form)
            expect(reply.status == 200, f"{statement[:100]}: {reply.status} {reply.body[:200]}")
    reply = hostile.SERVER.request("POST", "/query", urllib.parse.urlencode({"q": "SHOW DATABASES;" * 40_000}), form)
    expect_clear(reply, 400, "40,000 statements")
    reply = hostile.SERVER.request("GET", "/query?" + urllib.parse.urlencode({"q": "DROP DATABASE big"}), None,
                                   {"Sec-Fetch-Site": "cross-site"})
    expect(b"POST" in reply.body, "a link must not drop anything")
    expect(hostile.SERVER.query("count(big_v)", db="big", time=T0 + 100), "big is still there")


hostile.run(globals())
