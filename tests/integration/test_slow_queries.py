"""What the log of a server says of where it listens and of queries that took long."""
import re

from harness import Server, expect, run_tests, temporary_folder


def test_the_log_says_where_and_when():
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off") as server:
        expect(re.search(rf"^20\d\d-\S+Z I listening on http://127\.0\.0\.1:{server.port}$", server.log_text(), re.M),
               server.log_text())


def test_slow_queries_are_told_when_asked_for():
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off", "--query-slow", "1ms") as server:
        server.write("".join(f"m,host=h{i} v={i} {1_700_000_000 + j}000000000\n" for i in range(500) for j in range(20)))
        # Each point of a subquery of a subquery: some milliseconds at least on any machine.
        server.query("sum(quantile_over_time(0.5, max_over_time(m_v[10m:1s])[10m:5s]))", time=1_700_000_020)
        line = re.search(r"W slow query: \d+\.\d+ s in default: \"sum\(quantile_over_time.*", server.log_text())
        expect(line and "series" in line.group(0), server.log_text())
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off", "--query-slow", "0") as server:
        server.query("vector(1)")
        expect("slow query" not in server.log_text(), server.log_text())


run_tests(globals())
