// A real Prometheus that scrapes Debian's exporters (its own metrics, the host's, those of a Redis) each second and writes all of it to our server.
import { execFile, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePort } from "./harness.mjs";

const run = promisify(execFile);
const PROGRAMS = ["prometheus", "prometheus-node-exporter", "prometheus-redis-exporter", "redis-server"];

// The programs that are not there, as a text; undefined when all are.
export function missingPrograms() {
  const gone = PROGRAMS.filter((name) => !existsSync(`/usr/bin/${name}`));
  return gone.length > 0 ? `not installed: ${gone.join(", ")} (tools/dev/setup installs them)` : undefined;
}

export class Exporters {
  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), "tidemark-exporters-"));
    this.processes = [];
  }

  launch(name, ...args) {
    this.processes.push(spawn(`/usr/bin/${name}`, args, { stdio: "ignore", cwd: this.folder }));
  }

  async start(server) {
    const [node, redis, redisExporter, prometheus] = [await freePort(), await freePort(), await freePort(), await freePort()];
    this.redis = redis;
    const job = (name, port) => `  - {job_name: ${name}, static_configs: [{targets: ["127.0.0.1:${port}"]}]}\n`;
    writeFileSync(join(this.folder, "prometheus.yml"),
      `global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n${job("prometheus", prometheus)}${job("node", node)}${job("redis", redisExporter)}` +
      `remote_write:\n  - {url: "${server.url}/api/v1/write", queue_config: {batch_send_deadline: 500ms}}\n`);
    this.launch("prometheus-node-exporter", `--web.listen-address=127.0.0.1:${node}`);
    this.launch("redis-server", "--port", String(redis), "--bind", "127.0.0.1", "--save", "", "--dir", this.folder);
    this.launch("prometheus-redis-exporter", "-web.listen-address", `127.0.0.1:${redisExporter}`, "-redis.addr", `redis://127.0.0.1:${redis}`);
    this.launch("prometheus", `--config.file=${this.folder}/prometheus.yml`, `--storage.tsdb.path=${this.folder}/data`, `--web.listen-address=127.0.0.1:${prometheus}`);
  }

  // Some commands, so that there is something to count.
  async useRedis() {
    for (const args of [["set", "a", "1"], ["set", "b", "2"], ["get", "a"], ["incr", "b"], ["lpush", "l", "1"]]) await run("redis-cli", ["-p", String(this.redis), ...args]);
  }

  async stop() {
    await Promise.all(this.processes.map((one) => new Promise((resolve) => {
      if (one.exitCode !== null || one.signalCode !== null) return resolve();
      one.once("exit", resolve);
      one.kill("SIGTERM");
    })));
    rmSync(this.folder, { recursive: true, force: true });
  }
}
