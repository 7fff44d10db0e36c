"""When the server was away is in its own data: after kill -9, and after it was stopped."""
import time
import urllib.parse

from harness import Server, expect, expect_equal, run_tests, temporary_folder

# The query of executor/CARD.md.
UPTIME = ("1 - sum_over_time(server_down_seconds[30d]) / "
          "clamp(time() - last_over_time(server_first_start_seconds[30d]), 1, 30 * 86400)")


def texts(server, selector):
    target = "/api/v1/events?" + urllib.parse.urlencode({"db": "_server", "match[]": selector})
    return [e["text"] for e in server.request("GET", target).json()["data"]]


def last(server, field):
    return float(server.query(f"last_over_time(server_{field}[1d])", db="_server")[0]["value"][1])


def test_downtime_is_recorded_at_the_next_start():
    with temporary_folder() as folder:
        server = Server(folder / "data").start()
        expect_equal(texts(server, "server_event"), ["first start"], "events")
        expect_equal(last(server, "down_seconds"), 0, "downtime of the first start")
        first = last(server, "first_start_seconds")
        server.kill()
        gone = time.time()
        began = time.time()
        server.start()
        # It was away from the kill until it started; the last note that it was there is no younger than the kill and,
        # since the machine may be busy, not much older than the test.
        down = last(server, "down_seconds")
        expect(began - gone <= down <= time.time() - first, f"down for {down} s")
        expect_equal(last(server, "clean"), 0, "a killed server")
        expect(texts(server, "server_event")[1].endswith("s, killed"), texts(server, "server_event"))
        total = float(server.query("sum_over_time(server_down_seconds[1d])", db="_server")[0]["value"][1])
        up = float(server.query(UPTIME, db="_server")[0]["value"][1])
        expect(0 < total and 0 <= up < 1, f"uptime {up}, away for {total} s")

        server.stop()
        server.start()
        expect_equal(last(server, "clean"), 1, "a stopped server")
        expect_equal(last(server, "first_start_seconds"), first, "the first start of all")
        expect_equal(len(texts(server, "server_event")), 3, "starts")
        server.kill()


def test_a_damaged_note_stops_nothing():
    with temporary_folder() as folder:
        with Server(folder / "data"):
            pass
        (folder / "data" / "alive").write_bytes(b"\0" * 84)
        with Server(folder / "data") as server:
            expect_equal(texts(server, "server_event"), ["first start", "first start"], "events")


def test_a_server_without_metrics_of_its_own_keeps_no_note():
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off") as server:
        expect(not (folder / "data" / "alive").exists(), "a note")
        names = [d["name"] for d in server.request("GET", "/api/v1/admin/databases").json()["data"]]
        expect("_server" not in names, names)


run_tests(globals())
