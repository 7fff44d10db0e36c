// Completion for the query editor, from the database that is chosen. Lists are limited by the server; values follow the
// other matchers of the selector.
import type { Matcher } from "@prometheus-io/codemirror-promql/dist/esm/types/matcher";
import type { PrometheusClient } from "@prometheus-io/codemirror-promql";
import { api } from "../../api";

const MOST = 2000;

const OPERATORS = ["=", "!=", "=~", "!~"];

// The codes that the grammar gives the operators of matchers are those of its tree; texts are what the API takes.
export function selectorOf(metric: string | undefined, matchers: { name: string; value: string; text: string }[]): string {
  const parts = matchers.filter((m) => OPERATORS.includes(m.text) && m.value !== "").map((m) => `${m.name}${m.text}${JSON.stringify(m.value)}`);
  if (metric) parts.unshift(`__name__=${JSON.stringify(metric)}`);
  return `{${parts.join(",")}}`;
}

export class DatabaseClient implements PrometheusClient {
  constructor(private readonly db: () => string) {}

  async labelNames(metric?: string): Promise<string[]> {
    return this.orNone(() => api.labelNames(this.db(), metric ? [selectorOf(metric, [])] : []), []);
  }

  async labelValues(label: string, metric?: string, matchers?: Matcher[]): Promise<string[]> {
    const others = (matchers ?? []).filter((m) => m.name !== label && m.value !== "").map((m) => ({ name: m.name, value: m.value, text: "=" }));
    const match = metric || others.length > 0 ? [selectorOf(metric, others)] : [];
    return this.orNone(async () => (await api.labelValues(this.db(), label, match, MOST)).data, []);
  }

  async metricMetadata(): Promise<Record<string, { type: string; help: string }[]>> {
    return this.orNone(() => api.metadata(this.db()), {});
  }

  async series(metric: string): Promise<Map<string, string>[]> {
    return this.orNone(async () => (await api.series(this.db(), [selectorOf(metric, [])], MOST)).map((labels) => new Map(Object.entries(labels))), []);
  }

  async metricNames(): Promise<string[]> {
    return this.labelValues("__name__");
  }

  async flags(): Promise<Record<string, string>> {
    return {};
  }

  // Who types goes on typing when the server is away; the page says so elsewhere.
  private async orNone<T>(ask: () => Promise<T>, none: T): Promise<T> {
    try {
      return await ask();
    } catch {
      return none;
    }
  }
}
