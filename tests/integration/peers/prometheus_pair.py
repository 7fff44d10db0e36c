"""Debian's Prometheus and Alertmanager on free ports, which are given data by remote write."""
import json
import subprocess
import urllib.parse
import urllib.request

from harness import free_port, wait_until


class Process:
    """A program that says by /-/ready that it serves."""

    def __init__(self, folder, command):
        self.folder, self.command, self.process = folder, command, None

    def start(self):
        self.log = open(self.folder / "log", "ab")
        self.process = subprocess.Popen(self.command, stdout=self.log, stderr=self.log)
        wait_until(self.ready, what=self.command[0])
        return self

    def ready(self):
        try:
            return urllib.request.urlopen(self.url + "/-/ready", timeout=5).status == 200
        except OSError:
            return False

    def get(self, target, **parameters):
        text = f"{self.url}{target}?{urllib.parse.urlencode(parameters)}" if parameters else self.url + target
        return json.loads(urllib.request.urlopen(text, timeout=60).read())

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)
        self.log.close()


class Prometheus(Process):
    def __init__(self, folder, rule_files=(), alertmanager=None):
        folder.mkdir()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        alerting = "" if alertmanager is None else (
            f"alerting: {{alertmanagers: [{{static_configs: [{{targets: ['127.0.0.1:{alertmanager.port}']}}]}}]}}\n")
        files = ", ".join(f"'{path}'" for path in rule_files)
        (folder / "prometheus.yml").write_text(f"global: {{evaluation_interval: 15s}}\nrule_files: [{files}]\n{alerting}")
        super().__init__(folder, ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                                  f"--web.listen-address=127.0.0.1:{self.port}", "--web.enable-remote-write-receiver",
                                  "--web.enable-lifecycle"])


class Alertmanager(Process):
    def __init__(self, folder, config, *arguments):
        folder.mkdir()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        (folder / "alertmanager.yml").write_text(config)
        super().__init__(folder, ["prometheus-alertmanager", f"--config.file={folder}/alertmanager.yml",
                                  f"--storage.path={folder}/data", f"--web.listen-address=127.0.0.1:{self.port}",
                                  "--cluster.listen-address=", *arguments])
