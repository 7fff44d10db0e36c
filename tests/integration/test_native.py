"""Native batches over HTTP and TCP by the client in Python, and X-Write-Id for every way in: each row is written once."""
import contextlib
import decimal
import json
import os
import pathlib
import random
import re
import signal
import socket
import ssl
import struct
import subprocess
import sys
import time

from harness import HERE, Server, StableServer, expect, expect_equal, run_tests, temporary_folder, wait_until
from peers.relay import Relay

ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "clients/python"))
try:
    import flatbuffers
except ImportError:
    # Debian's package, when the interpreter is another one.
    sys.path.append("/usr/lib/python3/dist-packages")
    import flatbuffers

from tidemark import Client, Point, Refused, UInt, Unavailable
from tidemark.batch import Encoder
from tidemark.wire import Batch, Hello, Reply

SCHEMA = ROOT / "ingest/native/batch.fbs"
T0 = 1_700_000_000_000_000_000
SEED = int(os.environ.get("TIDEMARK_TEST_SEED", random.randrange(1 << 32)))


def rows_of(server, match, db="default"):
    """Rows as they are stored, by their times: the fields of each."""
    reply = server.request("GET", f"/api/v1/rows?db={db}&match[]={match}&start=2020-01-01T00:00:00Z&end=2200-01-01T00:00:00Z")
    expect_equal(reply.status, 200, reply.body)
    return [json.loads(line) for line in reply.body.splitlines()]


def count_of(server, metric, db="default"):
    found = server.query(f"sum(count_over_time({metric}[3000d]))", db=db, time=time.time() + 10)
    return int(found[0]["value"][1]) if found else 0


def flatc(*arguments):
    return subprocess.run(["flatc", *map(str, arguments)], capture_output=True, text=True)


def test_the_schema_takes_nothing_back():
    """As CI asks it: a client that was made with the released schema is understood."""
    released = ROOT / "ingest/native/released.fbs"
    done = flatc("--conform", released, SCHEMA)
    expect_equal(done.returncode, 0, done.stdout + done.stderr)
    # The check would see a field that is gone.
    with temporary_folder() as folder:
        changed = folder / "batch.fbs"
        changed.write_text(SCHEMA.read_text().replace("  generation:ulong;", "  generation:uint;"))
        expect(changed.read_text() != SCHEMA.read_text(), "the schema has no such field")
        expect(flatc("--conform", released, changed).returncode != 0, "a changed type conforms")


def test_the_code_in_python_is_of_the_schema():
    with temporary_folder() as folder:
        expect_equal(flatc("--python", "-o", folder, SCHEMA).returncode, 0, "flatc")
        for made in sorted((folder / "tidemark/wire").glob("*.py")):
            kept = ROOT / "clients/python/tidemark/wire" / made.name
            expect_equal(kept.read_text(), made.read_text(), str(kept.relative_to(ROOT)))


def test_every_type_comes_back_as_it_was_written():
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off") as server, \
            Client(server.url, database="types") as client:
        fields = {"i": -(1 << 63), "u": UInt((1 << 64) - 1), "f": 0.1, "d": decimal.Decimal("12.50"), "b": True, "s": "grün\n",
                  "e": decimal.Decimal("-0.001")}
        client.write([Point("m", {"host": "a\n", "z": ""}, fields, T0), Point("m", {"host": "b"}, {"i": 7}, T0 + 1)])
        rows = rows_of(server, '{__name__=~"m_.*"}', "types")
        text = json.dumps(rows)
        for part in ("-9223372036854775808", "18446744073709551615", "0.1", "12.5", "true", "gr\\u00fcn\\n", "-0.001"):
            expect(part in text, f"{part} is not in {text}")
        expect_equal(server.query("m_i", db="types", time=T0 / 1e9)[0]["metric"], {"__name__": "m_i", "host": "a\n"}, "labels")


def test_good_rows_are_kept_and_bad_ones_named():
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off") as server, Client(server.url) as client:
        server.write(f"m,h=a v=\"text\" {T0}")
        points = [Point("m", {"h": "a"}, {"w": 1}, T0 + i) for i in range(3)]
        points += [Point("m", {"h": "b"}, {"v": 1}, T0), Point("m", {"__name__": "x"}, {"w": 1}, T0)]
        try:
            client.write(points)
            raise AssertionError("all of it was taken")
        except Refused as refused:
            expect_equal(refused.status, 400, "the status")
            expect_equal([row["row"] for row in refused.rows], [3, 4], refused.rows)
            expect_equal(refused.rows[0]["series"], "m,h=b", "the series")
            expect("field type conflict" in refused.rows[0]["reason"], refused.rows[0])
            expect("__name__ is reserved" in refused.rows[1]["reason"], refused.rows[1])
            expect("dropped=2" in refused.text, refused.text)
        expect_equal(count_of(server, "m_w"), 3, "the good rows")
        # The client goes on.
        client.write([Point("m", {"h": "a"}, {"w": 1}, T0 + 9)])
        expect_equal(count_of(server, "m_w"), 4, "the next batch")
        logged = server.request("GET", "/api/v1/admin/rejections").json()["data"]
        expect_equal({row["source"] for row in logged}, {"native"}, "the ways in")
        expect(all(row["sender"].startswith("127.0.0.1:") for row in logged), logged)
        metrics = server.request("GET", "/metrics").body.decode()
        expect('tidemark_write_source_points_total{source="native"} 4' in metrics, "points by the way they came in")
        expect('tidemark_write_source_rows_rejected_total{source="native"} 2' in metrics, "rejected rows by it")


def test_a_server_started_anew_is_told_the_series_again():
    with temporary_folder() as folder, StableServer(folder / "data") as server, Client(server.fixed_url) as client:
        for round_ in range(3):
            for i in range(3):
                client.write([Point("m", {"h": str(h)}, {"v": 1}, T0 + round_ * 10 + i) for h in range(5)])
            server.kill()
            server.start()
        expect_equal(count_of(server, "m_v"), 45, "rows")


def post_and_cut(server, target, body, headers):
    """Sends a request and is gone before the answer."""
    head = f"POST {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(head.encode() + b"\r\n" + body)


def until_taken(server, target, body, headers):
    """The status once the server has done with the attempt before."""
    return wait_until(lambda: (status := server.request("POST", target, body, headers).status) != 503 and status, what=target)


def test_a_thousand_cut_requests_write_each_row_once():
    """Lines without times and native batches without times: a repeat without an id would be another row."""
    rng = random.Random(SEED)
    print("seed", SEED)
    alone = Encoder("x")
    with temporary_folder() as folder, StableServer(folder / "data") as server:
        for i in range(1_000):
            headers = {"X-Write-Id": f"cut-{i}"}
            if rng.random() < 0.5:
                target, body = "/write", f"once,n={i % 10} line={i}i\nonce,n={i % 10},second=yes line={i}i\n".encode()
            else:
                points = [Point("once", {"n": str(i % 10)}, {"native": i}), Point("once", {"n": "x"}, {"native": i})]
                target, body = "/api/v1/native", without_times(alone, points)
            for _ in range(rng.randrange(1, 3)):
                post_and_cut(server, target, body, headers)
            if i % 250 == 249:
                # What was answered, and what was not.
                server.kill()
                server.start()
            expect_equal(until_taken(server, target, body, headers), 204, "the retry")
            expect_equal(server.request("POST", target, body, headers).status, 204, "one retry more")
        written = count_of(server, '{__name__=~"once_.*"}')
        expect_equal(written, 2_000, "rows")
        other = server.request("POST", "/write", b"once line=5i\n", {"X-Write-Id": "cut-0"})
        expect(other.status == 400 and b"other rows" in other.body or other.status == 204, other.body)


def without_times(encoder, points):
    """A batch that stands for itself and leaves the times to the server."""
    from tidemark.wire import DataTable, Times
    add = DataTable.DataTableAddTimes
    DataTable.DataTableAddTimes = lambda builder, times: None
    try:
        return encoder.encode([point.at(0) for point in points], alone=True)[0]
    finally:
        DataTable.DataTableAddTimes = add


def test_an_id_belongs_to_one_set_of_rows():
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off") as server:
        headers = {"X-Write-Id": "a"}
        expect_equal(server.request("POST", "/write", b"m v=1\n", headers).status, 204, "the first")
        refused = server.request("POST", "/write", b"m v=2\n", headers)
        expect_equal(refused.status, 400, refused.body)
        expect(b"other rows were written under this X-Write-Id" in refused.body, refused.body)
        expect_equal(server.request("POST", "/write?db=other", b"m v=2\n", headers).status, 204, "in another database")
        expect_equal(server.request("POST", "/write", b"m v=2\n", {"X-Write-Id": "b" * 129}).status, 400, "a long one")
        metrics = server.request("GET", "/metrics").body.decode()
        expect("tidemark_write_ids 2" in metrics, "ids that are remembered")


def bytes_of_the_page(name):
    """Those of a dump in the description of the protocol."""
    dump = re.search(rf"```{name}\n(.*?)```", (ROOT / "ingest/native/README.md").read_text(), re.DOTALL).group(1)
    return b"".join(bytes.fromhex(line[6:]) for line in dump.splitlines())


def test_the_bytes_of_the_page():
    """Who writes a client from the page alone can begin with these."""
    batch, hello = bytes_of_the_page("batch"), bytes_of_the_page("hello")
    expect_equal(len(batch), 280, "bytes of the batch")
    with temporary_folder() as folder, native_server(folder) as (server, port):
        expect_equal(server.request("POST", "/api/v1/native?db=example", batch).status, 204, "over HTTP")
        row = rows_of(server, "cpu_forks", "example")[0]
        expect_equal((row["values"], row["times_ns"], row["labels"]["host"]), ([3], [T0], "a"), row)
        with socket.create_connection(("127.0.0.1", port), timeout=60) as stream:
            stream.sendall(hello + struct.pack("<II", len(batch), 2) + batch)
            for sequence in range(2):
                size, kind = struct.unpack("<II", stream.recv(8, socket.MSG_WAITALL))
                reply = Reply.Reply.GetRootAs(stream.recv(size, socket.MSG_WAITALL), 0)
                expect_equal((kind, reply.Sequence(), reply.Status()), (3, 0, 204), f"answer {sequence}")
        expect_equal(count_of(server, "cpu_user", "tcp"), 1, "over TCP")


class Stream:
    """A connection for native batches."""

    def __init__(self, port, token="", database=""):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        builder = flatbuffers.Builder(64)
        texts = [builder.CreateString(token), builder.CreateString(database)]
        Hello.HelloStart(builder)
        Hello.HelloAddToken(builder, texts[0])
        Hello.HelloAddDatabase(builder, texts[1])
        builder.Finish(Hello.HelloEnd(builder))
        self.send(1, bytes(builder.Output()))

    def send(self, kind, message):
        self.socket.sendall(struct.pack("<II", len(message), kind) + message)

    def exactly(self, size):
        out = b""
        while len(out) < size:
            piece = self.socket.recv(size - len(out))
            if not piece:
                raise EOFError
            out += piece
        return out

    def reply(self):
        size, kind = struct.unpack("<II", self.exactly(8))
        expect_equal(kind, 3, "the kind of a reply")
        return Reply.Reply.GetRootAs(self.exactly(size), 0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def numbered(sequence, encoder, points):
    """A batch for a stream: its dictionary is the connection's, its sequence the given one."""
    start = Batch.BatchStart
    name = Encoder._dictionary
    Batch.BatchStart = lambda builder: (start(builder), Batch.BatchAddSequence(builder, sequence))
    Encoder._dictionary = lambda self, builder, client, first, keys: name(self, builder, None, first, keys)
    try:
        body = encoder.encode(points)[0]
        encoder.acknowledge()
        return body
    finally:
        Batch.BatchStart, Encoder._dictionary = start, name


@contextlib.contextmanager
def native_server(folder, *arguments, listener="127.0.0.1:0,db=tcp,connections=2"):
    """A server, and the port for native batches."""
    server = Server(folder / "data", "--host-metrics", "off", "--native", listener, *arguments)
    with server:
        for line in server.process.stdout:
            if match := re.search(rb"listening on tcp port (\d+)", line):
                yield server, int(match.group(1))
                return
        raise AssertionError("no port for native batches")


def test_a_stream_keeps_its_series():
    with temporary_folder() as folder, native_server(folder) as (server, port), Stream(port) as stream:
        expect_equal(stream.reply().Status(), 204, "the hello")
        encoder = Encoder("unused")
        sizes = []
        for i in range(50):
            body = numbered(i + 1, encoder, [Point("m", {"h": str(h)}, {"v": 1}, T0 + i) for h in range(20)])
            sizes.append(len(body))
            # Without waiting for an answer.
            stream.send(2, body)
        for i in range(50):
            reply = stream.reply()
            expect_equal((reply.Sequence(), reply.Status()), (i + 1, 204), reply.Error())
        expect(sizes[1] < sizes[0], f"{sizes[:2]}: the series were named again")
        expect_equal(count_of(server, "m_v", "tcp"), 1_000, "rows")
        # A number that was never given.
        stream.send(2, numbered(51, StrangerEncoder(), [Point("m", {}, {"v": 1}, T0)]))
        reply = stream.reply()
        expect_equal((reply.Sequence(), reply.Status()), (51, 409), reply.Error())
        # A frame that is no batch, and then one that is.
        stream.send(2, b"rubbish, and more")
        expect_equal(stream.reply().Status(), 400, "rubbish")
        stream.send(2, numbered(52, encoder, [Point("m", {"h": "1"}, {"v": 1}, T0 + 99)]))
        expect_equal(stream.reply().Status(), 204, "after rubbish")


class StrangerEncoder(Encoder):
    """Believes that the server knows a thousand series."""

    def __init__(self):
        super().__init__("stranger")
        self._numbers = {str(i).encode(): i for i in range(1000)}
        self._told = 1000


def test_streams_are_bounded_and_refuse_nonsense():
    with temporary_folder() as folder, native_server(folder, "--http-body-bytes-max", "1MB") as (server, port):
        with Stream(port) as one, Stream(port) as two:
            expect_equal([one.reply().Status(), two.reply().Status()], [204, 204], "two connections")
            with Stream(port) as three:
                expect_equal(three.reply().Status(), 503, "a third")
            one.socket.sendall(struct.pack("<II", 2_000_000, 2))
            expect_equal(one.reply().Status(), 413, "a long frame")
            two.send(7, b"12345678")
            expect_equal(two.reply().Status(), 400, "a kind that is none")
        wait_until(lambda: "tidemark_native_connections{listen=\"127.0.0.1:0\"} 0" in server.request("GET", "/metrics").body.decode(),
                   what="the connections to end")
        with socket.create_connection(("127.0.0.1", port)) as raw:
            raw.sendall(struct.pack("<II", 4, 1) + b"oops")
            expect(raw.recv(4096) != b"" , "no answer to a hello that is none")
        # Half a frame, and gone; the server goes on.
        with socket.create_connection(("127.0.0.1", port)) as raw:
            raw.sendall(b"\x00\x01")
        with Stream(port) as again:
            expect_equal(again.reply().Status(), 204, "a connection after those")


def write_good_and_bad(client):
    """What the client says is the same, whichever way it goes."""
    client.write([Point("m", {"h": "a"}, {"v": "text"}, T0)])
    client.write([Point("m", {"h": str(h)}, {"w": 1, "x": decimal.Decimal("1.25")}, T0 + h) for h in range(5)])
    try:
        client.write([Point("m", {"h": "b"}, {"w": 1}, T0 + 10), Point("m", {"h": "b"}, {"v": 1}, T0 + 11)])
        raise AssertionError("all of it was taken")
    except Refused as refused:
        expect_equal((refused.status, [row["row"] for row in refused.rows]), (400, [1]), refused.rows)
        expect("field type conflict" in refused.rows[0]["reason"] and refused.rows[0]["series"] == "m,h=b", refused.rows)
    client.write([Point("m", {"h": "b"}, {"w": 1}, T0 + 12)])


def test_the_client_goes_over_tcp_as_over_http():
    with temporary_folder() as folder, native_server(folder) as (server, port):
        with Client(f"tcp://127.0.0.1:{port}", database="over") as client:
            write_good_and_bad(client)
        expect_equal(count_of(server, "m_w", "over"), 7, "rows over TCP")
        with Client(server.url, database="http") as client:
            write_good_and_bad(client)
        expect_equal(count_of(server, "m_w", "http"), 7, "rows over HTTP")
        for wrong in ("udp://127.0.0.1", f"tcp://127.0.0.1:{port}/path", "tcp://"):
            try:
                Client(wrong)
                raise AssertionError(f"{wrong} was taken")
            except ValueError as error:
                expect("address" in str(error), error)
        try:
            with Client(f"tcp://127.0.0.1:{port}") as client:
                client.write([Point("m", {}, {"v": object()}, T0)])
            raise AssertionError("an object was written")
        except ValueError as error:
            expect("is no type of a field" in str(error), error)


def test_a_cut_stream_writes_each_row_once():
    """Rows without times: a repeat that was taken for another batch would be more rows."""
    with temporary_folder() as folder, native_server(folder) as (server, port), Relay(port) as relay:
        with Client(f"tcp://127.0.0.1:{relay.port}", database="cut") as client:
            for i in range(30):
                relay.cut_replies = i % 3 == 0
                client.write([Point("m", {"h": str(h)}, {"v": i}, T0 + i) for h in range(i % 7 + 1)])
        expect(relay.cuts >= 8, f"{relay.cuts} answers were cut")
        want = sum(i % 7 + 1 for i in range(30))
        expect_equal(count_of(server, "m_v", "cut"), want, "rows")
        text = server.request("GET", "/metrics").body.decode()
        taken = re.search(r'tidemark_write_source_points_total\{source="native over TCP"\} (\d+)', text)
        expect_equal(taken and int(taken.group(1)), want, "points that were written, and none twice")


def test_the_client_goes_over_tcp_under_tls():
    with temporary_folder() as folder, native_server(folder) as (server, port):
        tls = folder / "tls"
        subprocess.run([str(pathlib.Path(sys.argv[1]) / "tidemark"), "admin", "certificate", "new", "localhost", "--out", str(tls)],
                       check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls / "certificate.pem", tls / "key.pem")
        with Relay(port, context) as relay:
            believing = ssl.create_default_context(cafile=tls / "certificate.pem")
            with Client(f"tcps://localhost:{relay.port}", database="over", tls=believing) as client:
                write_good_and_bad(client)
            expect_equal(count_of(server, "m_w", "over"), 7, "rows under TLS")
            with Client(f"tcps://localhost:{relay.port}", database="over", give_up_s=0.1) as client:
                try:
                    client.write([Point("m", {}, {"v": 1}, T0)])
                    raise AssertionError("a stranger's certificate was believed")
                except Unavailable as error:
                    expect("certificate" in str(error).lower(), error)


def new_certificate(folder):
    subprocess.run([str(pathlib.Path(sys.argv[1]) / "tidemark"), "admin", "certificate", "new", "localhost", "--out", str(folder)],
                   check=True, capture_output=True)
    return folder / "certificate.pem", folder / "key.pem"


def test_a_listener_speaks_tls_itself():
    with temporary_folder() as folder:
        certificate, key = new_certificate(folder / "tls")
        files = ("--tls-certificate-file", str(certificate), "--tls-key-file", str(key))
        with native_server(folder, *files, listener="127.0.0.1:0,db=tls,connections=4,tls=on") as (server, port):
            believing = ssl.create_default_context(cafile=certificate)
            with Client(f"tcps://localhost:{port}", database="over", tls=believing) as client:
                write_good_and_bad(client)
                # Many records in one frame, and a frame beside which the next one comes.
                client.write([Point("big", {"h": str(h % 500)}, {"v": h, "text": "x" * 40}, T0 + h) for h in range(60_000)])
                expect_equal(count_of(server, "m_w", "over"), 7, "rows under TLS")
                expect_equal(count_of(server, "big_v", "over"), 60_000, "rows of a large batch")
                for url, context, word in ((f"tcps://localhost:{port}", None, "certificate"), (f"tcp://localhost:{port}", None, "")):
                    with Client(url, database="over", give_up_s=0.1, tls=context) as stranger:
                        try:
                            stranger.write([Point("m", {}, {"v": 1}, T0)])
                            raise AssertionError(f"{url} was taken")
                        except Unavailable as error:
                            expect(word in str(error).lower(), error)
                wait_until(lambda: "TLS: the handshake with 127.0.0.1" in server.log_text(), what="words in the log")
                failed = re.search(r"^tidemark_native_handshakes_failed_total.* (\d+)$", server.request("GET", "/metrics").body.decode(), re.M)
                expect(failed and int(failed.group(1)) >= 1, "failed handshakes are counted")
                # A certificate that is renewed, under an open connection.
                renewed, renewed_key = new_certificate(folder / "renewed")
                certificate.write_text(renewed.read_text())
                key.write_text(renewed_key.read_text())
                server.process.send_signal(signal.SIGHUP)
                with Client(f"tcps://localhost:{port}", database="over", tls=ssl.create_default_context(cafile=renewed)) as late:
                    late.write([Point("late", {}, {"v": 1}, T0)])
                client.write([Point("late", {}, {"v": 2}, T0 + 1)])
            expect_equal(count_of(server, "late_v", "over"), 2, "of both")
            expect_equal(server.stop(), 0, "the exit code")
        done = subprocess.run([str(pathlib.Path(sys.argv[1]) / "tidemarkd"), "--data", str(folder / "none"), "--http", "127.0.0.1:0",
                               "--native", "127.0.0.1:0,tls=on"], capture_output=True, text=True, timeout=60)
        expect(done.returncode != 0 and "tls.certificate_file" in done.stderr, done.stderr)


def test_the_client_over_tcp_shows_a_token_and_tells_a_new_server_its_series():
    with temporary_folder() as folder:
        (folder / "data").mkdir()
        made = subprocess.run([str(pathlib.Path(sys.argv[1]) / "tidemark"), "admin", "token", "first", "admin", "--data", str(folder / "data")],
                              capture_output=True, text=True, check=True)
        secret = re.search(r"tm_\S+|[A-Za-z0-9_-]{30,}", made.stdout).group(0)
        with native_server(folder) as (_, port), Relay(port) as relay:
            with Client(f"tcp://127.0.0.1:{port}", give_up_s=0.1) as stranger:
                try:
                    stranger.write([Point("m", {}, {"v": 1}, T0)])
                    raise AssertionError("a stranger wrote")
                except Unavailable as error:
                    expect(str(error) != "", "no reason")
            client = Client(f"tcp://127.0.0.1:{relay.port}", token=secret, database="told")
            client.write([Point("m", {"h": str(h)}, {"v": 1}, T0) for h in range(5)])
        with native_server(folder) as (server, port):
            # Another server of the same data: it does not know this client's numbers.
            relay = Relay(port)
            client._transport.close()
            client._transport._port = relay.port
            client.write([Point("m", {"h": str(h)}, {"v": 1}, T0 + 1) for h in range(5)])
            client.close()
            rows = server.request("GET", "/api/v1/rows?db=told&match[]=m_v", None, {"Authorization": f"Bearer {secret}"}).body
            expect_equal(sum(len(json.loads(line).get("values", [])) for line in rows.splitlines()), 10, rows[:500])


def test_a_stream_shows_a_token():
    with temporary_folder() as folder:
        (folder / "data").mkdir()
        made = subprocess.run([str(pathlib.Path(sys.argv[1]) / "tidemark"), "admin", "token", "first", "admin", "--data", str(folder / "data")],
                              capture_output=True, text=True)
        expect_equal(made.returncode, 0, made.stderr)
        secret = re.search(r"tm_\S+|[A-Za-z0-9_-]{30,}", made.stdout)
        expect(secret, made.stdout)
        with native_server(folder) as (_, port):
            with Stream(port) as stranger:
                expect_equal(stranger.reply().Status(), 401, "without a token")
            with Stream(port, token=secret.group(0)) as known:
                expect_equal(known.reply().Status(), 204, "with one")


if __name__ == "__main__":
    run_tests(globals())
