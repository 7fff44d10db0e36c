"""What a token with a label filter sees is what a server shows that holds only what is permitted.

Two servers: one with the series of all teams and a token with a filter, the other with the permitted series only and a
token without one. Every route that the filtered token may ask is asked of both, with a generated set of queries too, and
the answers are compared. What it writes, deletes and makes rules of is held to the filter as well.
"""
import contextlib
import http.client
import json
import random
import sys
import time
import urllib.parse

from harness import Server, expect, expect_equal, run_tests, temporary_folder, wait_until
from test_access import ask, bearer

NOW = int(time.time()) // 60 * 60
SEED = random.randrange(1 << 32)
TEAMS = ("a", "b", "c", "")
FILTERS = {
    "one value": ['{team="a"}'],
    "several": ['{team=~"a|b"}'],
    "a pattern": ['{team=~"[ac]"}'],
    "not one": ['{team!="b"}'],
    "two labels": ['{team="a",dc!="y"}'],
    "two selectors": ['{team="a"}', '{team="c",dc="x"}'],
}


def permitted(name, labels):
    team, dc = labels.get("team", ""), labels.get("dc", "")
    return {"one value": team == "a", "several": team in ("a", "b"), "a pattern": team in ("a", "c"),
            "not one": team != "b", "two labels": team == "a" and dc != "y",
            "two selectors": team == "a" or (team == "c" and dc == "x")}[name]


def lines(rng):
    """(labels, line of line protocol) of all teams. Some metrics are of one team only."""
    out = []
    for team in TEAMS:
        for dc in ("x", "y"):
            for host in range(3):
                labels = {"host": f"h{host}", "dc": dc, **({"team": team} if team else {})}
                tags = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
                for step in range(20):
                    at = (NOW - 60 * step) * 1_000_000_000
                    out.append((labels, f"cpu,{tags} usage={rng.randrange(1000)}i,load={rng.random():.4f} {at}"))
                    out.append((labels, f"up,{tags} value={rng.randrange(2)} {at}"))
                    if team:
                        out.append((labels, f"only_{team},{tags} value={rng.randrange(100)} {at}"))
                out.append((labels, f'log,{tags} message="secret of {team or "nobody"} {host}" {NOW * 1_000_000_000}'))
                for le in ("1", "5", "+Inf"):
                    out.append((labels, f"lat_bucket,{tags},le={le} value={rng.randrange(9)} {NOW * 1_000_000_000}"))
        tag = f",team={team}" if team else ""
        out.append(({"team": team}, f"target_info,instance=i,job=j{tag} value=1 {NOW * 1_000_000_000}"))
    return out


QUERIES = [
    '{__name__=~".+"}', 'count({__name__=~".+"})', 'count by (__name__) ({__name__=~".+"})', "up", 'up{team="b"}',
    'up{team=~".*"}', 'up{team!="a"}', 'up{team=~"b|c"}', 'up{team=""}', 'up{team!~"a.*"}', "cpu_usage or up",
    'up or up{team="b"}', 'up{team="a"} or {__name__="only_b"}', "only_b", "absent(only_b)", 'absent(up{team="b"})',
    'absent_over_time(only_c[5m])', 'label_replace(up, "team", "a", "team", ".*")',
    'label_replace(up{team="b"}, "team", "a", "", "")', 'label_join(up, "team", "-", "team", "host")',
    f"sum(up @ {NOW - 120})", "sum(up @ end())", "up offset 2m", "max_over_time(sum(up)[10m:1m])",
    'sum by (team) (max_over_time(up[10m:1m] offset 1m))', "scalar(count(up))", "vector(scalar(only_b))",
    "topk(3, cpu_usage)", "bottomk by (team) (1, cpu_usage)", 'count_values("v", up)', "up unless only_a",
    'up and on(host) up{team="b"}', "up * on(host, dc, team) group_left cpu_usage", 'group({__name__!=""})',
    "sort_desc(cpu_load)", "rate(cpu_usage[5m])", "sum(rate(cpu_usage[5m])) by (team, dc)", "quantile(0.9, cpu_load)",
    "histogram_quantile(0.9, lat_bucket)", "histogram_quantile(0.9, sum by (le) (lat_bucket))", "info(up)",
    "count(target_info)", 'stddev(cpu_usage{team=~"|b"})', 'min({__name__=~"only_.*"})', "time() - timestamp(up)",
    "changes(up[15m])", 'sum without (team) ({__name__=~"cpu_.*"})', "predict_linear(cpu_load[10m], 60)",
    'last_over_time({__name__="up", team="c"}[5m])', "up == bool on(host) group_right cpu_usage",
    'sum(up{}) by (team) / ignoring(team) group_left sum(up)', "(up)", "-up", "limitk(2, up)", "double_exponential_smoothing(cpu_load[10m], 0.5, 0.5)",
]


def generated(rng, count):
    """Queries out of selectors, functions and operators."""
    def selector():
        name = rng.choice(["up", "cpu_usage", "cpu_load", "only_a", "only_b", "only_c", ""])
        matchers = [rng.choice(['team="a"', 'team="b"', 'team=~".*"', 'team!="a"', 'team=~"a|c"', 'dc="x"', 'host!~"h1"',
                                'team=""']) for _ in range(rng.randrange(3))]
        if not name:
            matchers.append('__name__=~"up|cpu_.*|only_.*"')
        return f"{name}{{{','.join(matchers)}}}"

    def vector(depth):
        kind = rng.randrange(7) if depth else 0
        if kind <= 1:
            return selector() + rng.choice(["", "", " offset 1m", f" @ {NOW - 60}"])
        if kind == 2:
            return f"{rng.choice(['sum', 'max', 'count', 'avg', 'group'])} by ({rng.choice(['team', 'dc', 'host', ''])}) ({vector(depth - 1)})"
        if kind == 3:
            return f"{rng.choice(['max', 'last', 'count', 'avg'])}_over_time({selector()}[{rng.choice(['3m', '10m'])}])"
        if kind == 4:
            return f"max_over_time(({vector(depth - 1)})[5m:1m])"
        if kind == 5:
            return f"({vector(depth - 1)}) {rng.choice(['or', 'and', 'unless'])} on(host, dc) ({vector(depth - 1)})"
        return f"absent({vector(depth - 1)})"
    return [vector(3) for _ in range(count)]


def quoted(**parameters):
    return urllib.parse.urlencode(parameters, doseq=True)


def stable(value):
    """Without what differs from run to run: times that work took, and what tells of one process."""
    if isinstance(value, dict):
        return {key: stable(each) for key, each in value.items()
                if key not in ("timings", "evaluationTime", "lastEvaluation", "since", "peakBytes", "peakSamples", "activeAt",
                               "startsAt", "updatedAt", "endsAt", "fingerprint", "started", "up")}
    if isinstance(value, list):
        return [stable(each) for each in value]
    return value


class Pair:
    """The same request to both servers."""

    def __init__(self, whole, part, filtered, plain):
        self.servers = ((whole, filtered), (part, plain))
        self.asked = 0

    def both(self, method, target, body=None, headers=None):
        return [ask(server, method, target, {**bearer(secret), **(headers or {})}, body)
                for server, secret in self.servers]

    def same(self, method, target, body=None, headers=None, what=None):
        (one, _, held), (other, _, want) = self.both(method, target, body, headers)
        self.asked += 1
        what = what or f"{method} {target} {body or ''}"
        expect_equal(one, other, f"{what}: status; {held[:300]} {want[:300]}")
        try:
            held, want = json.loads(held), json.loads(want)
        except ValueError:
            # Lines of text: in the order in which the store has the series.
            held, want = sorted(held.splitlines()), sorted(want.splitlines())
        expect_equal(stable(held), stable(want), what)


def make(server, name, grants, root=None, filters=(), quotas=()):
    target = "/api/v1/admin/tokens?" + quoted(name=name, grant=grants, filter=filters, quota=quotas)
    status, _, body = ask(server, "POST", target, bearer(root) if root else {})
    expect_equal(status, 200, body)
    return json.loads(body)["data"]["token"]


@contextlib.contextmanager
def two_servers(name, with_rules=False):
    rng = random.Random(SEED)
    everything = lines(rng)
    with temporary_folder() as folder:
        rules = folder / "rules.yaml"
        rules.write_text("groups: [{name: g, interval: 1s, rules: [{alert: Down, expr: 'up == 0', labels: {severity: page}},"
                         " {record: 'team:up:sum', expr: 'sum by (team) (up)'}]}]\n")
        options = ("--host-metrics", "off", *(("--rules-files", str(rules), "--rules-database", "d") if with_rules else ()))
        with Server(folder / "whole", *options) as whole, Server(folder / "part", *options) as part:
            for server in (whole, part):
                kept = [line for labels, line in everything if server is whole or permitted(name, labels)]
                reply = server.write("\n".join(kept), db="d")
                expect_equal(reply.status, 204, reply.body)
            roots = [make(server, "root", "admin:*") for server in (whole, part)]
            grants = ["read:*", "write:*", "admin:*"]
            filtered = make(whole, "held", grants, roots[0], FILTERS[name])
            plain = make(part, "held", grants, roots[1])
            yield Pair(whole, part, filtered, plain), roots


def check_queries(pair, rng):
    for query in QUERIES + generated(rng, 60):
        pair.same("GET", "/api/v1/query?" + quoted(db="d", query=query, time=NOW))
        # Twice: the second answer is out of the cache.
        for _ in range(2):
            pair.same("GET", "/api/v1/query_range?" + quoted(db="d", query=query, start=NOW - 900, end=NOW, step=60))


def check_names(pair):
    for match in ([], ["up"], ['{team="b"}'], ['{__name__=~".+"}', 'up{team="b"}'], ['{team=~".+"}'], ["only_b", "only_c"]):
        for span in ({}, {"start": NOW - 3600, "end": NOW}):
            pair.same("GET", "/api/v1/labels?" + quoted(db="d", **{"match[]": match}, **span))
            for label in ("team", "__name__", "host", "dc", "le", "message"):
                pair.same("GET", f"/api/v1/label/{label}/values?" + quoted(db="d", **{"match[]": match}, **span))
            pair.same("POST", "/api/v1/series?" + quoted(db="d", **{"match[]": match}, **span))
            pair.same("GET", "/api/v1/events?" + quoted(db="d", **{"match[]": match}, **span))
            pair.same("GET", "/api/v1/rows?" + quoted(db="d", **{"match[]": match}, **span))
            pair.same("GET", "/federate?" + quoted(db="d", **{"match[]": match}))
    pair.same("GET", "/api/v1/metadata?db=d")
    pair.same("GET", "/api/v1/metadata?db=d&metric=only_b")
    pair.same("GET", "/api/v1/status/tsdb?db=d")
    pair.same("GET", "/api/v1/status/tsdb?db=d&limit=100")
    pair.same("GET", "/api/v1/query_exemplars?" + quoted(db="d", query="up", start=NOW - 60, end=NOW))


STATEMENTS = [
    "SHOW MEASUREMENTS", "SHOW MEASUREMENT CARDINALITY", "SHOW SERIES", "SHOW SERIES CARDINALITY", "SHOW SERIES FROM only_b",
    "SHOW SERIES WHERE team = 'b'", "SHOW SERIES WHERE team = 'a' OR team = 'b'", "SHOW SERIES WHERE team != 'a'",
    "SHOW TAG KEYS", "SHOW TAG VALUES WITH KEY = team", "SHOW TAG VALUES WITH KEY =~ /.*/", "SHOW FIELD KEYS",
    "SHOW FIELD KEYS FROM only_b", "SHOW TAG VALUES FROM up WITH KEY IN (team, host) WHERE team =~ /b|c/",
    "SHOW MEASUREMENTS WITH MEASUREMENT =~ /only.*/", "SHOW FIELD KEY CARDINALITY", "SHOW TAG KEY CARDINALITY",
    "SHOW MEASUREMENTS WHERE team = 'b'", "SHOW SERIES EXACT CARDINALITY", "SHOW DATABASES", "SHOW RETENTION POLICIES ON d",
    "SELECT * FROM up", "SELECT usage FROM cpu WHERE team = 'b' OR team = 'a'", "SELECT * INTO copy FROM up",
]


def check_statements(pair):
    for statement in STATEMENTS:
        for method in ("GET", "POST"):
            pair.same(method, "/query?" + quoted(db="d", q=statement))


def check_other_routes(pair):
    pair.same("POST", "/api/v1/query_batch?db=d", json.dumps({"queries": [
        {"id": "q", "endpoint": "query", "params": {"db": "d", "query": "up", "time": NOW}},
        {"id": "s", "endpoint": "series", "params": {"match[]": '{__name__=~".+"}'}},
    ][:1]}), {"Content-Type": "application/json"})
    for target in ("/api/v1/format_query?query=up", "/api/v1/status/buildinfo", "/api/v1/features", "/api/v1/targets",
                   "/api/v1/dashboards", "/config/v1/rules", "/api/v2/orgs", "/api/v1/status/walreplay"):
        pair.same("GET", target)


def check_rules(pair):
    """Rules run each second, and write what they find."""
    def settled(target):
        (one, _, held), (other, _, want) = pair.both("GET", target)
        return one == other and stable(json.loads(held)) == stable(json.loads(want)) and json.loads(held)
    wait_until(lambda: settled("/api/v1/alerts"), what="equal alerts")
    wait_until(lambda: settled("/api/v1/rules"), what="equal rules")


def test_answers_are_those_of_a_server_with_the_permitted_series():
    print("seed", SEED)
    for name in FILTERS:
        with two_servers(name) as (pair, _):
            check_queries(pair, random.Random(SEED + 1))
            check_names(pair)
            check_statements(pair)
            check_other_routes(pair)
            print(f"     {name}: {pair.asked} requests", flush=True)


def test_rules_and_alerts_are_those_of_the_permitted_series():
    for name in ("one value", "not one", "two selectors"):
        with two_servers(name, with_rules=True) as (pair, _):
            check_rules(pair)


if __name__ == "__main__":
    run_tests(globals())
