import { describe, expect, it } from "vitest";
import { Batch, type Line } from "./batch";
import { Client } from "./client";
import { HeldRanges } from "./held";
import { ApiError } from "./messages";
import type { QueryData, Sample } from "./types";

interface Sent {
  queries: { id: string; endpoint: string; params: Record<string, unknown> }[];
}

const good = (id: string, data: unknown): Line => ({ id, status: 200, reply: { status: "success", data } });

function batchOf(answer: (sent: Sent, onLine: (line: Line) => void) => void, alone: unknown = undefined) {
  const sent: Sent[] = [];
  const batch = new Batch({
    lines: async (_path, body, onLine) => {
      sent.push(JSON.parse(body) as Sent);
      answer(sent.at(-1) as Sent, onLine);
    },
    alone: async () => ({ data: alone, warnings: [], infos: [] }),
  });
  return { batch, sent };
}

describe("Batch", () => {
  it("asks in one request what is asked in one moment, and gives each its own answer", async () => {
    const { batch, sent } = batchOf(({ queries }, onLine) => {
      for (const { id, params } of [...queries].reverse()) onLine(good(id, { resultType: "scalar", result: [0, String(params.query)] }));
    });
    const answers = await Promise.all([batch.query("d", "1", 5), batch.query("d", "2", 5)]);
    expect(answers.map((a) => a.result)).toEqual([[0, "1"], [0, "2"]]);
    expect(sent).toHaveLength(1);
    expect(sent[0]?.queries[1]).toEqual({ id: "1", endpoint: "query", params: { db: "d", query: "2", time: 5 } });
    await batch.query("d", "3", 5);
    expect(sent).toHaveLength(2);
  });

  it("lets one question fail without the others", async () => {
    const { batch } = batchOf((_sent, onLine) => {
      onLine({ id: "0", status: 422, reply: { status: "error", error: "too much" } });
      onLine(good("1", ["row"]));
    });
    const [bad, fine, none] = await Promise.allSettled([batch.query("d", "x", 0), batch.events("d", "m", 0, 1, 1), batch.alerts()]);
    expect(bad).toMatchObject({ status: "rejected", reason: { kind: "query", message: "too much", status: 422 } });
    expect(fine).toMatchObject({ status: "fulfilled", value: ["row"] });
    expect(none).toMatchObject({ status: "rejected", reason: { kind: "refused" } });
  });

  it("asks alone for what is too long for a batch", async () => {
    const { batch } = batchOf((_sent, onLine) => onLine({ id: "0", status: 413, reply: { status: "error", error: "long" } }), ["all"]);
    expect(await batch.events("d", "m", 0, 1, 1)).toEqual(["all"]);
  });

  it("sends more than the server takes at once as several requests", async () => {
    const { batch, sent } = batchOf(({ queries }, onLine) => queries.forEach(({ id }) => onLine(good(id, []))));
    await Promise.all(Array.from({ length: 300 }, () => batch.events("d", "m", 0, 1, 1)));
    expect(sent.map((s) => s.queries.length)).toEqual([256, 44]);
  });
});

describe("Client.batch", () => {
  const stream = (...pieces: string[]) =>
    new Response(new ReadableStream({
      start(controller) {
        for (const piece of pieces) controller.enqueue(new TextEncoder().encode(piece));
        controller.close();
      },
    }));

  it("takes lines as they come, also cut in the middle of a letter", async () => {
    const bytes = new TextEncoder().encode(`${JSON.stringify(good("0", ["ü"]))}\n`);
    const at = bytes.indexOf(0xbc);
    const client = new Client("", async () => new Response(new ReadableStream({
      start(controller) {
        controller.enqueue(bytes.slice(0, at));
        controller.enqueue(bytes.slice(at));
        controller.close();
      },
    })));
    expect(await client.batch.events("d", "m", 0, 1, 1)).toEqual(["ü"]);
  });

  it("asks for a sign-in, and shows whose page it is", async () => {
    const refusing = new Client("", async () => new Response('{"status":"error","error":"who?"}', { status: 401 }));
    await expect(refusing.batch.alerts()).rejects.toMatchObject({ kind: "refused", message: "signed out" });
    expect(refusing.session.needed.value).toBe(true);
    let seen: HeadersInit | undefined;
    const client = new Client("", async (_url, init) => {
      seen = init?.headers;
      return stream(`${JSON.stringify(good("0", []))}\n`);
    });
    client.session.accepted({ name: "ada", tokens: true, csrf: "c" });
    await client.batch.events("d", "m", 0, 1, 1);
    expect((seen as Record<string, string>)["X-Tidemark-Csrf"]).toBe("c");
  });

  it("takes an answer that breaks off for a loss", async () => {
    const client = new Client("", async () => stream(`${JSON.stringify(good("0", ["a"]))}\n`, '{"id":"1","sta'));
    const [first, second] = await Promise.allSettled([client.batch.events("d", "m", 0, 1, 1), client.batch.alerts()]);
    expect(first).toMatchObject({ status: "fulfilled" });
    expect(second).toMatchObject({ status: "rejected" });
    expect((second as PromiseRejectedResult).reason).toBeInstanceOf(ApiError);
  });
});

describe("HeldRanges", () => {
  const matrix = (values: Record<string, Sample[]>, more: object = {}): QueryData =>
    ({ resultType: "matrix", result: Object.entries(values).map(([host, v]) => ({ metric: { host }, values: v })), ...more });
  const asked = { db: "d", expr: "up", start: 10, step: 10 };
  const shown = (data: QueryData) => Object.fromEntries((data.resultType === "matrix" ? data.result : []).map((r) => [r.metric.host, r.values.map(([t, v]) => `${t}:${v}`).join(" ")]));

  it("puts what changed behind what was there", () => {
    const held = new HeldRanges();
    held.keep(asked, undefined, matrix({ a: [[10, "1"], [20, "2"], [30, "3"]], b: [[10, "1"]], c: [[20, "5"]] }, { since: "w1" }));
    const before = held.find("d", "up", 10);
    expect(before?.since).toBe("w1");
    const now = held.keep({ ...asked, start: 20 }, before, matrix({ a: [[30, "3.5"], [40, "4"]], d: [[40, "9"]] }, { since: "w2", changedFrom: 30 }));
    expect(shown(now)).toEqual({ a: "20:2 30:3.5 40:4", c: "20:5", d: "40:9" });
    expect(held.find("d", "up", 10)?.since).toBe("w2");
  });

  it("takes an answer without changedFrom for the whole", () => {
    const held = new HeldRanges();
    held.keep(asked, undefined, matrix({ a: [[10, "1"]] }, { since: "w1" }));
    expect(shown(held.keep(asked, held.find("d", "up", 10), matrix({ b: [[10, "2"]] }, { since: "w2" })))).toEqual({ b: "10:2" });
    held.keep(asked, held.find("d", "up", 10), matrix({ b: [[10, "2"]] }));
    expect(held.find("d", "up", 10)).toBeUndefined();
  });

  it("forgets the oldest when there is too much", () => {
    const held = new HeldRanges(3);
    held.keep(asked, undefined, matrix({ a: [[10, "1"], [20, "1"]] }, { since: "w" }));
    held.keep({ ...asked, expr: "other" }, undefined, matrix({ a: [[10, "1"], [20, "1"]] }, { since: "w" }));
    expect(held.find("d", "up", 10)).toBeUndefined();
    expect(held.find("d", "other", 10)).toBeDefined();
  });
});
