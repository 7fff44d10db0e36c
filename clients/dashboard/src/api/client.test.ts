import { describe, expect, it, vi } from "vitest";
import { Client, whereAmI } from "./client";
import { backOffMs, Connection } from "./connection";
import { ApiError } from "./messages";

function reply(status: number, body: string): typeof fetch {
  return async () => new Response(body, { status });
}

describe("Client", () => {
  it("gives the data of an answer", async () => {
    const client = new Client("", reply(200, '{"status":"success","data":["a"]}'));
    expect(await client.labelNames("d", [])).toEqual(["a"]);
  });

  it("puts words to the server's refusal", async () => {
    const client = new Client("", reply(400, '{"status":"error","errorType":"bad_data","error":"1:5: parse error"}'));
    await expect(client.query("d", "sum(", 0)).rejects.toMatchObject({ kind: "query", message: "1:5: parse error", status: 400 });
    expect(client.connection.lost).toBe(false);
  });

  it("does not take a plain refusal for JSON", async () => {
    const client = new Client("", reply(404, "404 page not found\n"));
    await expect(client.alerts()).rejects.toMatchObject({ kind: "refused", message: "404 page not found" });
  });

  it("reports a server that does not answer, and its return", async () => {
    vi.useFakeTimers();
    let up = false;
    const client = new Client("", async () => {
      if (!up) throw new TypeError("failed");
      return new Response('{"status":"success","data":[]}');
    });
    const back = vi.fn();
    client.connection.onBack(back);
    await expect(client.labelNames("d", [])).rejects.toBeInstanceOf(ApiError);
    expect(client.connection.lost).toBe(true);
    await vi.advanceTimersByTimeAsync(3000);
    expect(client.connection.state.value.tries).toBeGreaterThan(0);
    expect(back).not.toHaveBeenCalled();
    up = true;
    await vi.advanceTimersByTimeAsync(20_000);
    expect(client.connection.lost).toBe(false);
    expect(back).toHaveBeenCalledOnce();
    vi.useRealTimers();
  });

  it("does not take an abort for a loss", async () => {
    const abort = new AbortController();
    const client = new Client("", async () => {
      abort.abort();
      throw new DOMException("aborted", "AbortError");
    });
    await expect(client.query("d", "1", 0, abort.signal)).rejects.toMatchObject({ kind: "aborted" });
    expect(client.connection.lost).toBe(false);
  });

  it("sends long queries as a form", async () => {
    const asked: { url: string; init: RequestInit | undefined }[] = [];
    const client = new Client("/x", async (url, init) => {
      asked.push({ url: String(url), init });
      return new Response('{"status":"success","data":{"resultType":"vector","result":[]}}');
    });
    await client.query("d", "up", 5);
    await client.query("d", "a + ".repeat(1000) + "a", 5);
    expect(asked[0]?.url).toBe("/x/api/v1/query?db=d&query=up&time=5");
    expect(asked[1]?.init?.method).toBe("POST");
    expect(asked[1]?.url).toBe("/x/api/v1/query");
  });
});

describe("Client with tokens", () => {
  it("asks for a sign-in when the server does, and shows afterwards that what it sends is its own", async () => {
    const asked: { url: string; init: RequestInit | undefined }[] = [];
    let signedIn = false;
    const client = new Client("", async (url, init) => {
      asked.push({ url: String(url), init });
      if (String(url) === "/api/v1/session" && init?.method === "POST") signedIn = String(init.body) === "token=right";
      if (!signedIn) return new Response('{"status":"error","errorType":"bad_data","error":"who?"}', { status: 401 });
      const session = String(url) === "/api/v1/session";
      return new Response(session ? '{"status":"success","data":{"name":"ada","tokens":true,"csrf":"c"}}' : '{"status":"success","data":[]}');
    });
    expect(client.session.needed.value).toBe(false);
    await client.whoAmI();
    expect(client.session.needed.value).toBe(true);
    await expect(client.signIn("wrong")).rejects.toMatchObject({ message: "who?", status: 401 });
    expect(client.session.needed.value).toBe(true);
    await client.signIn("right");
    expect(client.session.needed.value).toBe(false);
    expect(client.session.who.value?.name).toBe("ada");
    await client.labelNames("d", ["x".repeat(3000)]);
    expect((asked.at(-1)?.init?.headers as Record<string, string>)["X-Tidemark-Csrf"]).toBe("c");
    await client.signOut();
    expect(asked.at(-1)?.init?.method).toBe("DELETE");
    expect(client.session.needed.value).toBe(true);
  });

  it("tells when somebody else signs in than the one whose answers the page holds", async () => {
    let name = "ada";
    const client = new Client("", async () => new Response(`{"status":"success","data":{"name":"${name}","tokens":true,"csrf":"c"}}`));
    expect(await client.signIn("of ada")).toBe(false);
    client.session.refused();
    expect(client.session.shown.value).toBe("ada");
    expect(await client.signIn("of ada")).toBe(false);
    client.session.refused();
    name = "bob";
    expect(await client.signIn("of bob")).toBe(true);
    expect(client.session.shown.value).toBe("bob");
  });
});

describe("backOffMs", () => {
  it("doubles up to a bound and is never below half of it", () => {
    expect(backOffMs(0, () => 1)).toBe(500);
    expect(backOffMs(2, () => 0)).toBe(1000);
    expect(backOffMs(50, () => 1)).toBe(20_000);
  });
});

describe("Connection", () => {
  it("counts a loss once", () => {
    vi.useFakeTimers();
    const connection = new Connection(async () => false);
    connection.reportLoss();
    const first = connection.state.value.lostAt;
    connection.reportLoss();
    expect(connection.state.value.lostAt).toBe(first);
    vi.useRealTimers();
  });
});

describe("whereAmI", () => {
  it.each([
    ["/dashboard", "", ""],
    ["/db/my%20db/dashboard", "", "my db"],
    ["/proxy/tm/db/x/dashboard/", "/proxy/tm", "x"],
    ["/db/%/dashboard", "", ""],
  ])("%s", (path, root, database) => {
    expect(whereAmI(path)).toEqual({ root, database });
  });
});
