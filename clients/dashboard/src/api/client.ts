// Client: the HTTP API of tidemarkd, typed. The one place that calls fetch.
import { Alerting, type Raw } from "./alerting";
import { Batch, type Line } from "./batch";
import { Connection } from "./connection";
import { ApiError, type Answer, type Params } from "./messages";
import { FORGERY_HEADER, Session, type WhoAmI } from "./session";
import type {
  Alert, Block, BuildInfo, DatabaseRow, EventRow, Explained, Labels, Metadata, PlanNode, QueryData, Rejection, Retention, RuleGroup, SavedInfo, SavedText,
  TsdbStatus, Usage,
} from "./types";

interface Envelope {
  status?: string;
  data?: unknown;
  error?: string;
  warnings?: string[];
  infos?: string[];
}

function encode(params: Params): string {
  const out = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value === undefined || value === "") continue;
    for (const one of Array.isArray(value) ? value : [value]) out.append(name, String(one));
  }
  return out.toString();
}

// A long query goes as a form: request lines have a limit.
const LONGEST_QUERY_STRING = 2000;

// Statuses of a server that is starting, stopping or behind a proxy that does not reach it.
const AWAY = new Set([502, 504]);

// Hands over each line of `body` as soon as it is whole.
async function readLines(body: ReadableStream<Uint8Array>, onLine: (line: Line) => void): Promise<void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    const parts = (rest + decoder.decode(value, { stream: !done })).split("\n");
    rest = parts.pop() ?? "";
    for (const part of parts) onLine(JSON.parse(part) as Line);
    if (done) return;
  }
}

// Which version a change is made from.
function ifVersion(version: number | undefined): Record<string, string> {
  return version === undefined ? { "If-None-Match": "*" } : { "If-Match": `"${version}"` };
}

export class Client {
  readonly connection: Connection;
  readonly session = new Session();
  readonly alerting = new Alerting((method, path, type, body, signal) => this.raw(method, path, type, body, signal));
  // What panels ask: all questions of a moment in one request.
  readonly batch = new Batch({
    lines: (path, body, onLine) => this.lines(path, body, onLine),
    alone: ({ endpoint, params }) => this.ask(`/api/v1/${endpoint}`, params),
  });

  // `root`: what stands in front of /api, without a slash at its end.
  constructor(
    private readonly root: string,
    private readonly fetcher: typeof fetch = (input, init) => fetch(input, init),
  ) {
    this.connection = new Connection(() => this.ready());
  }

  url(path: string, params: Params = {}): string {
    const query = encode(params);
    return `${this.root}${path}${query ? `?${query}` : ""}`;
  }

  // Evaluates at `time`, seconds since 1970.
  async query(db: string, expr: string, time: number, signal?: AbortSignal): Promise<QueryData> {
    return (await this.ask<QueryData>("/api/v1/query", { db, query: expr, time }, signal)).data;
  }

  // Evaluates from `start` to `end`, both included, every `step` seconds.
  async queryRange(db: string, expr: string, start: number, end: number, step: number, signal?: AbortSignal): Promise<QueryData> {
    return (await this.ask<QueryData>("/api/v1/query_range", { db, query: expr, start, end, step }, signal)).data;
  }

  // As query or, with `range`, queryRange; with the plan and what the server remarks.
  async explain(
    db: string, expr: string, at: { time: number } | { start: number; end: number; step: number }, signal?: AbortSignal,
  ): Promise<Explained> {
    const path = "time" in at ? "/api/v1/query" : "/api/v1/query_range";
    const answer = await this.ask<QueryData & { explain?: PlanNode }>(path, { db, query: expr, explain: 1, ...at }, signal);
    return { data: answer.data, plan: answer.data.explain, warnings: answer.warnings, infos: answer.infos };
  }

  // String points, oldest first; the newest `limit` of them.
  async events(db: string, match: string, start: number, end: number | undefined, limit: number, signal?: AbortSignal): Promise<EventRow[]> {
    return (await this.ask<EventRow[]>("/api/v1/events", { db, "match[]": match, start, end, limit }, signal)).data;
  }

  // Where new events can be followed as server-sent events.
  eventsUrl(db: string, match: string): string {
    return this.url("/api/v1/events", { db, "match[]": match, follow: 1 });
  }

  async labelNames(db: string, match: string[], signal?: AbortSignal): Promise<string[]> {
    return (await this.ask<string[]>("/api/v1/labels", { db, "match[]": match }, signal)).data;
  }

  async labelValues(db: string, label: string, match: string[], limit: number, signal?: AbortSignal): Promise<Answer<string[]>> {
    return this.ask<string[]>(`/api/v1/label/${encodeURIComponent(label)}/values`, { db, "match[]": match, limit }, signal);
  }

  async series(db: string, match: string[], limit: number, signal?: AbortSignal): Promise<Labels[]> {
    return (await this.ask<Labels[]>("/api/v1/series", { db, "match[]": match, limit }, signal)).data;
  }

  async metadata(db: string, signal?: AbortSignal): Promise<Record<string, Metadata[]>> {
    return (await this.ask<Record<string, Metadata[]>>("/api/v1/metadata", { db }, signal)).data;
  }

  async alerts(signal?: AbortSignal): Promise<Alert[]> {
    return (await this.ask<{ alerts: Alert[] }>("/api/v1/alerts", {}, signal)).data.alerts;
  }

  async rules(signal?: AbortSignal): Promise<RuleGroup[]> {
    return (await this.ask<{ groups: RuleGroup[] }>("/api/v1/rules", {}, signal)).data.groups;
  }

  async databases(signal?: AbortSignal): Promise<DatabaseRow[]> {
    return (await this.ask<DatabaseRow[]>("/api/v1/admin/databases", {}, signal)).data;
  }

  async retention(db: string, signal?: AbortSignal): Promise<Retention> {
    return (await this.ask<Retention>("/api/v1/admin/retention", { db }, signal)).data;
  }

  async rejections(limit: number, signal?: AbortSignal): Promise<Rejection[]> {
    return (await this.ask<Rejection[]>("/api/v1/admin/rejections", { limit }, signal)).data;
  }

  // What each token, and each database with quotas, has taken. For administrators.
  async usage(signal?: AbortSignal): Promise<Usage[]> {
    return (await this.ask<Usage[]>("/api/v1/admin/usage", {}, signal)).data;
  }

  async tsdb(db: string, limit: number, signal?: AbortSignal): Promise<TsdbStatus> {
    return (await this.ask<TsdbStatus>("/api/v1/status/tsdb", { db, limit }, signal)).data;
  }

  async blocks(db: string, signal?: AbortSignal): Promise<Block[]> {
    return (await this.ask<{ blocks: Block[] }>("/api/v1/status/tsdb/blocks", { db }, signal)).data.blocks;
  }

  async buildInfo(signal?: AbortSignal): Promise<BuildInfo> {
    return (await this.ask<BuildInfo>("/api/v1/status/buildinfo", {}, signal)).data;
  }

  // Asks the server who this page speaks for. Never rejects: what is wrong shows with the next question.
  async whoAmI(): Promise<void> {
    try {
      this.session.accepted((await this.ask<WhoAmI>("/api/v1/session", {})).data);
    } catch {
      // A 401 has been noted by then.
    }
  }

  // Whether it is somebody else whose answers the page holds.
  async signIn(token: string): Promise<boolean> {
    return this.session.accepted((await this.send<WhoAmI>("POST", "/api/v1/session", { token })).data);
  }

  async signOut(): Promise<void> {
    try {
      await this.send("DELETE", "/api/v1/session", {});
    } catch (error) {
      // A session that has ended already is what was wanted.
      if (!(error instanceof ApiError && error.status === 401)) throw error;
    }
    this.session.refused();
  }

  // The dashboards that people saved, by name.
  async savedDashboards(signal?: AbortSignal): Promise<SavedInfo[]> {
    return (await this.ask<SavedInfo[]>("/api/v1/dashboards", {}, signal)).data;
  }

  // The versions of one that the server keeps, newest first.
  async dashboardHistory(name: string, signal?: AbortSignal): Promise<SavedInfo[]> {
    return (await this.ask<SavedInfo[]>(`/api/v1/dashboards/${encodeURIComponent(name)}/history`, {}, signal)).data;
  }

  // One as it was saved, byte for byte. `version`: an older one, also of one that was deleted.
  async loadDashboard(name: string, version?: number): Promise<SavedText> {
    const url = this.url(`/api/v1/dashboards/${encodeURIComponent(name)}`, { version });
    const { reply, text } = await this.fetchText(url, { cache: "no-cache" });
    if (reply.status !== 200) this.judge<never>(reply.status, text, false);
    this.connection.reportAnswer();
    return { text, version: Number((reply.headers.get("ETag") ?? "").replaceAll('"', "")) };
  }

  // Saves it in place of `version`, or as a new one; the version that it has then. An ApiError of status 412 says that another
  // version is there.
  async saveDashboard(name: string, text: string, version: number | undefined): Promise<number> {
    const headers: Record<string, string> = { "Content-Type": "application/json", ...ifVersion(version) };
    return (await this.change<{ version: number }>("PUT", name, headers, text)).data.version;
  }

  async deleteDashboard(name: string, version: number): Promise<void> {
    await this.change("DELETE", name, ifVersion(version), undefined);
  }

  private change<T>(method: "PUT" | "DELETE", name: string, headers: Record<string, string>, body: string | undefined): Promise<Answer<T>> {
    if (this.session.forgeryValue) headers[FORGERY_HEADER] = this.session.forgeryValue;
    return this.exchange<T>(this.url(`/api/v1/dashboards/${encodeURIComponent(name)}`), { method, headers, ...(body !== undefined ? { body } : {}) });
  }

  private async ready(): Promise<boolean> {
    try {
      return (await this.fetcher(this.url("/-/ready"), { cache: "no-store" })).ok;
    } catch {
      return false;
    }
  }

  private async ask<T>(path: string, params: Params, signal?: AbortSignal): Promise<Answer<T>> {
    const form = encode(params);
    const takesForms = !path.includes("/label/") && /\/(query|query_range|series|labels)$/.test(path);
    if (takesForms && form.length > LONGEST_QUERY_STRING) return this.send<T>("POST", path, params, signal);
    return this.exchange<T>(this.url(path, params), { ...(signal ? { signal } : {}) });
  }

  // What is no GET shows that it comes from this page.
  private async send<T>(method: "POST" | "DELETE", path: string, params: Params, signal?: AbortSignal): Promise<Answer<T>> {
    const headers: Record<string, string> = { "Content-Type": "application/x-www-form-urlencoded" };
    if (this.session.forgeryValue) headers[FORGERY_HEADER] = this.session.forgeryValue;
    return this.exchange<T>(this.url(path), { method, headers, body: encode(params), ...(signal ? { signal } : {}) });
  }

  // Posts JSON and reads an answer of lines of JSON.
  private async lines(path: string, body: string, onLine: (line: Line) => void): Promise<void> {
    const headers: Record<string, string> = { "Content-Type": "application/json" };
    if (this.session.forgeryValue) headers[FORGERY_HEADER] = this.session.forgeryValue;
    let reply: Response;
    try {
      reply = await this.fetcher(this.url(path), { method: "POST", headers, body });
    } catch {
      throw this.lost(0);
    }
    if (reply.status !== 200 || !reply.body) {
      const text = await reply.text().catch(() => "");
      this.judge<never>(reply.status, text, false);
      throw new ApiError("refused", `status ${reply.status}`, reply.status);
    }
    this.connection.reportAnswer();
    try {
      await readLines(reply.body, onLine);
    } catch {
      throw this.lost(0);
    }
  }

  private lost(status: number): ApiError {
    this.connection.reportLoss();
    return new ApiError("unreachable", status === 0 ? "the server does not answer" : `the server is away (${status})`, status);
  }

  private async fetchText(url: string, init: RequestInit): Promise<{ reply: Response; text: string }> {
    try {
      const reply = await this.fetcher(url, init);
      return { reply, text: await reply.text() };
    } catch {
      if (init.signal?.aborted) throw new ApiError("aborted", "given up", 0);
      throw this.lost(0);
    }
  }

  private async exchange<T>(url: string, init: RequestInit): Promise<Answer<T>> {
    const { reply, text } = await this.fetchText(url, init);
    return this.judge<T>(reply.status, text, init.method === "POST");
  }

  // An answer as it is, also one that refuses; what is no GET shows that it comes from this page.
  private async raw(method: string, path: string, type?: string, body?: string, signal?: AbortSignal): Promise<Raw> {
    const headers: Record<string, string> = { ...(type ? { "Content-Type": type } : {}) };
    if (method !== "GET" && this.session.forgeryValue) headers[FORGERY_HEADER] = this.session.forgeryValue;
    const { reply, text } = await this.fetchText(this.url(path), { method, headers, ...(body !== undefined ? { body } : {}), ...(signal ? { signal } : {}) });
    if (AWAY.has(reply.status)) throw this.lost(reply.status);
    this.connection.reportAnswer();
    if (reply.status === 401) {
      this.session.refused();
      throw new ApiError("refused", "signed out", reply.status);
    }
    return { status: reply.status, text };
  }

  // An answer by its status and its text. `posted`: a refused sign-in is told by the reply to it, whose words count.
  private judge<T>(status: number, text: string, posted: boolean): Answer<T> {
    if (AWAY.has(status)) throw this.lost(status);
    this.connection.reportAnswer();
    if (status === 401) {
      const wasNeeded = this.session.needed.value;
      this.session.refused();
      // The dialog says what to do; why a token was not taken stands in the reply to it.
      if (!wasNeeded || !posted) throw new ApiError("refused", "signed out", status);
    }
    let envelope: Envelope;
    try {
      envelope = JSON.parse(text) as Envelope;
    } catch {
      throw new ApiError("refused", text.trim().slice(0, 300) || `status ${status}`, status);
    }
    if (envelope.status !== "success") {
      throw new ApiError(status === 503 ? "refused" : "query", envelope.error ?? `status ${status}`, status);
    }
    return { data: envelope.data as T, warnings: envelope.warnings ?? [], infos: envelope.infos ?? [] };
  }
}

// What stands in front of the API of the server that sent the page at `path`, and the database that `path` names.
export function whereAmI(path: string): { root: string; database: string } {
  const match = /^(.*?)(?:\/db\/([^/]+))?\/dashboard\/?$/.exec(path);
  let database = "";
  try {
    database = decodeURIComponent(match?.[2] ?? "");
  } catch {
    // A broken escape names no database.
  }
  return { root: match?.[1] ?? "", database };
}
