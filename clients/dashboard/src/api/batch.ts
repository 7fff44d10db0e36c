// Batch: questions that are asked in the same moment go out as one request, and each is answered as soon as its line is there.
import { HeldRanges } from "./held";
import { ApiError, type Answer, type ErrorKind, type Params } from "./messages";
import type { Alert, EventRow, QueryData, RuleGroup } from "./types";

export type Endpoint = "query" | "query_range" | "events" | "label_values" | "alerts" | "rules";

interface Question {
  endpoint: Endpoint;
  params: Params;
}

interface Asked extends Question {
  resolve: (answer: Answer<unknown>) => void;
  reject: (error: ApiError) => void;
}

// A line of the answer.
export interface Line {
  id: string;
  status: number;
  reply: { status?: string; data?: unknown; error?: string; warnings?: string[]; infos?: string[] };
}

export interface Transport {
  // Posts `body` and calls `onLine` for each line of the answer. Rejects with an ApiError, also when the answer breaks off.
  lines(path: string, body: string, onLine: (line: Line) => void): Promise<void>;
  // Asks one question by itself.
  alone(question: Question): Promise<Answer<unknown>>;
}

// What the server takes in one request.
const MOST_QUESTIONS = 256;
const TOO_LONG = 413;
const UNAVAILABLE = 503;

export class Batch {
  private waiting: Asked[] = [];
  private readonly held = new HeldRanges();

  constructor(private readonly transport: Transport) {}

  query(db: string, expr: string, time: number): Promise<QueryData> {
    return this.ask<QueryData>("query", { db, query: expr, time });
  }

  // Evaluates from `start` to `end`, both included, every `step` seconds. What is known already does not come again.
  async queryRange(db: string, expr: string, start: number, end: number, step: number): Promise<QueryData> {
    const before = this.held.find(db, expr, step);
    const data = await this.ask<QueryData>("query_range", { db, query: expr, start, end, step, since: before?.since ?? "0" });
    return this.held.keep({ db, expr, start, step }, before, data);
  }

  // Without `end`: all that there is since `start`.
  events(db: string, match: string, start: number, end: number | undefined, limit: number): Promise<EventRow[]> {
    return this.ask<EventRow[]>("events", { db, "match[]": match, start, ...(end === undefined ? {} : { end }), limit });
  }

  labelValues(db: string, label: string, match: string[], limit: number): Promise<string[]> {
    return this.ask<string[]>("label_values", { db, label, "match[]": match, limit });
  }

  async alerts(): Promise<Alert[]> {
    return (await this.ask<{ alerts: Alert[] }>("alerts", {})).alerts;
  }

  async rules(): Promise<RuleGroup[]> {
    return (await this.ask<{ groups: RuleGroup[] }>("rules", {})).groups;
  }

  private async ask<T>(endpoint: Endpoint, params: Params): Promise<T> {
    const answer = new Promise<Answer<unknown>>((resolve, reject) => {
      // All that one refresh of a page asks is asked within one turn of the event loop.
      if (this.waiting.length === 0) setTimeout(() => this.send());
      this.waiting.push({ endpoint, params, resolve, reject });
    });
    return (await answer).data as T;
  }

  private send(): void {
    const all = this.waiting;
    this.waiting = [];
    for (let i = 0; i < all.length; i += MOST_QUESTIONS) void this.post(all.slice(i, i + MOST_QUESTIONS));
  }

  private async post(asked: Asked[]): Promise<void> {
    const open = new Map(asked.map((one, i) => [String(i), one]));
    const queries = asked.map(({ endpoint, params }, i) => ({ id: String(i), endpoint, params }));
    try {
      await this.transport.lines("/api/v1/query_batch", JSON.stringify({ queries }), (line) => {
        const one = open.get(line.id);
        open.delete(line.id);
        if (one) this.settle(one, line);
      });
      for (const one of open.values()) one.reject(new ApiError("refused", "the server left this question without an answer", 0));
    } catch (error) {
      const failure = error instanceof ApiError ? error : new ApiError("refused", String(error), 0);
      for (const one of open.values()) one.reject(failure);
    }
  }

  private settle(one: Asked, { status, reply }: Line): void {
    if (status === TOO_LONG) {
      this.transport.alone({ endpoint: one.endpoint, params: one.params }).then(one.resolve, one.reject);
    } else if (reply.status === "success") {
      one.resolve({ data: reply.data, warnings: reply.warnings ?? [], infos: reply.infos ?? [] });
    } else {
      const kind: ErrorKind = status === UNAVAILABLE ? "refused" : "query";
      one.reject(new ApiError(kind, reply.error ?? `status ${status}`, status));
    }
  }
}
