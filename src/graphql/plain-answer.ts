import type { IncomingHttpHeaders } from 'node:http';

/** A POST of JSON to the endpoint, its body read. */
export interface PlainOperation {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface PlainAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export const isPlainAnswer = (answer: PlainAnswer | Response): answer is PlainAnswer =>
  typeof answer.body === 'string';
