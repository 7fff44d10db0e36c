"""The completion of Grafana's and Prometheus' query editors (npm's @prometheus-io/codemirror-promql) asks the server."""
import json
import subprocess

from harness import HERE, Server, expect, expect_equal, run_tests, temporary_folder


def test_the_editor_completes_from_the_server():
    expect((HERE / "node_modules").is_dir(), "the editor is missing: npm ci in tests/integration")
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off") as server:
        server.write("http_requests_total,job=api,code=200 value=1\n"
                     "http_requests_total,job=api,code=500 value=2\n"
                     "http_requests_total,job=web,code=200 value=3\n"
                     "node_load1,instance=a value=0.5\n"
                     "other value=1", db="shop")
        run = subprocess.run(["node", str(HERE / "peers/completion.cjs"), f"{server.url}/db/shop"], capture_output=True,
                             text=True, timeout=120)
        expect_equal(run.returncode, 0, run.stderr[:2000])
        out = json.loads(run.stdout)
        expect({"http_requests_total", "node_load1", "other", "rate", "sum"} <= set(out["metric"]), out["metric"])
        expect_equal(sorted(out["label"]), ["code", "job"], "label names of the metric")
        expect_equal(sorted(out["value"]), ["200", "500"], "values of a label")
        expect({"code", "job"} <= set(out["grouping"]), out["grouping"])
        expect_equal(out["detail"], "counter", "the type that metadata gives")
        expect_equal(out["errors"], [], "no request failed")
        expect(any("/db/shop/api/v1/metadata" in url for url in out["requests"]), out["requests"])


run_tests(globals())
