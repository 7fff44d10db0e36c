// Alerting: who is told of alerts and who has silenced what (Alertmanager's API v2), and the groups of rules that are put through the API.
import type { Labels } from "./types";

export interface Matcher {
  name: string;
  value: string;
  isRegex: boolean;
  isEqual: boolean;
}

export interface Silence {
  id: string;
  status: { state: "active" | "pending" | "expired" };
  comment: string;
  createdBy: string;
  startsAt: string;
  endsAt: string;
  matchers: Matcher[];
}

export type NewSilence = Omit<Silence, "id" | "status"> & { id?: string };

// An alert as those who are told of it see it.
export interface ToldAlert {
  labels: Labels;
  startsAt: string;
  updatedAt: string;
  receivers: { name: string }[];
  status: { state: "active" | "suppressed" | "unprocessed"; silencedBy: string[]; inhibitedBy: string[] };
}

export interface Raw {
  status: number;
  text: string;
}

// Sends what is no question of the query API; `type`: of the body.
export type Send = (method: "GET" | "POST" | "DELETE", path: string, type?: string, body?: string, signal?: AbortSignal) => Promise<Raw>;

const RULES = "/config/v1/rules";
const part = encodeURIComponent;

// What went wrong in the words of the server, which are JSON in some answers and text in others.
export function failureText({ status, text }: Raw): string {
  try {
    const value = JSON.parse(text) as unknown;
    if (typeof value === "string") return value;
    if (typeof value === "object" && value !== null) {
      const { message, error } = value as { message?: unknown; error?: unknown };
      if (typeof message === "string") return message;
      if (typeof error === "string") return error;
    }
  } catch {
    // It is the text itself.
  }
  return text.trim().slice(0, 500) || `status ${status}`;
}

export class Alerting {
  constructor(private readonly send: Send) {}

  async alerts(signal?: AbortSignal): Promise<ToldAlert[]> {
    return this.json<ToldAlert[]>(await this.send("GET", "/api/v2/alerts", undefined, undefined, signal));
  }

  async silences(signal?: AbortSignal): Promise<Silence[]> {
    return this.json<Silence[]>(await this.send("GET", "/api/v2/silences", undefined, undefined, signal));
  }

  // Makes one, or changes the one of that id; its id.
  async silence(silence: NewSilence): Promise<string> {
    return this.json<{ silenceID: string }>(await this.send("POST", "/api/v2/silences", "application/json", JSON.stringify(silence))).silenceID;
  }

  async endSilence(id: string): Promise<void> {
    this.accepted(await this.send("DELETE", `/api/v2/silence/${part(id)}`));
  }

  // The YAML of a group that was put through the API; undefined for one that a file brings.
  async ruleGroup(space: string, name: string): Promise<string | undefined> {
    const reply = await this.send("GET", `${RULES}/${part(space)}/${part(name)}`);
    return reply.status === 404 ? undefined : this.accepted(reply).text;
  }

  async putRuleGroup(space: string, yaml: string): Promise<void> {
    this.accepted(await this.send("POST", `${RULES}/${part(space)}`, "application/yaml", yaml));
  }

  async deleteRuleGroup(space: string, name: string): Promise<void> {
    this.accepted(await this.send("DELETE", `${RULES}/${part(space)}/${part(name)}`));
  }

  private accepted(reply: Raw): Raw {
    if (reply.status < 200 || reply.status > 299) throw new Error(failureText(reply));
    return reply;
  }

  private json<T>(reply: Raw): T {
    return JSON.parse(this.accepted(reply).text) as T;
  }
}
