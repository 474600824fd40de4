/** What the bench and its load generator, a process of its own, say to each other. */
export interface LoadRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** Every good answer holds this text. */
  readonly mark: string;
}

export interface LoadJob {
  readonly origin: string;
  readonly requests: readonly LoadRequest[];
  /** Each request at most once (deletions); the job ends when there are no more. */
  readonly once: boolean;
  readonly connections: number;
  readonly warmUpMs: number;
  readonly timedMs: number;
  /** The server's process. */
  readonly pid: number;
}

export interface LoadResult {
  /** Requests answered in the timed window. */
  readonly requests: number;
  /** Requests answered altogether, warm-up included. */
  readonly total: number;
  /** Wrong answers, warm-up included. */
  readonly errors: number;
  readonly firstError: string | null;
  readonly timedMs: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** CPU time that the server's process used in the timed window, microseconds; null where there is no /proc. */
  readonly cpuMicros: number | null;
  /** Its resident memory at the end, bytes. */
  readonly rss: number | null;
}
