// npm's influx and @influxdata/influxdb-client over TLS with a token each. Arguments: the server's https URL, a good
// token, and one that is none; whom to believe is in NODE_EXTRA_CA_CERTS. Prints one JSON object.
import Influx from "influx";
import { HttpError, InfluxDB, Point } from "@influxdata/influxdb-client";
import { PingAPI } from "@influxdata/influxdb-client-apis";

const url = new URL(process.argv[2]);
const [good, bad] = process.argv.slice(3);
const out = {};

const first = (password) =>
  new Influx.InfluxDB({ protocol: "https", host: url.hostname, port: Number(url.port), database: "npm1", username: "ada", password });
await first(good).writePoints([{ measurement: "m", tags: { by: "influx" }, fields: { v: 1 } }]);
out.measurements = await first(good).getMeasurements();
try {
  await first(bad).writePoints([{ measurement: "m", fields: { v: 1 } }]);
  out.refused1 = "accepted";
} catch (error) {
  out.refused1 = String(error.message);
}

const second = async (token) => {
  const influx = new InfluxDB({ url: url.href, token });
  await new PingAPI(influx).getPing();
  const writer = influx.getWriteApi("org", "npm2", "s", { maxRetries: 0 });
  writer.writePoint(new Point("m").tag("by", "influxdb-client").floatField("v", 2));
  await writer.close();
};
await second(good);
try {
  await second(bad);
  out.refused2 = "accepted";
} catch (error) {
  out.refused2 = error instanceof HttpError ? error.statusCode : String(error);
}
console.log(JSON.stringify(out));
