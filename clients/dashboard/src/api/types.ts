// Shapes of the replies of query/api and tools/server that the page reads.

export type Labels = Record<string, string>;
// Seconds since 1970 and the value as text, as Prometheus writes both.
export type Sample = [number, string];

export type QueryData =
  | { resultType: "vector"; result: { metric: Labels; value: Sample }[] }
  // `since` and `changedFrom` where the question had `since`.
  | { resultType: "matrix"; result: { metric: Labels; values: Sample[] }[]; since?: string; changedFrom?: number }
  | { resultType: "scalar"; result: Sample }
  | { resultType: "string"; result: Sample };

export interface Explained {
  data: QueryData;
  plan: PlanNode | undefined;
  warnings: string[];
  infos: string[];
}

// A node of the plan that `explain=1` gives. Its own figures depend on the operator, so they are read by name.
export type PlanNode = { [key: string]: unknown };

export interface EventRow {
  time: string;
  time_ns: string | number;
  labels: Labels;
  text: string;
}

export interface Alert {
  labels: Labels;
  annotations: Labels;
  state: string;
  activeAt: string;
  value: string;
  // While it fires only since what it watches is below the level at which it ends, or because there are no data.
  recovering?: boolean;
  flapping?: boolean;
  noData?: boolean;
}

export interface Rule {
  type: "alerting" | "recording";
  name: string;
  query: string;
  health: string;
  lastError?: string;
  lastEvaluation?: string;
  evaluationTime?: number;
  duration?: number;
  keepFiringFor?: number;
  state?: string;
  labels?: Labels;
  annotations?: Labels;
  alerts?: Alert[];
}

export interface RuleGroup {
  name: string;
  file: string;
  interval: number;
  rules: Rule[];
}

export interface DatabaseRow {
  database: string;
  retentionSeconds: number;
  partitionSeconds: number;
  syncIntervalSeconds: number;
  series: number;
  fields: number;
  partitions: number;
  diskBytes: number;
}

export interface Retention {
  database: string;
  retentionSeconds: number;
  maxBytes: number;
  selectors: { match: string; keepSeconds: number }[];
  tiers: { widthSeconds: number; keepSeconds: number }[];
}

export interface Rejection {
  number: number;
  time: string;
  database: string;
  line: number;
  reason: string;
  message: string;
}

export interface TsdbStatus {
  headStats: { numSeries: number };
  seriesCountByMetricName: { name: string; value: number }[];
  labelValueCountByLabelName: { name: string; value: number }[];
  seriesCountByLabelValuePair: { name: string; value: number }[];
}

export interface Block {
  ulid: string;
  minTime: number;
  maxTime: number;
  stats: { numSamples?: number; numBytes?: number };
}

export interface Metadata {
  type: string;
  help: string;
  unit: string;
}

// A version of a dashboard that somebody saved.
export interface SavedInfo {
  name: string;
  // Of the newest version alone.
  title?: string;
  version: number;
  bytes: number;
  deleted: boolean;
  author: string;
  time: string;
}

export interface SavedText {
  text: string;
  version: number;
}

export interface BuildInfo {
  version: string;
  revision?: string;
}

// A token or a database. Counts are since the start of the server.
export interface Usage {
  kind: "token" | "database";
  name: string;
  // As people write them: "points/s=1000".
  quotas: string[];
  points: number;
  bytes: number;
  newSeries: number;
  newFields: number;
  // Active, where that has a quota.
  series: number;
  queries: number;
  // At this moment.
  runningQueries: number;
  queryMemoryBytes: number;
  refusedWrites: number;
  refusedRows: number;
  refusedQueries: number;
}
