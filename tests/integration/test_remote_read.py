"""Debian's Prometheus without data of its own, asking us for all of it by remote read (chunks, streamed)."""
import json
import shutil
import subprocess
import time
import urllib.parse
import urllib.request

from harness import Server, expect, expect_equal, free_port, run_tests, temporary_folder, wait_until

T0 = 1_700_000_000
ENDS_AT = 40  # rows of host h03


class Prometheus:
    def __init__(self, folder, read_url):
        self.folder = folder
        self.port = free_port()
        (folder / "prometheus.yml").write_text(
            "global: {scrape_interval: 1h}\nscrape_configs: []\n"
            f"remote_read:\n  - url: {read_url}\n    read_recent: true\n    remote_timeout: 1m\n")

    def __enter__(self):
        self.log = open(self.folder / "prometheus.log", "wb")
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={self.folder}/prometheus.yml", f"--storage.tsdb.path={self.folder}/tsdb",
             f"--web.listen-address=127.0.0.1:{self.port}", "--query.lookback-delta=5m"],
            stdout=self.log, stderr=self.log)
        wait_until(self.ready, what="prometheus")
        return self

    def __exit__(self, *error):
        self.process.kill()
        self.process.wait()
        self.log.close()

    def ready(self):
        expect(self.process.poll() is None, (self.folder / "prometheus.log").read_text(errors="replace")[-2000:])
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=5).status == 200
        except OSError:
            return False

    def query(self, path, **parameters):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            answer = json.load(urllib.request.urlopen(url, timeout=120))
        except urllib.error.HTTPError as error:
            answer = json.load(error)
        return answer


def rows_of(result):
    """Sorted by labels. Values to 13 digits: since 3.0 sums are compensated, which 2.42 does not do."""
    def rounded(samples):
        return [[time, f"{float(value):.13g}"] for time, value in samples]
    return sorted((json.dumps(row["metric"], sort_keys=True), rounded(row.get("values") or [row["value"]]))
                  for row in result)


def fill(server):
    lines = []
    for host in range(40):
        for i in range(300):
            if host == 3 and i > ENDS_AT:
                continue
            value = (i * (host + 1) * 7) % 1000 / 8
            lines.append(f"load,host=h{host:02},dc=d{host % 3} one={value},total={i * 3 + host}i {T0 + i * 15}000000000")
    expect_equal(server.write("\n".join(lines), db="src").status, 204, "write")


def test_prometheus_reads_what_we_have():
    expect(shutil.which("prometheus"), "prometheus is missing: tools/dev/setup test")
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off") as server:
        fill(server)
        asked = 0
        with Prometheus(folder, f"{server.url}/db/src/api/v1/read") as prometheus:
            for query in ("load_one", 'load_total{host=~"h0.*",dc!="d1"}', "sum by (dc) (rate(load_total[2m]))",
                          "count_over_time(load_one[10m])", 'max_over_time(load_one{host="h07"}[1h])',
                          "topk(3, load_one)", 'load_one{host!~"h.*"}', "absent(nothing)"):
                for when in (T0 + 600, T0 + 4485, T0 + 4000.5):
                    theirs = prometheus.query("query", query=query, time=when)
                    expect_equal(theirs["status"], "success", f"{query}: {theirs}")
                    expect_equal(theirs.get("warnings"), None, query)
                    # 2.42 takes the sample at the left end of a range into it, which Prometheus 3 and we do not: at
                    # these times of the ranges it makes a difference only where a sample lies on the end.
                    if "[" in query and (when - T0) % 15 == 0:
                        continue
                    ours = server.query(query, db="src", time=when)
                    expect_equal(rows_of(theirs["data"]["result"]), rows_of(ours), f"{query} at {when}")
                    asked += len(ours)
            # Off the times of the samples: 2.42 still shows one that is exactly as old as it looks back.
            theirs = prometheus.query("query_range", query="load_one * 2", start=T0 + 7, end=T0 + 4500, step=30)
            ours = server.query("load_one * 2", db="src", start=T0 + 7, end=T0 + 4500, step=30)
            expect_equal(rows_of(theirs["data"]["result"]), rows_of(ours), "a range query")
            expect_equal(len(ours), 40, "series")
            expect(asked > 150, f"only {asked} rows were compared")


def test_prometheus_shows_our_error():
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off", "--query-max-samples",
                                              "1000") as server:
        fill(server)
        with Prometheus(folder, f"{server.url}/db/src/api/v1/read") as prometheus:
            answer = prometheus.query("query", query="load_one[1h]", time=T0 + 4485)
            expect("exceeded sample limit" in json.dumps(answer), answer)
            answer = prometheus.query("query", query='load_one{host="h07"}[1h]', time=T0 + 4485)
            expect_equal(answer["status"], "success", answer)
            expect_equal(len(answer["data"]["result"][0]["values"]), 241, "samples within the limit")


if __name__ == "__main__":
    run_tests(globals())
