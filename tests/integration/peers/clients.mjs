// Writes and reads with the client libraries that people use. Arguments: the server's URL. Prints one JSON object with
// what was read; test_clients.py checks it.
import Influx from "influx";
import { HttpError, InfluxDB, Point } from "@influxdata/influxdb-client";
import { BucketsAPI, DeleteAPI, HealthAPI, MeAPI, OrgsAPI, PingAPI, ReadyAPI, SetupAPI } from "@influxdata/influxdb-client-apis";
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

// @influxdata/influxdb-client-apis: what 2.x clients ask before they begin, buckets, and a deletion by a predicate.
const influx = new InfluxDB({ url: url.href, token: "any" });
await new PingAPI(influx).getPing();
out.ready = (await new ReadyAPI(influx).getReady()).status;
out.health = (await new HealthAPI(influx).getHealth()).status;
out.setup = (await new SetupAPI(influx).getSetup()).allowed;
const orgs = await new OrgsAPI(influx).getOrgs({ org: "mine" });
out.org = orgs.orgs[0].name;
const orgID = orgs.orgs[0].id;
const buckets = new BucketsAPI(influx);
const made = await buckets.postBuckets({ body: { orgID, name: "made here", retentionRules: [{ type: "expire", everySeconds: 7200 }] } });
out.bucket = [made.name, made.retentionRules[0].everySeconds];
const refusal = async (request) => {
  try {
    await request;
    return "accepted";
  } catch (error) {
    return error instanceof HttpError ? [error.statusCode, error.code] : String(error);
  }
};
out.twice = await refusal(buckets.postBuckets({ body: { orgID, name: "made here", retentionRules: [] } }));
out.found = (await buckets.getBuckets({ org: "mine", name: "made here" })).buckets[0].id === made.id;
out.absent = await refusal(buckets.getBuckets({ org: "mine", name: "nosuch" }));
const kept = async (retentionRules) =>
  (await buckets.patchBucketsID({ bucketID: made.id, body: { retentionRules } })).retentionRules[0].everySeconds;
out.kept = [await kept([{ type: "expire", everySeconds: 10800 }]), await kept([])];
out.renamed = await refusal(buckets.patchBucketsID({ bucketID: made.id, body: { name: "another" } }));
out.me = (await new MeAPI(influx).getMe()).status;
out.flux = await refusal(influx.getQueryApi("mine").collectRows("buckets()"));
out.names = (await buckets.getBuckets({ limit: 100 })).buckets.map((bucket) => bucket.name);
await buckets.deleteBucketsID({ bucketID: made.id });
out.dropped = await refusal(buckets.getBucketsID({ bucketID: made.id }));
await new DeleteAPI(influx).postDelete({
  org: "mine",
  bucket: "v2",
  body: { start: "2023-11-14T00:00:00Z", stop: "2023-11-15T00:00:00Z", predicate: '_measurement="weather" AND town="Oslo"' },
});
out.left = (await read("v2", "weather_temperature")).map((series) => series.labels.town);
console.log(JSON.stringify(out));
