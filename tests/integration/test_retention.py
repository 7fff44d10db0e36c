"""What a retention refuses, over each way in: the reason, the line and its text."""
import time
import urllib.parse

from harness import Server, expect, expect_equal, run_tests, temporary_folder
from peers.remote_write import HEADERS, series, snappy

SERVER = None
DAY = 86_400
NOW = int(time.time())


def remote_series(name, host, seconds):
    return series([(b"__name__", name), (b"host", host)], [(seconds * 1000, 1.5)])


def remote_write(message):
    return SERVER.request("POST", "/api/v1/write?db=kept", snappy(message), HEADERS)


def keep(match, duration):
    reply = SERVER.request("POST", "/api/v1/admin/retention", urllib.parse.urlencode(
        {"db": "kept", "match[]": match, "keep": duration}), {"Content-Type": "application/x-www-form-urlencoded"})
    expect_equal(reply.status, 200, f"setting a retention: {reply.body}")


def lines(*times):
    return "\n".join(f"debug,host=a x=1,y=2 {seconds}000000000\ncpu,host=a x=1 {seconds}000000000"
                     for seconds in times)


def values(metric):
    rows = SERVER.query(f"{metric}[30d]", db="kept", time=NOW + 1)
    return sum(len(row["values"]) for row in rows)


def test_lines_beyond_a_selector_are_refused():
    expect_equal(SERVER.write(f"cpu,host=a x=1 {NOW - 20}000000000", db="kept").status, 204, "a first write")
    keep('{__name__="debug_x"}', "1d")
    keep('{__name__=~"debug_.*",host="b"}', "2d")
    reply = SERVER.write(lines(NOW - 10, NOW - 3 * DAY) + f"\ndebug,host=b x=1,y=2 {NOW - 3 * DAY}000000000", db="kept")
    expect_equal(reply.status, 400, "a batch with old points")
    answer = reply.json()
    expect("partial write: points beyond retention policy" in answer["error"], answer)
    expect("dropped=2" in answer["error"], answer)
    faults = {fault["line_number"]: fault for fault in answer["data"]}
    expect_equal(sorted(faults), [3, 5], "the lines refused")
    expect_equal(faults[3]["error_message"], 'points beyond retention policy: field "x"', "the reason of line 3")
    expect_equal(faults[5]["error_message"], "points beyond retention policy", "the reason of line 5")
    expect(faults[3]["original_line"].startswith("debug,host=a x=1,y=2 "), faults[3])
    expect_equal([values("debug_x"), values("debug_y"), values("cpu_x")], [1, 2, 3], "what was kept")


def test_the_v2_write_says_the_same():
    reply = SERVER.request("POST", "/api/v2/write?bucket=kept&org=any&precision=s",
                           f"debug,host=v2 x=1 {NOW - 3 * DAY}\n")
    expect_equal(reply.status, 400, "an old point by v2")
    expect("points beyond retention policy" in reply.body.decode(), reply.body)


def test_remote_write_refuses_them_too():
    keep('{__name__="remote_debug"}', "1d")
    reply = remote_write(remote_series(b"remote_debug", b"a", NOW - 2 * DAY) + remote_series(b"remote_ok", b"a", NOW - 2 * DAY) +
                         remote_series(b"remote_debug", b"a", NOW - 5))
    expect_equal(reply.status, 400, "a request with an old sample")
    expect("1 samples refused: points beyond retention policy" in reply.body.decode(), reply.body)
    expect_equal([values("remote_debug"), values("remote_ok")], [1, 1], "what was kept")


if __name__ == "__main__":
    with temporary_folder() as folder, Server(folder / "data") as SERVER:
        run_tests(dict(globals()))
