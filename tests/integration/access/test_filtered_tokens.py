"""What a token with a label filter may write, delete and make, what it is refused, and that nothing of others' leaks
through what is kept between requests."""
import contextlib
import http.client
import json
import pathlib
import sys
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import Server, expect, expect_equal, run_tests, temporary_folder, wait_until  # noqa: E402
from peers.remote_write import series, snappy  # noqa: E402
from test_access import ask, bearer, command  # noqa: E402
from test_label_filters import make, quoted  # noqa: E402

NOW = int(time.time())
OFF = ("--host-metrics", "off")


@contextlib.contextmanager
def server_with(filters, grants=("admin:*",)):
    with temporary_folder() as folder, Server(folder / "data", *OFF) as server:
        root = make(server, "root", "admin:*")
        held = make(server, "held", grants, root, filters)
        yield server, root, held


def write(server, secret, body, db="d", target="/write"):
    return ask(server, "POST", f"{target}?" + quoted(db=db, bucket=db), bearer(secret), body)


def values(server, secret, expression, **more):
    status, _, body = ask(server, "GET", "/api/v1/query?" + quoted(db="d", query=expression, **more), bearer(secret))
    expect_equal(status, 200, body)
    result = json.loads(body)["data"]["result"]
    return sorted((tuple(sorted(row["metric"].items())), row["value"][1]) for row in result)


def labels_of(server, secret, expression):
    return [dict(labels) for labels, _ in values(server, secret, expression)]


def test_writes_get_the_label_or_must_have_it():
    with server_with(['{team="a"}'], ("write:*", "read:*")) as (server, root, held):
        for target in ("/write", "/api/v2/write"):
            status, _, body = write(server, held, "m,host=x v=1\nm,host=y,team=a v=2\nm,host=z,team=b v=3\n"
                                                  "m,team=a,team=b,host=q v=4\nm,host=w v=5", target=target)
            expect_equal(status, 400, body)
            expect(b"team" in body and b"may write" in body, body)
        # The good part is kept, with the label.
        got = labels_of(server, root, "m_v")
        expect_equal(sorted(row["host"] for row in got), ["w", "x", "y"], got)
        expect_equal({row["team"] for row in got}, {"a"}, got)
        # Spellings of one series are one series.
        expect_equal(write(server, held, "m,host=x v=7\nm,host=x,team=a v=8\nm,team=a,host=x v=9")[0], 204, "spellings")
        expect_equal(len(values(server, root, 'm_v{host="x"}')), 1, "series of one host")
        # An empty tag, an escaped one, a longer name.
        for line in ("m,host=n,team= v=1", "m,host=n,te\\am=b,team=b v=1", "m,host=n,team=a\\ b v=1", "m,host=n,team=A v=1"):
            status, _, body = write(server, held, line)
            expect_equal(status, 400, f"{line}: {body}")
        expect_equal(values(server, root, 'm_v{host="n"}'), [], "what was refused")
        expect(b"team" in write(server, held, "m,host=n,team=b v=1")[2], "the reason names the label")


def test_writes_with_several_values_must_have_one():
    with server_with(['{team=~"a|b"}'], ("write:*", "read:*")) as (server, root, held):
        status, _, body = write(server, held, "m,host=x v=1\nm,host=y,team=b v=2\nm,host=z,team=c v=3")
        expect_equal(status, 400, body)
        expect_equal([row["host"] for row in labels_of(server, root, "m_v")], ["y"], "what was written")


def test_names_are_part_of_a_filter():
    with server_with(['{__name__=~"app_.*",team="a"}'], ("write:*", "read:*")) as (server, root, held):
        expect_equal(write(server, held, "app,host=x rate=1")[0], 204, "a permitted metric")
        expect_equal(write(server, held, "os,host=x rate=1")[0], 400, "another one")
        expect_equal([row["__name__"] for row in labels_of(server, root, '{__name__!=""}')], ["app_rate"], "metrics")


def test_only_its_own_is_deleted():
    at = NOW * 1_000_000_000
    lines = "".join(f"m,team={team},n={n} v={n} {at}\n" for team in "ab" for n in range(3 * 8))
    with server_with(['{team="a"}']) as (server, root, held):
        expect_equal(write(server, root, lines)[0], 204, "a write")
        left = lambda team: len(values(server, root, f'm_v{{team="{team}"}}'))
        steps = [
            ("POST", "/api/v1/admin/delete?" + quoted(db="d", **{"match[]": ['{team="b",n="0"}', 'm_v{n="0"}']}), None),
            ("POST", "/api/v1/admin/tsdb/delete_series?" + quoted(db="d", **{"match[]": 'm_v{n="1"}'}), None),
            ("POST", "/query?" + quoted(db="d", q="DELETE FROM m WHERE n = '2'"), None),
            ("POST", "/query?" + quoted(db="d", q="DROP SERIES FROM m WHERE n = '3'"), None),
            ("POST", "/query?" + quoted(db="d", q="DROP SERIES FROM m WHERE n = '4' OR team = 'b'"), None),
            ("POST", "/api/v2/delete?bucket=d", json.dumps({"start": "1970-01-01T00:00:00Z", "stop": "2100-01-01T00:00:00Z",
                                                           "predicate": '_measurement="m" AND n="5"'})),
        ]
        for number, (method, target, body) in enumerate(steps):
            status, _, answer = ask(server, method, target, bearer(held), body)
            expect(status in (200, 204) and b"error" not in answer, f"{target}: {status} {answer}")
            expect_equal(left("b"), 24, f"others' series after {target}")
            expect_equal(left("a"), 24 - number - 1, f"its own after {target}")
        status, _, answer = ask(server, "POST", "/query?" + quoted(db="d", q="DROP MEASUREMENT m"), bearer(held))
        expect_equal(left("b"), 24, f"others' series after DROP MEASUREMENT: {answer}")
        expect_equal(left("a"), 0, "its own")


def test_what_cannot_be_held_is_refused_with_the_reason():
    with server_with(['{team="a"}']) as (server, root, held):
        write(server, root, "m,team=b v=1")
        for method, target in (
                ("GET", "/metrics"), ("GET", "/api/v1/status/config"), ("GET", "/api/v1/status/flags"),
                ("GET", "/api/v1/status/runtimeinfo"), ("GET", "/api/v1/status/tsdb/blocks?db=d"),
                ("GET", "/api/v1/admin/databases"), ("GET", "/api/v1/admin/rejections"), ("GET", "/api/v1/admin/tokens"),
                ("POST", "/api/v1/admin/tokens?name=x&grant=admin:*"), ("POST", "/api/v1/admin/backup"),
                ("POST", "/api/v1/admin/tokens/rotate?name=held"), ("POST", "/api/v1/admin/tokens/quota?name=held"),
                ("GET", "/api/v1/admin/backups"), ("POST", "/api/v1/admin/checkpoint"), ("POST", "/api/v1/admin/compact?db=d"),
                ("GET", "/api/v1/admin/cardinality?db=d"), ("POST", "/api/v1/admin/retention?db=d&keep=1h"),
                ("POST", "/api/v1/admin/types?db=d&conflicts=refuse"), ("POST", "/api/v1/admin/import?db=d"),
                ("GET", "/api/v1/admin/audit"), ("GET", "/api/v1/admin/usage"), ("GET", "/api/v1/admin/sessions"),
                ("POST", "/-/reload"), ("POST", "/api/v1/backfills"), ("GET", "/api/v2/silences"), ("POST", "/api/v2/silences"),
                ("POST", "/api/v2/alerts"), ("GET", "/api/v2/status"), ("POST", "/api/v1/admin/alert/test"),
                ("DELETE", "/api/v2/buckets/x"), ("PATCH", "/api/v2/buckets/x")):
            status, _, body = ask(server, method, target, bearer(held))
            expect_equal(status, 403, f"{method} {target}: {body}")
            expect(b"filter" in body, f"{target}: {body}")
        for statement in ("DROP DATABASE d", "ALTER RETENTION POLICY autogen ON d DURATION 1h",
                          "DROP RETENTION POLICY autogen ON d"):
            status, _, body = ask(server, "POST", "/query?" + quoted(db="d", q=statement), bearer(held))
            expect(b"filter" in body, f"{statement}: {body}")
        expect_equal(len(values(server, root, "m_v")), 1, "the data")
        # Who is let in learns no details of the store.
        status, _, body = ask(server, "GET", "/health", bearer(held))
        expect_equal(status, 200, body)


def test_kept_answers_are_of_one_filter():
    start = NOW // 60 * 60 - 600
    with server_with(['{team="a"}'], ("read:*",)) as (server, root, held):
        other = make(server, "other", "read:*", root, ['{team="b"}'])
        write(server, root, "".join(f"m,team={team} v={10 if team == 'a' else 20} {(start + 60 * i) * 10**9}\n"
                                    for team in "ab" for i in range(10)))
        target = "/api/v1/query_range?" + quoted(db="d", query="sum(m_v)", start=start, end=start + 540, step=60)
        want = {root: "30", held: "10", other: "20"}
        marks = {}
        for _ in range(3):
            for secret, value in want.items():
                data = json.loads(ask(server, "GET", target + "&since=", bearer(secret))[2])["data"]
                expect_equal({pair[1] for row in data["result"] for pair in row["values"]}, {value}, value)
                marks[secret] = data.get("since", "")
        # A mark of somebody else is none: the whole answer comes.
        for secret, mark in marks.items():
            if not mark:
                continue
            data = json.loads(ask(server, "GET", target + "&since=" + mark, bearer(held))[2])["data"]
            if secret != held:
                expect("changedFrom" not in data, data)
                expect_equal({pair[1] for row in data["result"] for pair in row["values"]}, {"10"}, "another's mark")
        # One question that several ask in batches at once.
        batch = json.dumps({"queries": [{"id": str(i), "endpoint": "query", "params": {"db": "d", "query": "sum(m_v)", "time": start + 60}}
                                        for i in range(8)]})
        for secret, value in want.items():
            body = ask(server, "POST", "/api/v1/query_batch?db=d", bearer(secret), batch)[2]
            for line in body.splitlines():
                expect_equal(json.loads(line)["reply"]["data"]["result"][0]["value"][1], value, "a batch")


def test_headers_and_parameters_widen_nothing():
    with server_with(['{team="a"}'], ("read:d",)) as (server, root, held):
        write(server, root, "m,team=a v=1\nm,team=b v=2")
        write(server, root, "m,team=a v=1\nm,team=b v=2", db="e")
        for headers in ({"X-Scope-OrgID": "b"}, {"X-Tidemark-Filter": "{}"}, {"X-Prometheus-Remote-Read-Version": "0.1.0"}):
            body = ask(server, "GET", "/api/v1/query?" + quoted(db="d", query="count(m_v)"), {**bearer(held), **headers})[2]
            expect_equal(json.loads(body)["data"]["result"][0]["value"][1], "1", headers)
        for more in ("&extra_filters[]={team=\"b\"}", "&extra_label=team=b", "&filter={team=\"b\"}", "&db=e", "&rp=autogen",
                     "&match[]={team=\"b\"}", "&nocache=1", "&token=x"):
            status, _, body = ask(server, "GET", "/api/v1/query?" + quoted(db="d", query="count(m_v)") +
                                  urllib.parse.quote(more, safe="&="), bearer(held))
            expect(status != 200 or json.loads(body)["data"]["result"][0]["value"][1] == "1", f"{more}: {body}")
        expect_equal(ask(server, "GET", "/api/v1/query?db=e&query=m_v", bearer(held))[0], 403, "another database")
        expect_equal(ask(server, "GET", "/db/e/api/v1/query?db=d&query=m_v", bearer(held))[0], 403, "in the path")


def test_followers_of_events_see_their_own():
    with server_with(['{team="a"}'], ("read:*",)) as (server, root, held):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        connection.request("GET", "/api/v1/events?db=d&follow=1", headers={**bearer(held), "Accept": "text/event-stream"})
        stream = connection.getresponse()
        expect_equal(stream.status, 200, "following")
        expect(b"following" in stream.readline(), "the stream begins")
        write(server, root, 'log,team=b text="secret"\nlog text="nobody"\nlog,team=a text="mine"')
        seen = b""
        while b"mine" not in seen:
            seen += stream.readline()
        expect(b"secret" not in seen and b"nobody" not in seen, seen)
        connection.close()


def test_rules_keep_the_filter_of_their_maker():
    with server_with(['{team="a"}'], ("admin:*",)) as (server, root, held):
        write(server, root, "".join(f"m,team={team},n={n} v=1\n" for team in "ab" for n in range(3)), db="default")
        group = ("name: mine\ninterval: 1s\nrules:\n- record: all:m:count\n  expr: count(m_v)\n"
                 "- alert: Many\n  expr: count by (n) (m_v) > 0\n"
                 "- record: forged\n  expr: label_replace(count(m_v), \"team\", \"b\", \"\", \"\")\n")
        status, _, body = ask(server, "POST", "/config/v1/rules/space", bearer(held), group)
        expect_equal(status, 202, body)
        query = lambda text: ask(server, "GET", "/api/v1/query?" + quoted(query=text), bearer(root))[2]
        row = wait_until(lambda: json.loads(query("all:m:count"))["data"]["result"], what="the recorded series")[0]
        expect_equal((row["metric"]["team"], row["value"][1]), ("a", "3"), row)
        alerts = wait_until(lambda: json.loads(ask(server, "GET", "/api/v1/alerts", bearer(held))[2])["data"]["alerts"],
                            what="alerts")
        expect_equal({alert["labels"]["team"] for alert in alerts}, {"a"}, alerts)
        expect_equal(json.loads(query("forged"))["data"]["result"], [], "a series of somebody else")
        # Others who are held to something else neither see nor change them.
        other = make(server, "other", "admin:*", root, ['{team="b"}'])
        expect_equal(ask(server, "GET", "/config/v1/rules", bearer(other))[2].strip(), b"{}", "another's rules")
        expect_equal(ask(server, "DELETE", "/config/v1/rules/space/mine", bearer(other))[0], 404, "deleting another's")
        expect_equal(ask(server, "POST", "/config/v1/rules/space", bearer(other), group)[0], 409, "putting over another's")
        expect(b"Many" not in ask(server, "GET", "/api/v1/rules", bearer(other))[2], "another's rules in the list")
        expect(b"Many" in ask(server, "GET", "/api/v1/rules", bearer(root))[2], "rules for who sees all")
        # They are held to it after a restart too.
        server.stop()
        server.start()
        write(server, root, "m,team=b,n=9 v=1\nm,team=a,n=9 v=1", db="default")
        wait_until(lambda: json.loads(query("all:m:count"))["data"]["result"][0]["value"][1] == "4", what="the next round")
        expect_equal(len(json.loads(query("all:m:count"))["data"]["result"]), 1, "series")


def test_a_filter_is_made_listed_and_stays():
    with server_with(['{team="a"}'], ("read:*",)) as (server, root, held):
        made = command(server, "admin", "token", "new", "cli", "--grant", "read:*", "--filter", '{team=~"a|b"}', "--quota",
                       "points/s=100", token=root)
        expect_equal(made.returncode, 0, made.stderr)
        listed = command(server, "admin", "token", "list", token=root).stdout
        expect('{team=~\\"a|b\\"}' in listed or '{team=~"a|b"}' in listed, listed)
        expect("points/s=100" in listed, listed)
        for filters in (["{"], ["{}"], ["up{team=\"a\"}[5m]"], ['{team=~"("}'], [""]):
            status, _, body = ask(server, "POST", "/api/v1/admin/tokens?" + quoted(name="x", grant="read:*", filter=filters),
                                  bearer(root))
            expect_equal(status, 400, f"{filters}: {body}")
        session = json.loads(ask(server, "GET", "/api/v1/session", bearer(held))[2])["data"]
        expect_equal(session["filters"], ['{team="a"}'], session)
        write(server, root, "m,team=a v=1\nm,team=b v=2")
        server.stop()
        server.start()
        expect_equal(len(values(server, held, "m_v")), 1, "series after a restart")
    with temporary_folder() as folder, Server(folder / "data", *OFF) as server:
        status, _, body = ask(server, "POST", "/api/v1/admin/tokens?" + quoted(name="x", grant="admin:*", filter='{team="a"}'))
        expect_equal(status, 400, f"a first token with a filter: {body}")


def remote(server, secret, all_series, database="d"):
    """A remote write of (labels, samples)."""
    body = snappy(b"".join(series(labels, samples) for labels, samples in all_series))
    headers = {**bearer(secret), "Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"}
    return ask(server, "POST", "/api/v1/write?" + quoted(db=database), headers, body)


def test_remote_writes_are_held_too():
    at = [(NOW * 1000, 1.0)]
    with server_with(['{team="a"}'], ("write:*", "read:*")) as (server, root, held):
        for labels in ({"__name__": "r", "host": "x"}, {"__name__": "r", "host": "y", "team": "a"}):
            status, _, body = remote(server, held, [(labels, at)])
            expect(status in (200, 204), f"{labels}: {status} {body}")
        for labels in ({"__name__": "r", "host": "z", "team": "b"}, {"__name__": "r", "host": "z", "team": "A"},
                       [(b"__name__", b"r"), (b"team", b"a"), (b"team", b"b")],
                       [(b"team", b"b"), (b"__name__", b"r"), (b"team", b"a")]):
            status, _, body = remote(server, held, [(labels, at)])
            expect_equal(status, 400, f"{labels}: {body}")
        got = labels_of(server, root, '{__name__!=""}')
        expect_equal(sorted((row["host"], row["team"]) for row in got), [("x", "a"), ("y", "a")], got)


def test_a_tag_is_no_name_of_a_metric():
    with server_with(['{__name__=~"app_.*"}'], ("write:*", "read:*")) as (server, root, held):
        for line in ("os,__name__=app_x v=1", "os v=1,app_x=2", "os,host=app_ v=1"):
            status, _, body = write(server, held, line)
            expect_equal(status, 400, f"{line}: {body}")
        expect_equal(values(server, root, '{__name__!=""}'), [], "what was written")


def test_statements_reach_no_further():
    with server_with(['{team="a"}']) as (server, root, held):
        write(server, root, "m,team=a,n=mine v=1\nm,team=b,n=secret v=2\nn,team=b,n=secret v=2")
        write(server, root, "m,team=b,n=secret v=2", db="e")
        for statement in ('SHOW SERIES FROM "e"."autogen"."m"', "SHOW SERIES ON e", "SHOW SERIES; SHOW SERIES ON e",
                          "SHOW TAG VALUES ON e WITH KEY = n", "SHOW TAG VALUES WITH KEY = n WHERE team = 'b' OR n != ''",
                          "SHOW SERIES WHERE NOT team = 'a'", "SHOW SERIES WHERE (team = 'a') OR (n =~ /.*/)",
                          "SHOW TAG VALUES FROM /.*/ WITH KEY =~ /.*/", "SHOW FIELD KEYS ON e; SHOW MEASUREMENTS ON d",
                          "SHOW SERIES WHERE team = '' OR team != ''", "SHOW SERIES -- WHERE team = 'a'\n"):
            for more in ({}, {"rp": "autogen"}, {"db": ["d", "e"]}, {"chunked": "true"}, {"epoch": "ns"}):
                body = ask(server, "POST", "/query?" + quoted(**{"db": "d", "q": statement, **more}), bearer(held))[2]
                expect(b"secret" not in body, f"{statement} {more}: {body}")
        for method, target in (("POST", "/api/v1/admin/delete?" + quoted(db="d", **{"match[]": ['{team!="a"}', '{n="secret"}']})),
                               ("POST", "/query?" + quoted(db="d", q="DROP SERIES WHERE team = 'b' OR team = ''")),
                               ("POST", "/query?" + quoted(db="d", q="DROP MEASUREMENT n")),
                               ("POST", "/query?" + quoted(db="d", q="DELETE WHERE time > 0 AND n = 'secret'"))):
            ask(server, method, target, bearer(held))
            expect_equal(len(values(server, root, '{n="secret"}')), 2, f"others' series after {target}")


if __name__ == "__main__":
    run_tests(globals())
