"""Quotas of tokens and databases: 429 with Retry-After and the reason, and what is counted."""
import contextlib
import http.client
import json
import re
import time

from harness import Server, expect, expect_equal, run_tests, temporary_folder, wait_until
from test_access import ask, bearer, command
from test_label_filters import make, quoted

OFF = ("--host-metrics", "off")


@contextlib.contextmanager
def server_with(quotas, grants=("write:*", "read:*")):
    with temporary_folder() as folder, Server(folder / "data", *OFF) as server:
        root = make(server, "root", "admin:*")
        yield server, root, make(server, "agent", grants, root, quotas=quotas)


def refused(reply, *words):
    status, headers, body = reply
    expect_equal(status, 429, body)
    expect(int(headers["Retry-After"]) >= 1, headers)
    for word in words:
        expect(word.encode() in body, f"{word} is not in {body}")


def lines(count, first=0):
    return "\n".join(f"m,n={first + i} v=1" for i in range(count))


def test_points_and_bytes_by_rate():
    with server_with(["points/s=5"]) as (server, root, agent):
        # What is left may be used up at once, then the debt is paid.
        expect_equal(ask(server, "POST", "/write?db=d", bearer(agent), lines(100))[0], 204, "the first batch")
        for target in ("/write?db=d", "/api/v2/write?bucket=d"):
            refused(ask(server, "POST", target, bearer(agent), lines(1)), "agent", "5 points a second")
        # Others are served meanwhile.
        expect_equal(ask(server, "POST", "/write?db=d", bearer(root), lines(1))[0], 204, "another token")
        status, headers, _ = ask(server, "POST", "/write?db=d", bearer(agent), lines(1))
        expect(10 <= int(headers["Retry-After"]) <= 20, headers)
        status, _, body = ask(server, "POST", "/api/v1/admin/tokens/quota?" + quoted(name="agent", quota="bytes/s=100"),
                              bearer(root))
        expect_equal(status, 200, body)
        expect_equal(ask(server, "POST", "/write?db=d", bearer(agent), lines(100))[0], 204, "with another quota")
        refused(ask(server, "POST", "/write?db=d", bearer(agent), lines(1)), "100 bytes a second")
        expect_equal(ask(server, "POST", "/api/v1/admin/tokens/quota?name=agent", bearer(root))[0], 200, "without any")
        expect_equal(ask(server, "POST", "/write?db=d", bearer(agent), lines(1))[0], 204, "without any")


def test_new_series_and_series():
    with server_with(["new_series/s=5"]) as (server, root, agent):
        refused(ask(server, "POST", "/write?db=d", bearer(agent), lines(50)), "5 new series a second")
        # The rows of known series, and of as many new ones as there may be, are written.
        count = json.loads(ask(server, "GET", "/api/v1/query?db=d&query=count(m_v)", bearer(root))[2])
        expect_equal(count["data"]["result"][0]["value"][1], "10", "series: two seconds' worth")
        expect_equal(ask(server, "POST", "/write?db=d", bearer(agent), lines(10))[0], 204, "known series")
        ask(server, "POST", "/api/v1/admin/tokens/quota?" + quoted(name="agent", quota="series=20"), bearer(root))
        expect_equal(ask(server, "POST", "/write?db=d", bearer(agent), lines(20))[0], 204, "as many as may be")
        refused(ask(server, "POST", "/write?db=d", bearer(agent), lines(21)), "20 series")
        expect_equal(ask(server, "POST", "/write?db=d", bearer(agent), lines(20))[0], 204, "those that it has")
        expect_equal(ask(server, "POST", "/write?db=d", bearer(root), lines(100))[0], 204, "another token")


def test_a_refusal_says_once_when_to_try_again():
    with server_with(["series=1"]) as (server, _, agent):
        expect_equal(ask(server, "POST", "/write?db=d", bearer(agent), lines(1))[0], 204, "the first series")
        for target in ("/write?db=d", "/api/v2/write?bucket=d"):
            reply = server.request("POST", target, lines(1, first=1), bearer(agent))
            expect_equal((reply.status, reply.headers.get_all("Retry-After")), (429, ["60"]), target)


def test_a_retry_after_is_true_and_a_quota_changes_at_once():
    with server_with(["points/s=20"]) as (server, root, agent):
        for target in ("/write?db=d", "/api/v2/write?bucket=d"):
            expect_equal(ask(server, "POST", target, bearer(agent), lines(60))[0], 204, "what was saved up, and more")
            status, headers, body = ask(server, "POST", target, bearer(agent), lines(1))
            expect_equal(status, 429, body)
            wait_s = int(headers["Retry-After"])
            expect(f"try again in {wait_s} s".encode() in body, f"{wait_s}: {body}")
            time.sleep(wait_s)
            expect_equal(ask(server, "POST", target, bearer(agent), lines(1))[0], 204, f"after {wait_s} s")
            time.sleep(2)
        ask(server, "POST", "/write?db=d", bearer(agent), lines(100))
        expect_equal(ask(server, "POST", "/write?db=d", bearer(agent), lines(1))[0], 429, "in debt")
        raised = ask(server, "POST", "/api/v1/admin/tokens/quota?" + quoted(name="agent", quota="points/s=1000"), bearer(root))
        expect_equal(raised[0], 200, raised[2])
        expect_equal(ask(server, "POST", "/write?db=d", bearer(agent), lines(500))[0], 204, "under the new quota")
        lowered = ask(server, "POST", "/api/v1/admin/tokens/quota?" + quoted(name="agent", quota="points/s=1"), bearer(root))
        expect_equal(lowered[0], 200, lowered[2])
        expect_equal(ask(server, "POST", "/write?db=d", bearer(agent), lines(10))[0], 204, "what the lower one lets be saved up, and more")
        status, headers, body = ask(server, "POST", "/write?db=d", bearer(agent), lines(1))
        expect(status == 429 and 1 <= int(headers["Retry-After"]) <= 10, f"{status} {headers}: {body}")
        # A restart keeps the quota, and not the debt.
        server.stop()
        server.start()
        expect_equal(ask(server, "POST", "/write?db=d", bearer(agent), lines(60))[0], 204, "after a restart")
        expect_equal(ask(server, "POST", "/write?db=d", bearer(agent), lines(1))[0], 429, "the same quota")


def test_all_that_is_shown_of_usage_is_the_same():
    with server_with(["points/s=1000", "new_series/s=50"]) as (server, root, agent):
        ask(server, "POST", "/write?db=d", bearer(agent), lines(10))
        ask(server, "POST", "/write?db=d", bearer(agent), "m,n=0 v=2,w=3,x=4")
        ask(server, "POST", "/write?db=d", bearer(agent), "nonsense")
        for _ in range(3):
            ask(server, "GET", "/api/v1/query?db=d&query=m_v", bearer(agent))
        row = next(row for row in json.loads(ask(server, "GET", "/api/v1/admin/usage", bearer(root))[2])["data"] if row["name"] == "agent")
        metrics = ask(server, "GET", "/metrics", bearer(root))[2].decode()
        shown = dict(re.findall(r'^tidemark_token_(\w+)\{token="agent"\} (\S+)$', metrics, re.M))
        for member, metric in (("points", "points_total"), ("bytes", "write_bytes_total"), ("newSeries", "new_series_total"),
                               ("newFields", "new_fields_total"), ("queries", "queries_total"), ("series", "active_series")):
            expect_equal(float(shown[metric]), float(row[member]), f"{metric} and {member}")
        expect_equal((row["points"], row["newSeries"], row["queries"]), (13, 10, 3), row)
        listed = json.loads(command(server, "admin", "usage", "--json", token=root).stdout)
        listed = listed["data"] if isinstance(listed, dict) else listed
        said = next(each for each in listed if each["name"] == "agent")
        expect_equal({key: said[key] for key in ("points", "bytes", "newSeries", "queries")},
                     {key: row[key] for key in ("points", "bytes", "newSeries", "queries")}, "the command")


def test_databases():
    with server_with([]) as (server, root, agent):
        set_one = command(server, "admin", "quota", "set", "d", "--quota", "points/s=5", token=root)
        expect_equal(set_one.returncode, 0, set_one.stderr)
        expect_equal(ask(server, "POST", "/write?db=d", bearer(agent), lines(100))[0], 204, "the first batch")
        for secret in (agent, root):
            refused(ask(server, "POST", "/write?db=d", bearer(secret), lines(1)), 'database', "5 points a second")
        expect_equal(ask(server, "POST", "/write?db=e", bearer(agent), lines(1))[0], 204, "another database")
        server.stop()
        server.start()
        listed = command(server, "admin", "quota", "list", token=root).stdout
        expect("points/s=5" in listed, listed)
        for bad in ("points/s", "points=5", "points/s=x", "points/s=-1", "query_memory=1MiB"):
            status, _, body = ask(server, "POST", "/api/v1/admin/quotas?" + quoted(db="d", quota=bad), bearer(root))
            expect_equal(status, 400, f"{bad}: {body}")


def test_queries():
    with server_with(["queries=1", "query_memory=100KiB"]) as (server, root, agent):
        at = int(time.time()) * 1_000_000_000
        ask(server, "POST", "/write?db=d", bearer(root), "\n".join(f"m,n={i} v=1 {at}" for i in range(20_000)))
        refused(ask(server, "GET", "/api/v1/query?db=d&query=m_v*2", bearer(agent)), "agent", "queries")
        expect_equal(ask(server, "GET", "/api/v1/query?db=d&query=sum(m_v{n='1'})", bearer(agent))[0], 200, "a small one")
        expect_equal(ask(server, "GET", "/api/v1/query?db=d&query=m_v*2", bearer(root))[0], 200, "another token")
        ask(server, "POST", "/api/v1/admin/tokens/quota?" + quoted(name="agent", quota="queries=1"), bearer(root))
        # A long answer that nobody reads is a query that runs.
        slow = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        ask(server, "POST", "/write?db=d", bearer(root),
            "\n".join(f"big,n={i} v={i} {at + k}" for i in range(200) for k in range(1000)))
        slow.request("GET", "/api/v1/rows?db=d&match[]=big_v", headers=bearer(agent))
        refused(wait_until(lambda: (lambda reply: reply[0] == 429 and reply)(
            ask(server, "GET", "/api/v1/query?db=d&query=1", bearer(agent))), what="a refusal"), "1 query at once")
        slow.close()
        wait_until(lambda: ask(server, "GET", "/api/v1/query?db=d&query=1", bearer(agent))[0] == 200,
                   what="the end of the first")


def test_usage_is_shown():
    with server_with(["points/s=1000"]) as (server, root, agent):
        ask(server, "POST", "/write?db=d", bearer(agent), lines(10))
        ask(server, "GET", "/api/v1/query?db=d&query=m_v", bearer(agent))
        rows = json.loads(ask(server, "GET", "/api/v1/admin/usage", bearer(root))[2])["data"]
        row = next(row for row in rows if row["name"] == "agent")
        expect_equal((row["points"], row["newSeries"], row["queries"]), (10, 10, 1), row)
        metrics = ask(server, "GET", "/metrics", bearer(root))[2].decode()
        expect('tidemark_token_points_total{token="agent"} 10\n' in metrics, "the metric")
        shown = command(server, "admin", "usage", token=root)
        expect("agent" in shown.stdout, shown)


if __name__ == "__main__":
    run_tests(globals())
