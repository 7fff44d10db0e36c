"""A reply of 100,000 series: sent while it is written, within the memory of the query whatever the client does, and the
same bytes through gzip. The lengths and memory that it prints are those of query/api/README.md."""
import http.client
import json
import pathlib
import resource
import shutil
import socket
import subprocess
import time
import urllib.parse
import zlib

from harness import Server, expect, expect_bounded, expect_equal, run_tests, temporary_folder, wait_until

T0 = 1_700_000_000
SERIES = 100_000
STEPS = 60
MIB = 1 << 20
# What a query may hold; the test's own is told to have less than its text has bytes.
QUERY_MIB = 160
SERVER = None


def rss_mib(which="VmRSS"):
    text = pathlib.Path(f"/proc/{SERVER.process.pid}/status").read_text()
    return int(text.split(which + ":")[1].split()[0]) / 1024


def forget_peak():
    pathlib.Path(f"/proc/{SERVER.process.pid}/clear_refs").write_text("5")


def cpu_seconds():
    fields = pathlib.Path(f"/proc/{SERVER.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def metric(name):
    for line in SERVER.request("GET", "/metrics").body.decode().splitlines():
        if line.startswith(name + " "):
            return float(line.split()[1])
    raise AssertionError(f"no {name}")


def load():
    for row in range(5):
        for part in range(0, SERIES, 20_000):
            lines = "".join(f"long,host=h{i:06} v={i * 7919 % 100_003 + row}.25 {T0 + row * 240}000000000\n"
                            for i in range(part, part + 20_000))
            expect_equal(SERVER.write(lines).status, 204, "write")


INSTANT = "/api/v1/query?" + urllib.parse.urlencode({"query": "long_v", "time": T0 + 960})
RANGE = "/api/v1/query_range?" + urllib.parse.urlencode(
    {"query": "long_v", "start": T0, "end": T0 + 20 * (STEPS - 1), "step": 20, "nocache": 1})


def get(target, coding=None):
    """The decoded bytes, the headers, and how many bytes came."""
    connection = http.client.HTTPConnection("127.0.0.1", SERVER.port, timeout=300)
    connection.request("GET", target, headers={"Accept-Encoding": coding} if coding else {})
    reply = connection.getresponse()
    expect_equal(reply.status, 200, target)
    decoder = zlib.decompressobj(31) if coding == "gzip" else None
    zstd = None
    text, came = [], 0
    if coding == "zstd":
        zstd = subprocess.Popen(["zstd", "-dc"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        body = reply.read()
        out, _ = zstd.communicate(body)
        expect_equal(zstd.returncode, 0, "zstd")
        return out, reply.headers, len(body)
    while block := reply.read(1 << 20):
        came += len(block)
        text.append(decoder.decompress(block) if decoder else block)
    if decoder:
        expect(decoder.eof and not decoder.unused_data, "one whole gzip member, as browsers read it")
    connection.close()
    return b"".join(text), reply.headers, came


def check(body, values):
    answer = json.loads(body)
    expect_equal(answer["status"], "success", "status")
    rows = answer["data"]["result"]
    expect_equal(len(rows), SERIES, "series")
    expect_equal({row["metric"]["host"] for row in rows}, {f"h{i:06}" for i in range(SERIES)}, "hosts")
    for row in rows[:: SERIES // 100]:
        host = int(row["metric"]["host"][1:])
        samples = row["values"] if values > 1 else [row["value"]]
        expect_equal(len(samples), values, row["metric"]["host"])
        first = host * 7919 % 100_003 + (4 if values == 1 else 0)
        expect_equal(samples[0][1], f"{first}.25", row["metric"]["host"])


def test_it_is_sent_while_it_is_written():
    for name, target, values in (("instant", INSTANT, 1), ("range", RANGE, STEPS)):
        get(target)  # what the first asker pays for: names, buffers of threads
        before, cpu = rss_mib(), cpu_seconds()
        forget_peak()
        body, headers, came = get(target)
        peak = rss_mib("VmHWM") - before
        check(body, values)
        expect_equal(headers["Transfer-Encoding"], "chunked", f"{name}: how it is sent")
        print(f"     {name}: {came / MIB:.0f} MiB of JSON, {peak:.0f} MiB more memory at its peak, "
              f"{cpu_seconds() - cpu:.2f} CPU-s", flush=True)
        expect_bounded(peak < QUERY_MIB, f"{name}: {peak:.0f} MiB")
    expect(came > 100 * MIB, f"only {came} bytes: this shows nothing")


def test_it_can_be_compressed():
    plain, headers, _ = get(RANGE)
    expect_equal(headers["Content-Encoding"], None, "coding nobody asked for")
    for coding in ("gzip", "zstd"):
        if coding == "zstd" and not shutil.which("zstd"):
            continue
        cpu = cpu_seconds()
        body, headers, came = get(RANGE, coding)
        expect_equal(headers["Content-Encoding"], coding, "coding")
        expect(body == plain, f"{coding}: the bytes differ")
        print(f"     {coding}: {came / MIB:.1f} MiB of {len(plain) / MIB:.0f}, {cpu_seconds() - cpu:.2f} CPU-s",
              flush=True)
        expect(came * 4 < len(plain), f"{coding}: {came} bytes of {len(plain)}")


def slow_client(target):
    """Reads the head and a little more, and then nothing."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 << 10)
    connection.settimeout(120)
    connection.connect(("127.0.0.1", SERVER.port))
    connection.sendall(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    expect(connection.recv(1000).startswith(b"HTTP/1.1 200"), "a reply that begins")
    return connection


def test_slow_readers_hold_no_more_than_their_results():
    # The results are held, the text is not; what goes over what all queries may have together is refused.
    before = rss_mib()
    forget_peak()
    slow = [slow_client(RANGE) for _ in range(4)]
    held = metric("tidemark_query_memory_bytes") / MIB
    peak = rss_mib("VmHWM") - before
    print(f"     four who do not read: {held:.0f} MiB counted, {peak:.0f} MiB more memory", flush=True)
    expect(held > 4 * SERIES * STEPS * 8 / MIB, f"{held:.0f} MiB: less than their values")
    expect_bounded(peak < 4 * QUERY_MIB, f"{peak:.0f} MiB")
    # Others are answered meanwhile.
    expect_equal(SERVER.query("count(long_v)", time=T0 + 960)[0]["value"][1], str(SERIES), "another query")
    for connection in slow:
        connection.close()
    wait_until(lambda: metric("tidemark_query_memory_bytes") < MIB, what="the memory of those who went away")


def test_who_hangs_up_is_not_written_for():
    whole = cpu_seconds()
    get(RANGE)
    whole = cpu_seconds() - whole
    connection = slow_client(RANGE)
    begun = cpu_seconds()
    connection.close()
    wait_until(lambda: metric("tidemark_query_memory_bytes") < MIB, what="the memory of who went away")
    after = cpu_seconds() - begun
    print(f"     after hanging up: {after:.2f} CPU-s; a whole reply takes {whole:.2f}", flush=True)
    # Mostly of /metrics and of giving the memory back. A whole reply has twenty times more to write.
    expect(after < whole / 2 + 0.1, f"{after:.2f} CPU-s after the client went, a whole reply takes {whole:.2f}")


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    with temporary_folder() as folder:
        # No background work of others: their memory is not what is measured here.
        SERVER = Server(folder / "data", "--host-metrics", "off", "--query-max-memory", f"{QUERY_MIB}MiB",
                        "--query-cache-bytes", "0")
        with SERVER:
            load()
            run_tests(globals())
