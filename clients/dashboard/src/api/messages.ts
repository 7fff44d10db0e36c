// What is said between the page and the API: parameters, answers, errors.

export type ErrorKind = "unreachable" | "refused" | "query" | "aborted";

export class ApiError extends Error {
  constructor(
    readonly kind: ErrorKind,
    message: string,
    // 0 when there was no answer.
    readonly status: number,
  ) {
    super(message);
  }
}

export interface Answer<T> {
  data: T;
  warnings: string[];
  infos: string[];
}

export type Params = Record<string, string | number | string[] | undefined>;
