import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { PANEL_TYPES } from "../panels/registry";
import { faultsOf, type Dashboard } from "./schema";
import { referencesOf } from "./variables";

const types = PANEL_TYPES.map((row) => row.type);
const folder = new URL("../pages/dashboards/", import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith(".json"));

describe("the dashboards that ship", () => {
  it("are there", () => expect(files.length).toBeGreaterThanOrEqual(9));
  it.each(files)("%s is as SCHEMA.md says", (name) => {
    const file = JSON.parse(readFileSync(new URL(name, folder), "utf8")) as Dashboard;
    expect(faultsOf(file, types)).toEqual([]);
    expect(`${file.id}.json`).toBe(name);
    const known = new Set([...(file.variables ?? []).map((v) => v.name), "__interval", "__rate_interval", "__range"]);
    const texts = [...(file.variables ?? []).map((v) => v.query), ...file.rows.flatMap((r) => r.panels.flatMap((p) => (p.queries ?? []).map((q) => q.expr)))];
    for (const text of texts) for (const reference of referencesOf(text)) expect(known, `${text} in ${name}`).toContain(reference);
    for (const panel of file.rows.flatMap((row) => row.panels)) {
      if (panel.type !== "text") expect(panel.empty ?? panel.type, `panel ${panel.id} says what would fill it`).not.toBe(panel.type === "goals" ? "" : panel.type);
    }
  });
});

describe("faultsOf", () => {
  const panel = { id: "p", type: "stat", title: "P", queries: [{ id: "A", expr: "up" }] };
  const good = { schema: 1, id: "d", title: "D", rows: [{ panels: [panel] }] };
  it("takes what is right", () => expect(faultsOf(good, types)).toEqual([]));
  it.each([
    [[], "a dashboard is a JSON object"],
    [{ ...good, schema: 2 }, "dashboard: schema 2 is not known; this page reads schema 1"],
    [{ ...good, colour: 1 }, 'dashboard: "colour" is not known here'],
    [{ ...good, rows: [{ panels: [panel, panel] }] }, 'rows[0].panels[1]: two panels are called "p"'],
    [{ ...good, rows: [{ panels: [{ ...panel, type: "clock" }] }] }, 'rows[0].panels[0]: there is no panel type "clock"'],
    [{ ...good, rows: [{ panels: [{ ...panel, queries: [{ id: "A" }] }] }] }, 'rows[0].panels[0].queries[0]: "expr" must be a string'],
    [{ ...good, rows: [{ panels: [{ ...panel, width: 13 }] }] }, 'rows[0].panels[0]: "width" must be from 1 to 12'],
    [{ ...good, variables: [{ name: "a", kind: "magic", query: "" }] }, 'variables[0]: kind "magic" is not known'],
  ])("%#", (value, fault) => expect(faultsOf(value, types)).toContain(fault));
});
