// Writes and reads with the client libraries that people use. Arguments: the server's URL. Prints one JSON object with
// what was read; test_clients.py checks it.
import Influx from "influx";
import { InfluxDB, Point } from "@influxdata/influxdb-client";
import { PrometheusDriver } from "prometheus-query";

const url = new URL(process.argv[2]);
const seconds = 1_700_000_000;
const out = {};

// influx: the 1.x client. It creates its database, writes with tags that need escapes, and lists databases.
const v1 = new Influx.InfluxDB({ host: url.hostname, port: Number(url.port), database: "v1" });
await v1.createDatabase("v1");
out.databases = await v1.getDatabaseNames();
await v1.writePoints(
  [
    { measurement: "cpu_load", tags: { host: "a,b=c d" }, fields: { user: 1.25, note: 'say "hi"' }, timestamp: new Date(seconds * 1000) },
    { measurement: "cpu_load", tags: { host: "plain" }, fields: { user: 2.5 }, timestamp: new Date(seconds * 1000) },
  ],
  { precision: "ms" },
);
out.ping = (await v1.ping(5000)).map((host) => host.online);
try {
  await v1.writeMeasurement("cpu_load", [{ fields: { user: "text" }, timestamp: new Date(seconds * 1000) }]);
  out.conflict = "accepted";
} catch (error) {
  out.conflict = String(error.message);
}

// @influxdata/influxdb-client: the 2.x client, with a token and a bucket.
const writer = new InfluxDB({ url: url.href, token: "any" }).getWriteApi("org", "v2", "s", { maxRetries: 0 });
writer.writePoint(new Point("weather").tag("town", "Bergen").floatField("temperature", 7.5).intField("rain", 3).timestamp(seconds));
writer.writePoint(new Point("weather").tag("town", "Oslo").floatField("temperature", -1.5).booleanField("snow", true).timestamp(seconds));
await writer.close();

// prometheus-query reads back what both sent.
async function read(database, query) {
  const driver = new PrometheusDriver({ endpoint: new URL(`/db/${database}`, url).href, baseURL: "/api/v1" });
  const result = await driver.instantQuery(query, new Date(seconds * 1000));
  return result.result
    .map((series) => ({ name: series.metric.name, labels: series.metric.labels, value: series.value.value }))
    .sort((a, b) => a.value - b.value);
}
out.v1 = await read("v1", 'cpu_load_user');
out.v2 = await read("v2", "weather_temperature");
out.rain = await read("v2", "weather_rain * 2");
const driver = new PrometheusDriver({ endpoint: new URL("/db/v2", url).href, baseURL: "/api/v1" });
const range = await driver.rangeQuery("weather_temperature", new Date(seconds * 1000), new Date((seconds + 60) * 1000), 30);
out.range = range.result.map((series) => series.values.length);
out.series = (await driver.series('{town="Oslo"}', new Date((seconds - 10) * 1000), new Date((seconds + 10) * 1000))).map((metric) => metric.name).sort();
out.towns = await driver.labelValues("town");
console.log(JSON.stringify(out));
