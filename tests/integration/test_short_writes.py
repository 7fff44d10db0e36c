"""Short writes over many connections are written together: each is answered for itself, in the words of its protocol, the log
of rejections names its sender and line, and whatever was acknowledged is there after a kill."""
import concurrent.futures
import http.client
import json
import re
import time

from harness import Server, expect, expect_equal, run_tests, temporary_folder
from test_native import Encoder, Point

CONNECTIONS = 16
ROUNDS = 60
START_NS = time.time_ns() - 3600 * 10**9


class Connection:
    """One that is kept, and whose address the server names as its sender."""

    def __init__(self, server):
        self.http = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        self.http.connect()
        self.address = "127.0.0.1:%d" % self.http.sock.getsockname()[1]

    def send(self, target, body, headers=None):
        self.http.request("POST", target, body=body, headers=headers or {})
        reply = self.http.getresponse()
        return reply.status, dict(reply.getheaders()), reply.read().decode()


def metric(server, name):
    text = server.request("GET", "/metrics").body.decode()
    return float(re.search(rf"^{name} (\S+)$", text, re.M).group(1))


def one_sender(server, number):
    """Sends good and bad rows in turns; how many good ones, and the place of each that the store refused."""
    connection = Connection(server)
    good, refused = 0, []
    for i in range(ROUNDS):
        at = START_NS + i
        kind = (i + number) % 6
        if kind == 0:
            status, _, body = connection.send("/write?db=d", f"m,c={number} v={i} {at}")
            expect_equal((status, body), (204, ""), "a good row")
            good += 1
        elif kind == 1:
            status, headers, body = connection.send("/write?db=d", f"m,c={number} v={i} {at}\nm,c={number} v= {at}\nm,c={number} v={i} {at + 10**6}")
            expect_equal(status, 400, "a line that cannot be read")
            expect(json.loads(body)["error"].endswith("dropped=1"), body)
            expect("X-Influxdb-Version" in headers, f"as every answer of this path: {headers}")
            good += 2
        elif kind == 2:
            status, _, body = connection.send("/write?db=d", f"m,c={number} v={i} {at}\nm,c={number} text={i} {at}")
            expect_equal(status, 400, "a field of another type")
            expect('field type conflict: input field \\"text\\"' in body and len(json.loads(body)["data"]) == 1, body)
            good += 1
            refused.append((connection.address, 2))
        elif kind == 3:
            status, _, body = connection.send("/write?db=d", f'm,c={number} text="{number}-{i}" {at}')
            expect_equal((status, body), (204, ""), "a text")
        elif kind == 4:
            points = [Point("m", {"c": str(number)}, {"v": float(i)}, at)]
            status, _, body = connection.send("/api/v1/native?db=d", Encoder("").encode(points)[0])
            expect_equal((status, body), (204, ""), "a native batch")
            good += 1
        else:
            status, _, body = connection.send(f"/api/v2/write?bucket=other{number % 2}", f"m,c={number} v={i} {at}")
            expect_equal((status, body), (204, ""), "another database")
    return number, good, refused


def test_each_is_answered_for_itself_and_what_was_acknowledged_stays():
    with temporary_folder() as folder, Server(folder) as server:
        server.write('m,c=x text="first" 1', db="d", precision="ns")
        before = metric(server, "tidemark_journal_syncs_total")
        with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as pool:
            results = list(pool.map(lambda number: one_sender(server, number), range(CONNECTIONS)))
        requests = CONNECTIONS * ROUNDS
        syncs = metric(server, "tidemark_journal_syncs_total") - before
        expect(syncs < requests, f"{syncs} syncs for {requests} requests: none were written together")
        listed = json.loads(server.request("GET", "/api/v1/admin/rejections?limit=1000").body)
        log = json.dumps(listed)
        for number, _, refused in results:
            for address, _ in refused[-2:]:
                expect(address in log, f"the sender {address} is not in the log of rejections: {log[:2000]}")
        server.kill()
        server.start()
        for number, good, _ in results:
            rows = server.request("GET", f"/api/v1/rows?db=d&match[]=m_v{{c=%22{number}%22}}").body.decode()
            expect_equal(sum(len(json.loads(line).get("values", [])) for line in rows.splitlines()), good, f"rows of sender {number}: {rows[:300]}")


def test_the_log_names_line_and_sender():
    with temporary_folder() as folder, Server(folder) as server:
        server.write('m text="first" 1', db="d", precision="ns")

        def send(number):
            connection = Connection(server)
            body = "".join(f"n,c={number} v={i} {i + 1}\n" for i in range(number)) + f"m text={number} 5"
            status, _, answer = connection.send("/write?db=d", body)
            expect_equal(status, 400, answer)
            return connection.address, number + 1

        with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as pool:
            places = set(pool.map(send, range(CONNECTIONS)))
        listed = json.loads(server.request("GET", "/api/v1/admin/rejections?limit=1000").body)
        entries = listed["data"] if isinstance(listed["data"], list) else next(value for value in listed["data"].values() if isinstance(value, list))
        expect_equal({(entry["sender"], entry["line"]) for entry in entries}, places, "senders and lines")


def test_a_body_of_bad_lines_makes_no_database():
    with temporary_folder() as folder, Server(folder) as server:
        status, _, body = Connection(server).send("/write?db=nowhere", "nonsense")
        expect_equal(status, 400, body)
        expect("nowhere" not in server.request("GET", "/query?q=SHOW+DATABASES").body.decode(), "a database was made")


run_tests(globals())
