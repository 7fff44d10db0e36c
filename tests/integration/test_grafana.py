"""What Grafana's Prometheus data source sends, with the base URL that a user sets: /db/NAME. Each reply's shape is
checked as Grafana reads it. Also what lies around it: paging of rules, streamed replies, who may read them."""
import pathlib
import time
import urllib.parse

from harness import Server, expect, expect_bounded, expect_equal, run_tests, temporary_folder, wait_until

BASE = "/db/shop"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}

RULES = """groups:
  - name: first
    interval: 1s
    rules:
      - record: job:requests:sum
        expr: sum by (job) (http_requests_total)
        labels: {team: web}
      - alert: Always
        expr: vector(1)
        labels: {severity: page}
        annotations: {summary: "It is {{ $value }}"}
  - name: second
    rules:
      - alert: Never
        expr: vector(0) > 1
"""


class Grafana:
    """A data source: GET or POST below the base URL, the envelope opened."""

    def __init__(self, server):
        self.server = server

    def get(self, path, status=200, **parameters):
        query = urllib.parse.urlencode(parameters, doseq=True)
        reply = self.server.request("GET", f"{BASE}/api/v1/{path}" + (f"?{query}" if query else ""))
        return self.opened(path, reply, status)

    def post(self, path, status=200, **parameters):
        reply = self.server.request("POST", f"{BASE}/api/v1/{path}", urllib.parse.urlencode(parameters, doseq=True), FORM)
        return self.opened(path, reply, status)

    def opened(self, path, reply, status):
        expect_equal(reply.status, status, f"{path}: {reply.body[:500]}")
        expect_equal(reply.headers["Content-Type"], "application/json", path)
        answer = reply.json()
        expect_equal(answer["status"], "success" if status == 200 else "error", path)
        return answer["data"] if status == 200 else answer


def fill(server, now):
    lines = []
    for i in range(60):
        at = f"{now - 900 + i * 15}000000000"
        for job, instance in (("api", "a"), ("api", "b"), ("web", "c")):
            lines.append(f"http_requests_total,job={job},instance={instance} value={i * 3} {at}")
        for le, count in (("0.1", i), ("1", 2 * i), ("+Inf", 3 * i)):
            lines.append(f"http_seconds_bucket,le={le},job=api value={count} {at}")
        lines.append(f"node_load1,instance=a value={i % 7} {at}")
    expect_equal(server.write("\n".join(lines), db="shop").status, 204, "write")


def start(folder, *arguments):
    (folder / "rules.yml").write_text(RULES)
    (folder / "tidemark.yml").write_text(f"rules:\n  files: [{folder}/rules.yml]\n  database: shop\n")
    return Server(folder / "data", "--host-metrics", "off", "--config", str(folder / "tidemark.yml"), *arguments)


def test_health_check():
    with temporary_folder() as folder, start(folder) as server:
        grafana = Grafana(server)
        expect_equal(grafana.post("query", query="1+1", time="4"), {"resultType": "scalar", "result": [4, "2"]}, "POST")
        expect_equal(grafana.get("query", query="1+1", time="4"), {"resultType": "scalar", "result": [4, "2"]}, "GET")
        info = grafana.get("status/buildinfo")
        expect(info["version"].startswith("3."), info)
        expect_equal(info["features"]["ruler_config_api"], "true", "Grafana edits rules, at Mimir's addresses")
        reply = server.request("GET", f"{BASE}/api/v1/rules/test/test")
        expect_equal((reply.status, reply.json()["error"]), (404, "group does not exist"), "how Grafana knows a ruler")
        reply = server.request("GET", f"{BASE}/config/v1/rules")
        expect_equal((reply.status, reply.body.strip()), (200, b"{}"), "no groups yet")


def test_editor_and_variables():
    with temporary_folder() as folder, start(folder) as server:
        now = int(time.time())
        fill(server, now)
        grafana = Grafana(server)
        span = {"start": now - 3600, "end": now}
        metadata = grafana.get("metadata", limit=40000)
        expect({"http_requests_total", "node_load1", "http_seconds"} <= set(metadata), metadata)
        for entry in metadata["node_load1"]:
            expect_equal(sorted(entry), ["help", "type", "unit"], "metadata")
        expect_equal(metadata["http_requests_total"][0]["type"], "counter", "type")
        expect_equal(set(grafana.get("metadata", metric="node_load1")), {"node_load1"}, "one metric")
        expect_equal(set(grafana.get("metadata", limit=1, limit_per_metric=1).popitem()[1][0]), {"type", "help", "unit"},
                     "limits")
        match = '{__name__=~".+"}'
        names = grafana.get("labels", **{"match[]": match}, **span)
        expect({"__name__", "instance", "job", "le"} <= set(names) and names == sorted(names), names)
        expect_equal(grafana.post("labels", **{"match[]": 'http_requests_total{job="web"}'}, **span),
                     ["__name__", "instance", "job"], "labels by POST")
        metrics = grafana.get("label/__name__/values", limit=40000, **span)
        expect({"http_requests_total", "node_load1"} <= set(metrics), metrics)
        expect_equal(grafana.get("label/job/values", **{"match[]": 'http_requests_total'}, **span), ["api", "web"], "values")
        expect_equal(grafana.get("label/U__job/values", **span), ["api", "web"], "an escaped name")
        # label_values(http_requests_total{job="api"}, instance) of a template variable.
        values = grafana.get("label/instance/values", **{"match[]": 'http_requests_total{job="api"}'}, **span)
        expect_equal(values, ["a", "b"], "a template variable")
        series = grafana.get("series", **{"match[]": 'http_requests_total{job="web"}'}, **span)
        expect_equal(series, [{"__name__": "http_requests_total", "instance": "c", "job": "web"}], "series")
        limited = server.request("GET", f"{BASE}/api/v1/label/instance/values?limit=1").json()
        expect_equal((len(limited["data"]), limited["warnings"]), (1, ["results truncated due to limit"]), "limit")
        expect_equal(grafana.get("series", 400)["errorType"], "bad_data", "series without match[]")


def test_panels():
    with temporary_folder() as folder, start(folder) as server:
        now = int(time.time())
        fill(server, now)
        grafana = Grafana(server)
        end = now - now % 15
        panel = {"start": end - 900, "end": end, "step": 15}
        for query in ('rate(http_requests_total{job="api"}[1m0s])', "sum by (job) (rate(http_requests_total[5m]))",
                      "histogram_quantile(0.9, sum by (le) (rate(http_seconds_bucket[5m])))", "node_load1"):
            for ask in (grafana.post, grafana.get):
                data = ask("query_range", query=query, **panel)
                expect_equal(data["resultType"], "matrix", query)
                expect(data["result"], f"{query}: nothing")
                for row in data["result"]:
                    expect(all(isinstance(t, (int, float)) and float(v) >= 0 for t, v in row["values"]), row)
        data = grafana.post("query", query="topk(1, http_requests_total)", time=f"{end}.250")
        expect_equal((data["resultType"], len(data["result"])), ("vector", 1), "table")
        expect_equal(data["result"][0]["value"][0], end + 0.25, "time")
        expect_equal(grafana.post("query", query="node_load1[5m]", time=end)["resultType"], "matrix", "raw")
        expect_equal(grafana.post("query_exemplars", query="rate(http_seconds_bucket[5m])", start=end - 900, end=end), [],
                     "exemplars")
        stats = grafana.post("query_range", query="node_load1", stats="all", **panel)["stats"]
        expect({"evalTotalTime", "execTotalTime"} <= set(stats["timings"]), stats)
        expect_equal(grafana.post("query", query="node_load1", time=end, lookback_delta="1ms")["result"], [], "look-back")
        expect_equal(grafana.post("query_range", 400, query="node_load1", start=end - 100_000, end=end, step=1)["error"],
                     "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution "
                     "(?step=XX)", "points")
        error = grafana.post("query", 400, query="sum(", time=end)
        expect(error["errorType"] == "bad_data" and 'invalid parameter "query": 1:5: parse error' in error["error"], error)


def test_query_editor_helpers():
    with temporary_folder() as folder, start(folder) as server:
        grafana = Grafana(server)
        expect_equal(grafana.post("format_query", query="sum(up)by(job)"), "sum by (job) (up)", "format")
        tree = grafana.get("parse_query", query="sum by (job) (rate(up[5m]))")
        expect_equal((tree["type"], tree["op"], tree["grouping"], tree["expr"]["func"]["name"]),
                     ("aggregation", "sum", ["job"], "rate"), "tree")
        expect_equal(tree["expr"]["args"][0]["range"], 300_000, "range")


def test_alerting_page():
    with temporary_folder() as folder, start(folder) as server:
        fill(server, int(time.time()))
        grafana = Grafana(server)

        def firing():
            groups = grafana.get("rules")["groups"]
            return groups if groups[0]["rules"][1]["state"] == "firing" else None

        groups = wait_until(firing, what="a firing alert")
        expect_equal([g["name"] for g in groups], ["first", "second"], "groups")
        for group in groups:
            expect_equal(sorted(group), ["evaluationTime", "file", "interval", "lastEvaluation", "limit", "name", "rules"],
                         "group")
        record, alert = groups[0]["rules"]
        expect_equal((record["type"], record["name"], record["health"]), ("recording", "job:requests:sum", "ok"), "record")
        expect({"alerts", "annotations", "duration", "evaluationTime", "health", "keepFiringFor", "labels",
                "lastEvaluation", "name", "query", "state", "type"} <= set(alert), alert)
        expect_equal(sorted(alert["alerts"][0]), ["activeAt", "annotations", "labels", "state", "value"], "alert")
        alerts = grafana.get("alerts")["alerts"]
        expect_equal([(a["labels"]["alertname"], a["state"]) for a in alerts], [("Always", "firing")], "alerts")

        def names(**parameters):
            return [r["name"] for g in grafana.get("rules", **parameters)["groups"] for r in g["rules"]]

        expect_equal(names(type="alert"), ["Always", "Never"], "type")
        expect_equal(names(type="record"), ["job:requests:sum"], "type")
        expect_equal(names(**{"rule_name[]": ["Never", "none"]}), ["Never"], "rule_name")
        expect_equal(names(**{"rule_group[]": "second"}), ["Never"], "rule_group")
        expect_equal(names(**{"file[]": "other.yml"}), [], "file")
        expect_equal(names(**{"match[]": '{team="web"}'}), ["job:requests:sum"], "match")
        expect_equal(names(**{"match[]": ['{team="web"}', '{severity=~"p.+"}']}), ["job:requests:sum", "Always"], "match")
        shown = grafana.get("rules", exclude_alerts="true")["groups"][0]["rules"][1]
        expect_equal(shown.get("alerts", []), [], "exclude_alerts")
        page = grafana.get("rules", group_limit=1)
        expect_equal([g["name"] for g in page["groups"]], ["first"], "first page")
        rest = grafana.get("rules", group_limit=1, group_next_token=page["groupNextToken"])
        expect_equal([g["name"] for g in rest["groups"]], ["second"], "second page")
        expect("groupNextToken" not in rest, rest)
        for bad in ({"type": "x"}, {"group_limit": 0}, {"group_limit": "x"}, {"group_next_token": "x"},
                    {"group_limit": 1, "group_next_token": "x"}, {"exclude_alerts": "x"}, {"match[]": "{"}):
            expect_equal(grafana.get("rules", 400, **bad)["errorType"], "bad_data", str(bad))


def test_status_pages():
    with temporary_folder() as folder, start(folder) as server:
        fill(server, int(time.time()))
        grafana = Grafana(server)
        expect("rules:" in grafana.get("status/config")["yaml"], "config")
        flags = grafana.get("status/flags")
        expect(flags["query.timeout"] == "2m" and all(isinstance(v, str) for v in flags.values()), flags)
        info = grafana.get("status/runtimeinfo")
        expect({"startTime", "CWD", "reloadConfigSuccess", "lastConfigTime", "corruptionCount", "goroutineCount",
                "GOMAXPROCS", "GOGC", "GODEBUG", "storageRetention"} <= set(info), info)
        tsdb = grafana.get("status/tsdb", limit=20)
        by_metric = {row["name"]: row["value"] for row in tsdb["seriesCountByMetricName"]}
        expect_equal((by_metric["http_requests_total"], by_metric["http_seconds_bucket"]), (3, 3), "cardinality")
        expect({"name": "job=web", "value": 1} in tsdb["seriesCountByLabelValuePair"] or
               {"name": "job=web", "value": 2} in tsdb["seriesCountByLabelValuePair"], tsdb)
        expect_equal(sorted(grafana.get("status/walreplay")), ["current", "max", "min"], "walreplay")
        expect(grafana.get("features")["promql_functions"]["rate"], "features")
        expect_equal(grafana.get("targets")["activeTargets"], [], "targets")
        expect_equal(grafana.get("scrape_pools"), {"scrapePools": []}, "scrape pools")
        expect_equal(sorted(grafana.get("alertmanagers")), ["activeAlertmanagers", "droppedAlertmanagers"], "alertmanagers")
        expect_equal(grafana.get("notifications"), [], "notifications")
        page = server.request("GET", f"{BASE}/federate?" + urllib.parse.urlencode({"match[]": "node_load1"}))
        expect(page.headers["Content-Type"].startswith("text/plain; version=0.0.4"), page.headers)
        expect(page.body.startswith(b"# TYPE node_load1 untyped\nnode_load1{instance=\"a\"} "), page.body)


class GrafanaInflux:
    """The InfluxDB data source with InfluxQL, below the same base URL."""

    def __init__(self, server):
        self.server = server

    def ask(self, statement):
        """The series of one statement's result, as its editor reads them."""
        query = urllib.parse.urlencode({"db": "shop", "q": statement, "epoch": "ms"})
        reply = self.server.request("GET", f"{BASE}/query?{query}")
        expect_equal(reply.status, 200, f"{statement}: {reply.body[:300]}")
        result, = reply.json()["results"]
        expect("error" not in result, f"{statement}: {result}")
        expect_equal(result["statement_id"], 0, statement)
        return result.get("series", [])

    def names(self, statement):
        return [row[0] for series in self.ask(statement) for row in series.get("values", [])]


def test_influxql_health_check_and_editor():
    with temporary_folder() as folder, start(folder) as server:
        now = int(time.time())
        fill(server, now)
        expect_equal(server.write(f'disk,host=a\\ b,path=/ used=5i,free=1.5,ok=t,note="full" {now}000000000\n'
                                  f'disk,host=c,path=/var used=6i {now}000000000\ncpu,host=c idle=3 {now}000000000',
                                  db="shop").status, 204, "write")
        grafana = GrafanaInflux(server)
        names = grafana.names("SHOW measurements")
        expect({"cpu", "disk", "http_requests_total"} <= set(names) and names == sorted(names), names)
        policies, = grafana.ask('SHOW RETENTION POLICIES on "shop"')
        expect_equal(policies["columns"], ["name", "duration", "shardGroupDuration", "replicaN", "default"], "policies")
        expect_equal([(row[0], row[4]) for row in policies["values"]], [("autogen", True)], "the default policy")
        expect_equal(grafana.names("SHOW MEASUREMENTS WITH MEASUREMENT =~ /(?i)DIS/ LIMIT 100"), ["disk"], "typed so far")
        expect_equal(grafana.names("SHOW MEASUREMENTS WHERE \"host\" = 'c' LIMIT 100"), ["cpu", "disk"], "of a tag")
        expect_equal(grafana.names("SHOW MEASUREMENTS WHERE \"host\"::tag =~ /^a/ LIMIT 100"), ["disk"], "of a regex")
        expect_equal(grafana.ask('SHOW FIELD KEYS FROM "disk"'),
                     [{"name": "disk", "columns": ["fieldKey", "fieldType"],
                       "values": [["free", "float"], ["note", "string"], ["ok", "boolean"], ["used", "integer"]]}], "fields")
        expect_equal(grafana.ask('SHOW TAG KEYS FROM "autogen"."disk"'),
                     [{"name": "disk", "columns": ["tagKey"], "values": [["host"], ["path"]]}], "tags")
        expect({"instance", "job", "host"} <= set(grafana.names("SHOW TAG KEYS")), "tags of all measurements")
        expect_equal(grafana.ask('SHOW TAG VALUES FROM "disk" WITH KEY = "host"'),
                     [{"name": "disk", "columns": ["key", "value"], "values": [["host", "a b"], ["host", "c"]]}], "values")
        expect_equal(grafana.ask("SHOW TAG VALUES FROM \"disk\" WITH KEY = \"path\" WHERE \"host\" =~ /^(a b)$/"),
                     [{"name": "disk", "columns": ["key", "value"], "values": [["path", "/"]]}], "values of a filter")
        expect_equal([s["name"] for s in grafana.ask('SHOW TAG VALUES WITH KEY = "host"')], ["cpu", "disk"], "of all")
        expect_equal(grafana.ask('SHOW TAG VALUES FROM "none" WITH KEY = "host"'), [], "of none")
        query = urllib.parse.urlencode({"db": "shop", "q": "SHOW TAG VALUES FROM /(/ WITH KEY = host"})
        result, = server.request("GET", f"{BASE}/query?{query}").json()["results"]
        expect("error parsing regexp" in result["error"], result)


def test_methods_and_origins():
    with temporary_folder() as folder, start(folder, "--http-allowed-origins", "https://grafana.example") as server:
        path = f"{BASE}/api/v1/query?query=1"
        head = server.request("HEAD", path)
        expect_equal((head.status, head.body), (200, b""), "HEAD")
        allowed = server.request("OPTIONS", path, headers={"Origin": "https://grafana.example"})
        expect_equal(allowed.status, 204, "OPTIONS")
        expect_equal(allowed.headers["Access-Control-Allow-Origin"], "https://grafana.example", "allowed")
        other = server.request("GET", path, headers={"Origin": "https://evil.example"})
        expect(other.headers["Access-Control-Allow-Origin"] is None, "not allowed")
        wrong = server.request("DELETE", path)
        expect_equal((wrong.status, wrong.body), (405, b"Method Not Allowed\n"), "DELETE")
        expect_equal(wrong.headers["Allow"], "GET, POST", "Allow")
        expect_equal(server.request("GET", f"{BASE}/api/v1/nope").body, b"404 page not found\n", "unknown")


def peak_bytes(server):
    for line in pathlib.Path(f"/proc/{server.process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def test_a_large_reply_is_sent_while_it_is_written():
    """10,000 series: the reply's text is longer than the query's memory budget, and is never held whole. Nor is anything
    kept for the next query here."""
    series, steps = 10_000, 600
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off", "--query-max-memory", "128MiB",
                                              "--query-cache-bytes", "0") as server:
        now = int(time.time())
        lines = "".join(f"m,series=number-{i} value={i}.1234567890123 {now}000000000\n" for i in range(series))
        expect_equal(server.write(lines, db="shop").status, 204, "write")
        # What is made at the first query is not the reply's.
        Grafana(server).post("query_range", query="m", start=now, end=now + 1, step=0.5)
        before = peak_bytes(server)
        form = urllib.parse.urlencode({"query": "m", "start": now, "end": now + (steps - 1) / 2, "step": 0.5,
                                       "stats": "all"})
        reply = server.request("POST", f"{BASE}/api/v1/query_range", form, FORM, timeout=120)
        grown = peak_bytes(server) - before
        expect_equal(reply.status, 200, "status")
        data = reply.json()["data"]
        expect_equal((len(data["result"]), len(data["result"][0]["values"])), (series, steps), "all of it")
        expect("." in data["result"][7]["values"][-1][1], "a value")
        allowed = data["stats"]["tidemark"]["peakBytes"] + (64 << 20)
        expect(len(reply.body) > allowed, f"the text is only {len(reply.body)} bytes long")
        expect_bounded(grown < allowed, f"{grown} bytes more, {allowed} allowed, for {len(reply.body)} of text")


run_tests(globals())
