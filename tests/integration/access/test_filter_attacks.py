"""Attacks on a token with a label filter: what is asked so that a filter of the query's text would let it through.

Each question goes to a server with all series, with the filtered token, and to one that holds the permitted series only:
the answers must be the same (see ../test_label_filters.py, which asks what is usual). What has no such answer, as an
error that names a series, is looked through for words that only others' series have.
"""
import json
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import Server, expect, expect_equal, run_tests, temporary_folder, wait_until  # noqa: E402
from peers.remote_write import field, series, snappy, varint  # noqa: E402
from test_access import ask, bearer  # noqa: E402
from test_label_filters import NOW, Pair, make, quoted, two_servers  # noqa: E402

OFF = ("--host-metrics", "off")
AT = NOW - 60

PROMQL = [
    # Alternatives and set operators.
    'up or ignoring(team) up{team="b"}', 'only_a or only_b or only_c', 'up{team="b"} or vector(1)',
    'up or on() {team="b"}', '(up{team=~"b"} or up{team!~"a"}) unless up{team="a"}', "only_b and only_c",
    'vector(1) unless on() only_b', "count(up) - count(only_b) or count(up)",
    # What is said of series that are not there.
    'absent(up{team="b"})', 'absent(only_b{team="b", host="h1"})', "absent_over_time({team='b'}[10m])",
    'count(only_b) or absent(only_b)', 'scalar(only_b{host="h0", dc="x"})', 'vector(scalar(count({team=~"b|c"})))',
    'present_over_time({__name__=~"only_.*"}[1h])',
    # Labels that a query writes anew.
    'label_replace(only_b, "team", "a", "", "")', 'label_replace({__name__=~"only_.+"}, "team", "a", "team", ".+")',
    'label_join({__name__!=""}, "team", "", "dc")', 'count_values("team", up)', 'count_values without(team) ("v", {__name__=~".+"})',
    'sum by (team) (label_replace(up, "team", "$1", "host", "(.*)"))', 'label_replace(up, "__name__", "only_b", "", "")',
    # Times that are elsewhere.
    f"up @ {AT}", f'sum(up{{team="b"}} @ {AT})', "count(up @ start()) + count(up @ end())", "up offset -5m",
    f"max_over_time(count({{__name__=~'.+'}})[10m:1m] @ {AT})", f"sum_over_time((sum(up) @ {AT})[5m:1m])",
    "count_over_time({team=~'.*'}[1h] offset 1m)", "last_over_time(only_b[1h:30s] @ end())",
    # Subqueries, nested and on functions.
    "max_over_time(rate(cpu_usage[2m])[10m:1m])", "sum(sum_over_time(count(up)[5m:1m]))", 'quantile_over_time(1, count(up{team!="a"})[10m:1m])',
    "max_over_time(max_over_time(count({__name__=~'only_.*'})[5m:1m])[10m:2m])",
    # Names and matchers of every kind.
    '{__name__=~".+"}', '{__name__=~"only_b|only_a"}', '{__name__!~"up"}', '{team!=""}', '{team!="a"}', '{team=~""}', '{team=~"|b"}',
    '{team=~".*b.*|.*"}', '{team!~"^$"}', '{host="h1", team=""}', '{host=~".*", team!~"a|c"}', '{"only_b"}', '{"only_b", team="b"}',
    '{__name__="only_b", __name__!="up"}', '{team="a", team="b"}', '{team=~"a", team!="a"}', '{team=~"(?i)B"}', '{team=~"[^a]"}',
    '{team=~"b\\\\|a"}', "{message=~'.+'}", 'up{team="b\\x00"}', 'up{team="a"} + ignoring(team) group_left up{team="b"}',
    # Joins, and series that enrich others.
    "info(up)", 'info(up, {__name__="only_b"})', 'info(up, {team="b"})', "up * on() group_left(team) only_b",
    'up * on(host, dc) group_right(team) {__name__=~"only_.*"}', "sum(up) / on() group_left sum(only_b)",
    # Choices and orders.
    "limitk(100, {__name__=~'.+'})", "limitk by (team) (1, up)", "limit_ratio(1.0, up)", "limit_ratio(-1.0, up)", "topk(100, {__name__=~'only_.*'})",
    "bottomk(1, up{team=~'.*'})", "sort_by_label(up, 'team')", "sort_by_label_desc({__name__=~'only_.*'}, 'team')",
    # Aggregates that count what is there.
    "count(count by (team) ({__name__=~'.+'}))", "group by (__name__, team) ({__name__=~'.+'})", "quantile by (team) (0.5, up)",
    "histogram_quantile(0.5, sum by (le, team) (lat_bucket))", "stddev by () (cpu_load)", "sum(timestamp({__name__=~'.+'}))",
    "predict_linear(only_b[10m], 60)", "deriv({team='b'}[10m])", "changes({__name__=~'only_.*'}[10m])", "mad_over_time(only_b[10m])",
]

STATEMENTS = [
    "SHOW SERIES WHERE team = 'b'", "SHOW SERIES WHERE team =~ /.*/", "SHOW SERIES WHERE team !~ /a/", "SHOW SERIES WHERE (team = 'a' OR team = 'b') AND dc = 'x'",
    "SHOW SERIES FROM /only.*/", "SHOW SERIES LIMIT 1000", "SHOW SERIES LIMIT 2 OFFSET 2", "SHOW SERIES CARDINALITY", "SHOW SERIES EXACT CARDINALITY",
    "SHOW TAG VALUES WITH KEY = team", "SHOW TAG VALUES WITH KEY != host", "SHOW TAG VALUES WITH KEY =~ /te.*/ LIMIT 10",
    "SHOW TAG VALUES FROM only_b WITH KEY = host", "SHOW TAG VALUES WITH KEY = team WHERE dc = 'x'", "SHOW TAG VALUES WITH KEY IN (team, dc) WHERE team = 'b'",
    "SHOW TAG VALUES CARDINALITY WITH KEY = team", "SHOW TAG KEYS FROM only_b", "SHOW TAG KEYS WHERE team = 'b'", "SHOW TAG KEYS LIMIT 3",
    "SHOW MEASUREMENTS WITH MEASUREMENT = only_b", "SHOW MEASUREMENTS WHERE team = 'b'", "SHOW MEASUREMENTS LIMIT 3 OFFSET 1", "SHOW MEASUREMENT EXACT CARDINALITY",
    "SHOW FIELD KEYS FROM only_b", "SHOW FIELD KEYS FROM /.*/", "SHOW FIELD KEY CARDINALITY", "SHOW TAG KEY EXACT CARDINALITY",
    "SHOW SERIES ON d WHERE team = 'b'", 'SHOW SERIES FROM "d"."autogen"."only_b"', "SHOW SERIES; SHOW MEASUREMENTS; SHOW TAG VALUES WITH KEY = team",
    "EXPLAIN SHOW SERIES", "SHOW STATS", "SHOW DIAGNOSTICS", "SHOW SHARDS", "SHOW QUERIES", "SHOW USERS", "SHOW SUBSCRIPTIONS", "SHOW GRANTS FOR root",
    "SELECT * FROM only_b", "SELECT * FROM /.*/", "SELECT value FROM (SELECT value FROM only_b)", "SELECT * INTO d.autogen.only_a FROM only_b",
]

FILTERS = ("one value", "not one", "two selectors")


def check_queries(pair):
    for query in PROMQL:
        for target in ("/api/v1/query?" + quoted(db="d", query=query, time=NOW),
                       "/api/v1/query_range?" + quoted(db="d", query=query, start=NOW - 600, end=NOW, step=60),
                       "/api/v1/query_range?" + quoted(db="d", query=query, start=NOW - 600, end=NOW, step=60, nocache=1, resolution="raw")):
            pair.same("GET", target)
        pair.same("POST", "/api/v1/query_batch", json.dumps({"queries": [
            {"id": "q", "endpoint": "query", "params": {"db": "d", "query": query, "time": NOW}}]}),
            {"Content-Type": "application/json"}, f"a batch of {query}")


def check_selectors(pair):
    for match in ('{__name__=~".+"}', '{team="b"}', '{team!="a"}', '{team=~""}', "only_b", '{"only_b"}', '{__name__=~"only_[bc]"}',
                  '{team=~"a|b"}', '{message!=""}'):
        for route in ("/api/v1/series", "/api/v1/labels", "/api/v1/label/team/values", "/api/v1/label/__name__/values", "/api/v1/rows",
                      "/api/v1/events", "/federate"):
            for more in ({}, {"limit": 2}, {"start": NOW - 30, "end": NOW}):
                pair.same("GET", f"{route}?" + quoted(db="d", **{"match[]": [match, "up"]}, **more))
    for target in ("/api/v1/metadata?db=d&limit=3", "/api/v1/status/tsdb?db=d&limit=2", "/db/d/api/v1/labels", "/db/d/federate?match[]=only_b"):
        pair.same("GET", target)
    # What a query has cost, but for the times that it took.
    answers = [re.sub(rb'"self(Time|Seconds)":[0-9.e-]+', b"", answer) for _, _, answer in
               pair.both("GET", "/api/v1/query?" + quoted(db="d", query="count(up)", explain="1", time=NOW))]
    expect_equal(answers[0], answers[1], "an explained query")


def check_statements(pair):
    for statement in STATEMENTS:
        pair.same("POST", "/query?" + quoted(db="d", q=statement))


def number(at, value):
    """A varint field."""
    return varint(at << 3) + varint(value)


def remote_read(matchers):
    """A body of remote read with one query: (kind, name, value) of each matcher."""
    encoded = b"".join(field(3, number(1, kind) + field(2, name.encode()) + field(3, value.encode()))
                       for kind, name, value in matchers)
    query = number(1, (NOW - 3600) * 1000) + number(2, NOW * 1000) + encoded
    return snappy(field(1, query))


def check_remote_read(pair):
    for matchers in ([(2, "__name__", ".+")], [(0, "team", "b")], [(1, "team", "a")], [(3, "team", "a")], [(0, "__name__", "only_b")],
                     [(2, "team", ".*"), (0, "__name__", "up")], [(0, "team", "")]):
        headers = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy", "X-Prometheus-Remote-Read-Version": "0.1.0"}
        (one, _, held), (other, _, want) = pair.both("POST", "/api/v1/read?db=d", remote_read(matchers), headers)
        pair.asked += 1
        expect_equal(one, 200, f"remote read {matchers}: {held[:200]}")
        expect_equal((one, held), (other, want), f"remote read {matchers}")


def test_no_question_reaches_beyond_the_filter():
    for name in FILTERS:
        with two_servers(name) as (pair, _):
            check_queries(pair)
            check_selectors(pair)
            check_statements(pair)
            check_remote_read(pair)
            print(f"     {name}: {pair.asked} requests", flush=True)


# Of series that a token for {team="a"} does not see.
PLANTED = "plantedword"


def whole_server(folder, *arguments):
    return Server(folder / "data", *OFF, *arguments)


def held_token(server, *grants):
    root = make(server, "root", "admin:*")
    return root, make(server, "held", grants or ("admin:*",), root, ['{team="a"}'])


def metadata_of(server, secret):
    return json.loads(ask(server, "GET", "/api/v1/metadata?db=d", bearer(secret))[2])["data"]


def remote_write(server, secret, rows, families):
    """A remote write of (labels, value), with (family, type 1..., help)."""
    body = b"".join(series(labels, [(NOW * 1000, value)]) for labels, value in rows)
    body += b"".join(field(3, number(1, kind) + field(2, name.encode()) + field(4, text.encode()))
                     for name, kind, text in families)
    headers = {**bearer(secret), "Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"}
    return ask(server, "POST", "/api/v1/write?db=d", headers, snappy(body))


def test_what_is_refused_says_nothing_of_families():
    with temporary_folder() as folder, whole_server(folder) as server:
        root, held = held_token(server, "write:d", "read:d")
        status, _, body = remote_write(server, held, [({"__name__": "r", "team": "b"}, 1.0)], [("r", 1, "a forged one")])
        expect_equal(status, 400, body)
        status, _, body = remote_write(server, root, [({"__name__": "r", "team": "b"}, 1.0), ({"__name__": "r", "team": "a"}, 1.0)], [])
        expect(status in (200, 204), body)
        expect_equal(metadata_of(server, root)["r"][0]["help"], "", "of a write that was refused")
        # What the token says of families that it may write is for who sees the same; for others only where they say nothing.
        status, _, body = remote_write(server, held, [({"__name__": "r", "team": "a"}, 2.0)], [("r", 1, "of a")])
        expect(status in (200, 204), body)
        other = make(server, "other", ["read:d"], root, ['{team="b"}'])
        expect_equal(metadata_of(server, held)["r"][0]["help"], "of a", "its own")
        expect_equal(metadata_of(server, other)["r"][0]["help"], "", "another team's")
        status, _, body = remote_write(server, root, [], [("r", 2, "of all")])
        expect(status in (200, 204), body)
        expect_equal([metadata_of(server, each)["r"][0]["help"] for each in (root, held, other)], ["of all", "of a", "of all"], "families")


def test_a_conflict_of_types_does_not_tell_of_which_type_others_fields_are():
    with temporary_folder() as folder, whole_server(folder) as server:
        root, held = held_token(server, "write:d")
        expect_equal(ask(server, "POST", "/write?db=d", bearer(root), "m,team=b v=1.5")[0], 204, "others' field")
        for target, body in (("/write?db=d", 'm v="text"'), ("/api/v2/write?bucket=d", "m v=true")):
            status, _, answer = ask(server, "POST", target, bearer(held), body)
            expect_equal(status, 400, answer)
            expect(b"field type conflict" in answer and b"float" not in answer, answer)
        status, _, answer = ask(server, "POST", "/write?db=d", bearer(root), 'm v="text"')
        expect(status == 400 and b"float" in answer, answer)


def test_where_an_alert_comes_from_is_not_told():
    rules = ("groups: [{name: g, interval: 1s, rules: [{alert: Down, expr: 'count by (team) (up{team=~\"a|b\", host!=\"%s\"}) > 0',"
             " labels: {severity: page}}]}]\n" % PLANTED)
    with temporary_folder() as folder:
        (folder / "rules.yaml").write_text(rules)
        (folder / "notify.yml").write_text("route: {receiver: r}\nreceivers: [{name: r}]\n")
        with whole_server(folder, "--rules-files", str(folder / "rules.yaml"), "--rules-database", "d",
                          "--notify-config", str(folder / "notify.yml")) as server:
            root, held = held_token(server, "read:d")
            expect_equal(ask(server, "POST", "/write?db=d", bearer(root), "up,team=a value=1\nup,team=b value=1")[0], 204, "a write")
            for target in ("/api/v2/alerts", "/api/v2/alerts/groups"):
                seen = wait_until(lambda: (lambda body: body if b'"team":"a"' in body else None)(
                    ask(server, "GET", target, bearer(held))[2]), what="its alert")
                expect(PLANTED.encode() not in seen and b'"team":"b"' not in seen, f"{target}: {seen}")
                expect(PLANTED.encode() in ask(server, "GET", target, bearer(root))[2], f"{target}: who sees all sees where from")


def test_dashboards_of_others_stay():
    board = json.dumps({"title": "t", "rows": []})
    with temporary_folder() as folder, whole_server(folder) as server:
        root, held = held_token(server, "admin:*")
        new = {"If-None-Match": "*", "Content-Type": "application/json"}
        over = {"If-Match": '"1"', "Content-Type": "application/json"}
        expect_equal(ask(server, "PUT", "/api/v1/dashboards/shared", {**bearer(root), **new}, board)[0], 200, "one of all")
        for method, body in (("PUT", board), ("DELETE", None)):
            status, _, answer = ask(server, method, "/api/v1/dashboards/shared", {**bearer(held), **over}, body)
            expect(status == 403 and b"filter" in answer, f"{method}: {status} {answer}")
        expect_equal(ask(server, "GET", "/api/v1/dashboards/shared", bearer(held))[0], 200, "reading it")
        expect_equal(ask(server, "PUT", "/api/v1/dashboards/own", {**bearer(held), **new}, board)[0], 200, "its own")
        expect_equal(ask(server, "PUT", "/api/v1/dashboards/own", {**bearer(held), **over}, board)[0], 200, "changing it")
        expect_equal(ask(server, "DELETE", "/api/v1/dashboards/own", {**bearer(held), "If-Match": '"2"'})[0], 200, "deleting it")


def test_no_route_shows_a_word_of_others():
    """Every route, asked by a filtered admin: none may have the planted word in its answer, its headers or its errors."""
    from test_routes_access import routes
    with temporary_folder() as folder, whole_server(folder) as server:
        root, held = held_token(server, "admin:*")
        body = (f"{PLANTED}_m,team=b,{PLANTED}_tag={PLANTED} v=1,{PLANTED}_f=2\n{PLANTED}_log,team=b text=\"{PLANTED}\"\nm,team=a v=1\n"
                f"m,team=b,host={PLANTED} v=1")
        expect_equal(ask(server, "POST", "/write?db=d", bearer(root), body)[0], 204, "a write")
        ask(server, "POST", "/write?db=d", bearer(root), f'{PLANTED}_m,team=b v="x"')  # one that is refused
        expect_equal(ask(server, "POST", "/api/v1/admin/tokens?" + quoted(name=PLANTED, grant="read:d", filter='{team="b"}'), bearer(root))[0],
                     200, "another token")
        asked = 0
        for pattern, method, _, _ in routes():
            if method in ("DELETE", "HEAD") or pattern in ("/-/reload", "/api/v1/admin/restart", "/api/v1/session"):
                continue
            for captured in ("x", "__name__", "host", "team"):
                target = pattern.replace("*", captured) + "?" + quoted(db="d", bucket="d", **{"match[]": '{__name__=~".+"}'}, query='{__name__=~".+"}',
                                                                     start=NOW - 600, end=NOW + 60, step=60, q="SHOW SERIES; SHOW TAG VALUES WITH KEY =~ /.*/")
                _, headers, answer = ask(server, method, target, bearer(held))
                asked += 1
                expect(PLANTED.encode() not in answer and PLANTED not in str(headers), f"{method} {target}: {answer[:400]}")
                if "*" not in pattern:
                    break
        expect(asked > 80, f"only {asked} requests")


if __name__ == "__main__":
    run_tests(globals())
