"""Real agents of Debian feed the server: collectd over UDP line protocol, Prometheus by remote write."""
import pathlib
import shutil
import socket
import subprocess

from harness import Server, expect, free_port, run_tests, temporary_folder, wait_until


def end(process):
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def test_collectd_write_influxdb_udp():
    collectd = shutil.which("collectd") or "/usr/sbin/collectd"
    expect(pathlib.Path(collectd).exists(), "collectd is missing: tools/dev/setup test installs it")
    port = free_port(socket.SOCK_DGRAM)
    with temporary_folder() as folder:
        config = folder / "collectd.conf"
        config.write_text(f"""
Hostname "box"
FQDNLookup false
Interval 1
BaseDir "{folder}"
PIDFile "{folder}/collectd.pid"
LoadPlugin load
LoadPlugin memory
LoadPlugin write_influxdb_udp
<Plugin write_influxdb_udp>
  Server "127.0.0.1" "{port}"
</Plugin>
""")
        with Server(folder / "data", "--host-metrics", "off", "--udp", f"127.0.0.1:{port},db=collectd,precision=ms,interval=200ms") as server:
            agent = subprocess.Popen([collectd, "-f", "-C", str(config)], stdout=subprocess.DEVNULL,
                                     stderr=subprocess.DEVNULL)
            try:
                wait_until(lambda: server.query('{__name__=~"load.*", host="box"}', db="collectd"),
                           what="load from collectd")
                memory = wait_until(lambda: server.query('{__name__=~"memory.*"}', db="collectd"),
                                    what="memory from collectd")
                expect(all(float(s["value"][1]) >= 0 for s in memory), memory)
            finally:
                end(agent)


def test_prometheus_remote_write():
    prometheus = shutil.which("prometheus")
    expect(prometheus, "prometheus is missing: tools/dev/setup test installs it")
    with temporary_folder() as folder, Server(folder / "data", "--host-metrics", "off") as server:
        config = folder / "prometheus.yml"
        config.write_text(f"""
global:
  scrape_interval: 1s
  external_labels: {{from: prometheus}}
scrape_configs:
  - job_name: tidemark
    static_configs: [{{targets: ['127.0.0.1:{server.port}']}}]
remote_write:
  - url: {server.url}/api/v1/write?db=prom
    queue_config: {{batch_send_deadline: 1s}}
""")
        agent = subprocess.Popen(
            [prometheus, f"--config.file={config}", f"--storage.tsdb.path={folder}/tsdb",
             f"--web.listen-address=127.0.0.1:{free_port()}"],
            stdout=subprocess.DEVNULL, stderr=open(folder / "prometheus.log", "wb"))
        try:
            up = wait_until(lambda: server.query('up{from="prometheus", job="tidemark"} == 1', db="prom"),
                            what="up == 1 from prometheus")
            expect(up[0]["metric"]["instance"] == f"127.0.0.1:{server.port}", up)
            wait_until(lambda: server.query("rate(scrape_samples_scraped[1m])", db="prom"), what="a second sample")
            served = server.query('{__name__=~"tidemark_.+"}', db="prom")
            expect(len(served) > 5, f"the server's own metrics come back: {len(served)}")
        finally:
            end(agent)


run_tests(globals())
