"""The quotas of a database, for every way in, while sixteen write at once: nobody gets more than there is, and what was refused
takes up nothing."""
import concurrent.futures
import json
import re
import socket
import threading
import time

from harness import Server, expect, expect_equal, free_port, run_tests, temporary_folder, wait_until
from peers import remote_write
from test_access import ask
from test_label_filters import quoted
from test_native import Encoder, Point, Stream, numbered

WRITERS = 16


class Way:
    """Writes rows of (series, field, value) and says how it was answered; a value is a float or a text."""

    def __init__(self, server, native_port):
        self.server, self.native_port = server, native_port

    def lines(self, rows):
        return "\n".join(f"m,n={name} {field}=" + (f'"{value}"' if isinstance(value, str) else f"{value}") for name, field, value in rows)

    def points(self, rows):
        return [Point("m", {"n": name}, {field: value}, time.time_ns()) for name, field, value in rows]


class LineProtocol(Way):
    target = "/write?db=d"

    def send(self, rows):
        return ask(self.server, "POST", self.target, None, self.lines(rows))[0]


class LineProtocol2(LineProtocol):
    target = "/api/v2/write?bucket=d"


class Native(Way):
    def send(self, rows):
        return ask(self.server, "POST", "/api/v1/native?db=d", None, Encoder("").encode(self.points(rows))[0])[0]


class NativeStream(Way):
    def send(self, rows):
        with Stream(self.native_port, database="d") as stream:
            expect_equal(stream.reply().Status(), 204, "the hello")
            stream.send(2, numbered(1, Encoder("unused"), self.points(rows)))
            reply = stream.reply()
            expect((reply.Status() == 429) == (reply.RetryAfterMs() > 0), f"{reply.Status()}: again after {reply.RetryAfterMs()} ms")
            return reply.Status()


class RemoteWrite(Way):
    texts = False

    def send(self, rows):
        now = int(time.time() * 1000)
        return remote_write.send(self.server.port, "/api/v1/write?db=d",
                                 [({"__name__": f"m_{field}", "n": name}, [(now, value)]) for name, field, value in rows])[0]


class Datagrams(Way):
    """Nobody is answered; a batch that was refused is counted."""

    def __init__(self, server, native_port, udp_port):
        super().__init__(server, native_port)
        self.udp_port = udp_port

    def counts(self):
        metrics = self.server.request("GET", "/metrics").body.decode()
        found = {line.split("{")[0]: int(line.split()[-1]) for line in metrics.splitlines() if line.startswith("tidemark_udp_")}
        return found["tidemark_udp_datagrams_total"], found["tidemark_udp_failed_batches_total"]

    def send(self, rows):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(self.lines(rows).encode(), ("127.0.0.1", self.udp_port))
        return None


def each_way(check):
    for kind in (LineProtocol, LineProtocol2, Native, NativeStream, RemoteWrite, Datagrams):
        udp_port = free_port(socket.SOCK_DGRAM)
        with temporary_folder() as folder, \
                Server(folder / "data", "--host-metrics", "off", "--native", "127.0.0.1:0,connections=64",
                       "--udp", f"127.0.0.1:{udp_port},db=d,interval=1ms") as server:
            ports = (re.search(rb"listening on tcp port (\d+)", line) for line in server.process.stdout)
            native_port = next(int(port.group(1)) for port in ports if port)
            way = kind(server, native_port, udp_port) if kind is Datagrams else kind(server, native_port)
            check(server, way)


def limit(server, *quotas):
    reply = ask(server, "POST", "/api/v1/admin/quotas?" + quoted(db="d", quota=list(quotas)))
    expect_equal(reply[0], 200, reply[2])


def usage(server):
    rows = ask(server, "GET", "/api/v1/admin/usage")
    return next(row for row in json.loads(rows[2])["data"] if row["kind"] == "database" and row["name"] == "d")


def at_once(way, batches):
    """Sends each by a thread of its own, all at the same moment; the answers."""
    start = threading.Barrier(len(batches))

    def send(rows):
        start.wait(60)
        return way.send(rows)

    with concurrent.futures.ThreadPoolExecutor(len(batches)) as threads:
        return list(threads.map(send, batches))


def settled(server, way, batches):
    """Sends the batches at once and waits until nothing is under way; the answers and the usage."""
    before = way.counts()[0] if isinstance(way, Datagrams) else 0
    answers = at_once(way, batches)
    if isinstance(way, Datagrams):
        wait_until(lambda: way.counts()[0] >= before + len(batches), what="the datagrams")
        time.sleep(1)  # the last batch is written
    return answers, usage(server)


def count(server, metric):
    found = server.query(f"count({metric})", db="d")
    return int(found[0]["value"][1]) if found else 0


def test_new_series_are_no_more_than_the_rate():
    def check(server, way):
        limit(server, "new_series/s=20")
        begin = time.monotonic()
        batches = [[(f"{writer}-{i}", "v", 1.5) for i in range(10)] for writer in range(WRITERS)]
        answers, used = settled(server, way, batches)
        # Two seconds' worth, and what has come meanwhile.
        most = 40 + 20 * (time.monotonic() - begin) + 1
        # Sixteen write at once, and the last place or two may be left when they end.
        expect(30 <= used["newSeries"] <= most, f"{type(way).__name__}: {used}, at most {most}")
        expect_equal(count(server, "m_v"), used["newSeries"], f"{type(way).__name__}: series")
        expect_equal(used["points"], used["newSeries"], f"{type(way).__name__}: points are those that were written")
        expect(answers[0] is None or 429 in answers, answers)
    each_way(check)


def test_series_are_as_many_as_may_be():
    def check(server, way):
        limit(server, "series=25")
        answers, used = settled(server, way, [[(f"{writer}-{i}", "v", 1.5) for i in range(10)] for writer in range(WRITERS)])
        expect_equal((used["series"], count(server, "m_v")), (25, 25), f"{type(way).__name__}: {answers}")
    each_way(check)


def test_rows_that_are_refused_otherwise_take_up_no_series():
    def check(server, way):
        if isinstance(way, RemoteWrite):
            return  # it has no types that could contradict each other
        limit(server, "series=10", "new_series/s=100")
        way.send([("known", "v", 1.5)])
        wait_until(lambda: count(server, "m_v") == 1, what="the first row")
        settled(server, way, [[(f"bad{writer}-{i}", "v", "text") for i in range(5)] for writer in range(WRITERS)])
        used = usage(server)
        expect_equal((used["series"], used["newSeries"], used["points"]), (1, 1, 1), f"{type(way).__name__}: {used}")
        answers, used = settled(server, way, [[(f"good{i}", "v", 1.5)] for i in range(9)])
        expect_equal((used["series"], count(server, "m_v")), (10, 10), f"{type(way).__name__}: {answers}")
    each_way(check)


def test_fields_are_new_names():
    def check(server, way):
        if isinstance(way, RemoteWrite):
            return  # a metric of it is a measurement
        limit(server, "new_series/s=5")
        way.send([("a", "v", 1.5)])
        wait_until(lambda: count(server, "m_v") == 1, what="the first row")
        expect_equal(usage(server)["newFields"], 0, "the first field of a measurement is part of its series")
        for number in range(60):
            way.send([("a", f"f{number}", 1.5)])
            if isinstance(way, Datagrams):
                time.sleep(0.01)
        time.sleep(0.5)
        made = count(server, '{__name__=~"m_f.*",n="a"}')
        used = usage(server)
        expect(made < 60 and used["newFields"] == made, f"{type(way).__name__}: {made} of 60 fields, {used}")
        expect(used["refusedRows"] >= 60 - made, f"{type(way).__name__}: {used}")
    each_way(check)


def test_a_write_that_is_refused_for_points_costs_no_bytes():
    def check(server, way):
        limit(server, "points/s=10", "bytes/s=100000")
        first = [(f"{i}", "v", 1.5) for i in range(50)]
        way.send(first)
        wait_until(lambda: usage(server)["points"] == 50, what="the first batch, which leaves a debt")
        bytes_before = usage(server)["bytes"]
        answers, used = settled(server, way, [first[:1]] * WRITERS)
        expect_equal((used["points"], used["bytes"]), (50, bytes_before), f"{type(way).__name__}: {answers}")
        expect(answers[0] is None or set(answers) == {429}, answers)
        if isinstance(way, Datagrams):
            expect(way.counts()[1] > 0, "batches that were refused are counted")
    each_way(check)


def test_bytes_are_counted():
    def check(server, way):
        limit(server, "bytes/s=10")
        way.send([(f"{i}", "v", 1.5) for i in range(50)])
        wait_until(lambda: usage(server)["points"] == 50, what="the first batch")
        answers, used = settled(server, way, [[("0", "v", 2.5)]] * WRITERS)
        expect_equal(used["points"], 50, f"{type(way).__name__}: {answers}")
        expect(answers[0] is None or set(answers) == {429}, answers)
    each_way(check)


if __name__ == "__main__":
    run_tests(globals())
