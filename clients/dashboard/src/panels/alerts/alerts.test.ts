import { expect, it } from "vitest";
import type { Alert } from "../../api";
import { wantedAlerts } from "./alerts";

const alert = (alertname: string, state: string, severity: string): Alert => ({ labels: { alertname, severity }, annotations: {}, state, activeAt: "", value: "1" });
const all = [alert("DiskFull", "firing", "page"), alert("DiskSlow", "pending", "warn"), alert("Down", "firing", "page")];

it.each([
  [{}, ["DiskFull", "DiskSlow", "Down"]], [{ name: "disk" }, ["DiskFull", "DiskSlow"]], [{ labels: 'severity="$level"' }, ["DiskFull", "Down"]], [{ labels: 'severity!~"p.*"' }, ["DiskSlow"]],
  [{ states: ["firing"], most: 1 }, ["DiskFull"]], [{ labels: 'none=""' }, ["DiskFull", "DiskSlow", "Down"]],
])("%j", (options, want) => expect(wantedAlerts(all, options, { level: "page" }).map((one) => one.labels.alertname)).toEqual(want));
