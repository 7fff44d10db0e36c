"""That a store takes no writes is told to people, whether it stops taking them or starts so: no rule could say it."""
from peers.alert_sink import AlertSink
from harness import Server, expect, expect_equal, run_tests, temporary_folder, wait_until

NOTIFY = """
route: {{receiver: all, group_by: [alertname], group_wait: 100ms, group_interval: 500ms, repeat_interval: 1h}}
receivers: [{{name: all, webhook_configs: [{{url: '{url}/all'}}]}}]
"""


def watched(folder, sink, *more):
    (folder / "notify.yml").write_text(NOTIFY.format(url=sink.url))
    return Server(folder / "data", "--host-metrics", "off", "--notify-config", str(folder / "notify.yml"), *more)


def told(sink):
    """What was said of a store that takes no writes."""
    return [alert["annotations"]["summary"] for _, message in list(sink.messages) for alert in message["alerts"]
            if alert["labels"] == {"alertname": "TidemarkReadOnly", "severity": "critical"} and alert["status"] == "firing"]


def test_a_store_that_stops_taking_them():
    with temporary_folder() as folder, AlertSink() as sink, watched(folder, sink) as server:
        expect_equal(server.write("m v=1").status, 204, "a write")
        (folder / "data" / "journal").rename(folder / "away")
        wait_until(lambda: server.write("m v=1").status == 503, what="the refusal of writes")
        wait_until(lambda: told(sink), what="the alert")
        expect("journal" in told(sink)[0], told(sink))


def test_a_store_that_starts_so():
    with temporary_folder() as folder, AlertSink() as sink:
        server = watched(folder, sink)
        with server:
            expect_equal(server.write("m v=1").status, 204, "a write")
            expect_equal(server.request("POST", "/api/v1/admin/checkpoint").status, 200, "a checkpoint")
            expect_equal(server.stop(), 0, "the exit code")
        expect_equal(told(sink), [], "of a store that takes writes")
        (folder / "data" / "rocksdb" / "CURRENT").rename(folder / "away")
        with server:
            wait_until(lambda: told(sink), what="the alert")
            reason = server.request("GET", "/health").json()["message"].removeprefix("writes are refused: ")
            expect_equal(told(sink)[0], f"The store takes no writes: {reason}", "what is said")
            expect_equal(server.stop(), 0, "the exit code of one that takes no writes")


if __name__ == "__main__":
    run_tests(globals())
