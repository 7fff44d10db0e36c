"""Programs of others over TLS, each with a token: Prometheus' remote read and federation, vmagent, promtool, npm's clients of
InfluxDB 1 and 2, Python's, Icinga, curl, and our own command and client. What a bad token gets is seen too.

Who is not installed is left out with the reason: CI has what tools/dev/setup installs."""
import contextlib
import json
import os
import pathlib
import pwd
import shutil
import subprocess
import sys
import urllib.parse
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import HERE, expect, expect_equal, free_port, run_tests, wait_until  # noqa: E402
from test_access import bearer, make  # noqa: E402
from test_tls import command, encrypted  # noqa: E402


def missing(*programs):
    """Whether one of them is not there, which is told."""
    for program in programs:
        if shutil.which(program) is None:
            print(f"     {program} is not installed: left out", flush=True)
            return True
    return False


@contextlib.contextmanager
def running(*arguments, log, **more):
    with open(log, "wb") as out:
        process = subprocess.Popen([str(each) for each in arguments], stdout=out, stderr=out, **more)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


def run(*arguments, environment=None, input=None, **more):
    return subprocess.run([str(each) for each in arguments], capture_output=True, text=True, timeout=120, input=input,
                          env={**os.environ, **(environment or {})}, **more)


def value_of(server, root, query, db):
    """The value of the first series; None for none."""
    target = "/api/v1/query?" + urllib.parse.urlencode({"db": db, "query": query})
    result = server.request("GET", target, headers=bearer(root)).json()["data"]["result"]
    return result[0]["value"][1] if result else None


def arrives(server, root, query, db, log):
    wait_until(lambda: value_of(server, root, query, db) is not None, 60,
               f"{query} in {db}: " + (pathlib.Path(log).read_text(errors="replace")[-1500:] if pathlib.Path(log).exists() else ""))


def test_vmagent_writes():
    if missing("vmagent"):
        return
    with encrypted() as (server, folder, certificate):
        root = make(server, "root", "admin:*")
        writer = make(server, "vm", "write:vm", root)
        (folder / "scrape.yml").write_text(f"""
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: tidemark
    scheme: https
    authorization: {{credentials: {root}}}
    tls_config: {{ca_file: {certificate}, server_name: localhost}}
    static_configs: [{{targets: ['127.0.0.1:{server.tls_port}']}}]
""")
        for secret, works in ((writer, True), ("none", False)):
            log = folder / f"vmagent-{works}.log"
            with running("vmagent", f"-promscrape.config={folder}/scrape.yml", f"-remoteWrite.url=https://localhost:{server.tls_port}/api/v1/write?db=vm",
                         f"-remoteWrite.bearerToken={secret}", f"-remoteWrite.tlsCAFile={certificate}", f"-remoteWrite.tmpDataPath={folder}/vm-{works}",
                         f"-httpListenAddr=127.0.0.1:{free_port()}", log=log):
                if works:
                    arrives(server, root, 'up{job="tidemark"} == 1', "vm", log)
                else:
                    wait_until(lambda: "401" in log.read_text(errors="replace"), 60, "a refusal in vmagent's log")


def test_prometheus_reads_and_federates():
    if missing("prometheus"):
        return
    with encrypted() as (server, folder, certificate):
        root = make(server, "root", "admin:*")
        reader = make(server, "reader", "read:src", root)
        reply = server.request("POST", "/write?db=src", "m,host=a v=42\nm,host=b v=1", bearer(root))
        expect_equal(reply.status, 204, reply.body)
        port = free_port()
        (folder / "prometheus.yml").write_text(f"""
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: federate
    scheme: https
    metrics_path: /federate
    params: {{'match[]': ['m_v'], db: [src]}}
    authorization: {{credentials: {reader}}}
    tls_config: {{ca_file: {certificate}, server_name: localhost}}
    static_configs: [{{targets: ['127.0.0.1:{server.tls_port}']}}]
    metric_relabel_configs: [{{source_labels: [__name__], regex: m_v, target_label: __name__, replacement: federated}}]
remote_read:
  - url: https://localhost:{server.tls_port}/api/v1/read?db=src
    authorization: {{credentials: {reader}}}
    tls_config: {{ca_file: {certificate}}}
    read_recent: true
""")

        def ask(query):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": query}), timeout=30) as answer:
                return {row["metric"].get("host"): row["value"][1] for row in json.load(answer)["data"]["result"]}

        def becomes(query, want):
            def same():
                with contextlib.suppress(OSError):
                    return ask(query) == want
            wait_until(same, 60, query + ": " + (folder / "prometheus.log").read_text(errors="replace")[-1500:])

        with running("prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb",
                     f"--web.listen-address=127.0.0.1:{port}", log=folder / "prometheus.log"):
            becomes("m_v", {"a": "42", "b": "1"})
            becomes("federated", {"a": "42", "b": "1"})


def test_promtool_asks():
    if missing("promtool"):
        return
    with encrypted() as (server, _, certificate):
        root = make(server, "root", "admin:*")
        reply = server.request("POST", "/write?db=default", "m,host=a v=42", bearer(root))
        expect_equal(reply.status, 204, reply.body)
        believed = {"SSL_CERT_FILE": str(certificate)}
        url = f"https://x:{root}@localhost:{server.tls_port}"
        done = run("promtool", "query", "instant", url, "m_v", environment=believed)
        expect(done.returncode == 0 and "42" in done.stdout, done)
        done = run("promtool", "query", "labels", url, "host", environment=believed)
        expect(done.returncode == 0 and done.stdout.split() == ["a"], done)
        done = run("promtool", "query", "instant", url.replace(root, "none"), "m_v", environment=believed)
        expect(done.returncode != 0, done)
        done = run("promtool", "query", "instant", url, "m_v")
        expect(done.returncode != 0 and "certificate" in done.stderr, done)
        metrics = server.request("GET", "/metrics", headers=bearer(root)).body.decode()
        done = run("promtool", "check", "metrics", input=metrics)
        expect(done.returncode in (0, 3) and "error while linting" not in done.stderr, done)


def test_npm_clients():
    expect((HERE / "node_modules").is_dir(), "the client libraries are missing: npm ci in tests/integration")
    with encrypted() as (server, _, certificate):
        root = make(server, "root", "admin:*")
        done = run("node", HERE / "peers/tls_clients.mjs", f"https://localhost:{server.tls_port}", root, "none",
                   environment={"NODE_EXTRA_CA_CERTS": str(certificate)})
        expect_equal(done.returncode, 0, done.stderr[:2000])
        out = json.loads(done.stdout)
        expect_equal(out["measurements"], ["m"], "measurements")
        expect("not known" in out["refused1"] or "401" in out["refused1"], out)
        expect_equal(out["refused2"], 401, "a token that is none")
        expect_equal([value_of(server, root, "m_v", db) for db in ("npm1", "npm2")], ["1", "2"], "points")


def test_python_influxdb():
    # The package is Debian's, and so its Python has it; the one that runs this may be another.
    with_it = [python for python in (sys.executable, "/usr/bin/python3")
               if subprocess.run([python, "-c", "import influxdb"], capture_output=True, timeout=60).returncode == 0]
    if not with_it:
        print("     python3-influxdb is not installed: left out", flush=True)
        return
    with encrypted() as (server, _, certificate):
        root = make(server, "root", "admin:*")
        done = run(with_it[0], HERE / "peers/python_influxdb.py", server.tls_port, certificate, root, "none")
        expect_equal(done.returncode, 0, done.stderr[:2000])
        out = json.loads(done.stdout)
        expect(out["written"] and "py" in out["databases"], out)
        expect_equal((out["measurements"], out["refused"]), (["m"], 401), out)
        expect_equal(value_of(server, root, "m_v", "py"), "3.5", "the point")


ICINGA = """
include <itl>
object CheckerComponent "checker" {{}}
object CheckCommand "probe" {{ command = [ "/bin/sh", "-c", "echo 'OK | load=1.5'" ] }}
object Host "box" {{ check_command = "probe"; check_interval = 1s; retry_interval = 1s; enable_perfdata = true }}
object InfluxdbWriter "first" {{
  host = "localhost"; port = {port}; ssl_enable = true; ssl_ca_cert = "{certificate}"; database = "icinga1"
  username = "ada"; password = "{secret}"; flush_interval = 1s; flush_threshold = 1
  host_template = {{ measurement = "$host.check_command$"; tags = {{ hostname = "$host.name$" }} }}
}}
object Influxdb2Writer "second" {{
  host = "localhost"; port = {port}; ssl_enable = true; ssl_ca_cert = "{certificate}"; bucket = "icinga2"; organization = "o"
  auth_token = "{secret}"; flush_interval = 1s; flush_threshold = 1
  host_template = {{ measurement = "$host.check_command$"; tags = {{ hostname = "$host.name$" }} }}
}}
"""


def test_icinga_writes():
    if missing("icinga2"):
        return
    with encrypted() as (server, folder, certificate):
        root = make(server, "root", "admin:*")
        writer = make(server, "icinga", "write:icinga*", root)
        (folder / "icinga.conf").write_text(ICINGA.format(port=server.tls_port, certificate=certificate, secret=writer))
        me = pwd.getpwuid(os.getuid()).pw_name
        for each in ("data", "log", "run", "cache", "spool"):
            (folder / f"icinga-{each}").mkdir()
        log = folder / "icinga.log"
        with running("icinga2", "daemon", "--config", folder / "icinga.conf", "-D", f"RunAsUser={me}", "-D", f"RunAsGroup={me}",
                     "-D", f"DataDir={folder}/icinga-data", "-D", f"LogDir={folder}/icinga-log", "-D", f"InitRunDir={folder}/icinga-run",
                     "-D", f"CacheDir={folder}/icinga-cache", "-D", f"SpoolDir={folder}/icinga-spool", log=log):
            arrives(server, root, 'probe{hostname="box",metric="load"} == 1.5', "icinga1", log)
            arrives(server, root, 'probe{hostname="box",metric="load"} == 1.5', "icinga2", log)


def test_curl_and_the_command():
    if missing("curl"):
        return
    with encrypted() as (server, folder, certificate):
        root = make(server, "root", "admin:*")
        url = f"https://localhost:{server.tls_port}"
        for how in (("-H", f"Authorization: Bearer {root}"), ("-H", f"Authorization: Token {root}"), ("-u", f":{root}"), ("--oauth2-bearer", root)):
            done = run("curl", "-sS", "--cacert", certificate, *how, "--data-binary", "m v=1", "-w", "%{http_code}", f"{url}/write?db=curl")
            expect_equal(done.stdout, "204", f"{how[0]}: {done}")
        for version in ("--tlsv1.2", "--tlsv1.3", "--http1.0", "--http2"):
            done = run("curl", "-sS", "--cacert", certificate, version, "-H", f"Authorization: Bearer {root}", f"{url}/api/v1/query?db=curl&query=m_v")
            expect(done.returncode == 0 and '"success"' in done.stdout, f"{version}: {done}")
        done = run("curl", "-sS", "--cacert", certificate, "--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0", f"{url}/ping")
        expect(done.returncode != 0, "TLS 1.1 was taken")
        done = run("curl", "-sS", "--cacert", certificate, "--resolve", f"other.example:{server.tls_port}:127.0.0.1",
                   f"https://other.example:{server.tls_port}/ping")
        expect(done.returncode != 0 and "other.example" in done.stderr, done)
        # Our own command, whose writes go through the C++ client; its token is in a file or in the environment.
        (folder / "token").write_text(root + "\n")
        (folder / "token").chmod(0o600)
        done = command(server, "write", "--db", "own", "-", "--ca", str(certificate), "--token-file", str(folder / "token"), input="m v=7\n")
        expect_equal(done.returncode, 0, done.stderr)
        done = command(server, "query", "m_v", "--db", "own", "--ca", str(certificate), environment={"TIDEMARK_TOKEN": root})
        expect(done.returncode == 0 and "7" in done.stdout, done.stdout + done.stderr)
        done = command(server, "write", "--db", "own", "-", "--ca", str(certificate), input="m v=7\n", environment={"TIDEMARK_TOKEN": "none"})
        expect(done.returncode != 0 and "none" not in done.stderr, done.stderr)


if __name__ == "__main__":
    run_tests(globals())
