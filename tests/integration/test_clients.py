"""npm's influx and @influxdata/influxdb-client write, prometheus-query reads back what they sent, and the 2.x client manages buckets."""
import json
import subprocess

from harness import HERE, Server, expect, expect_equal, run_tests, temporary_folder


def test_client_libraries():
    expect((HERE / "node_modules").is_dir(), "the client libraries are missing: npm ci in tests/integration")
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off") as server:
        run = subprocess.run(["node", str(HERE / "peers/clients.mjs"), server.url], capture_output=True, text=True, timeout=120)
        expect_equal(run.returncode, 0, run.stderr[:2000])
        out = json.loads(run.stdout)
        expect("v1" in out["databases"], out["databases"])
        expect_equal(out["ping"], [True], "ping")
        expect("field type conflict" in out["conflict"], out["conflict"])
        expect_equal([(s["labels"]["host"], s["value"]) for s in out["v1"]], [("a,b=c d", 1.25), ("plain", 2.5)], "v1")
        expect_equal([(s["labels"]["town"], s["value"]) for s in out["v2"]], [("Oslo", -1.5), ("Bergen", 7.5)], "v2")
        expect_equal(out["rain"][0]["value"], 6, "arithmetic on an integer field")
        expect_equal(out["range"], [3, 3], "points of a range")
        expect_equal(out["series"], ["weather_snow", "weather_temperature"], "series")
        expect_equal(sorted(out["towns"]), ["Bergen", "Oslo"], "label values")
        expect_equal([out["ready"], out["health"], out["setup"], out["org"]], ["ready", "pass", False, "mine"], "first questions of 2.x")
        expect_equal(out["bucket"], ["made here", 7200], "a bucket that was made")
        expect_equal(out["twice"], [422, "conflict"], "made again")
        expect(out["found"], "the bucket is found by its name")
        expect_equal([out["absent"], out["dropped"]], [[404, "not found"]] * 2, "buckets that are not there")
        expect_equal(out["kept"], [10800, 10800], "a retention that was changed, and one that was not")
        expect_equal(out["renamed"], [422, "unprocessable entity"], "another name")
        expect_equal([out["me"], out["flux"]], ["active", [422, "unprocessable entity"]], "who asks, and what is not served")
        expect({"v1", "v2", "made here"} <= set(out["names"]), out["names"])
        expect_equal(out["left"], ["Bergen"], "what a deletion by a predicate leaves")


run_tests(globals())
