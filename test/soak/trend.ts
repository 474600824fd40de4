/** What a process holds at one moment of a soak. */
export interface Sample {
  /** Requests answered so far. */
  readonly requests: number;
  /** Bytes after a full collection: on the heap, in buffers outside of it, resident. */
  readonly heap: number;
  readonly buffers: number;
  readonly rss: number;
  readonly listeners: number;
  readonly descriptors: number;
  readonly sockets: number;
  /** Connections of the service to PostgreSQL; those that LISTEN among them. */
  readonly connections: number;
  readonly listening: number;
  readonly temporaryFiles: number;
}

/** By how much a measure grows in this many requests: the slope of the least-squares line. */
export function growthPer(
  requests: number,
  samples: readonly Sample[],
  measure: (sample: Sample) => number,
): number {
  const mean = (of: (sample: Sample) => number) =>
    samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length;
  const middle = mean((sample) => sample.requests);
  const level = mean(measure);
  const spread = mean((sample) => (sample.requests - middle) ** 2);
  const together = mean((sample) => (sample.requests - middle) * (measure(sample) - level));
  return spread === 0 ? 0 : (together / spread) * requests;
}

/** What is counted and not weighed: after the warm-up there may be little more of it than during it. */
const counted = ['listeners', 'descriptors', 'sockets', 'connections', 'temporaryFiles'] as const;
/** Connections that come and go by themselves (the pool's idle ones, the registry's), and the dozen listeners of each. */
const slack: Record<(typeof counted)[number], number> = {
  listeners: 200,
  descriptors: 16,
  sockets: 16,
  connections: 10,
  temporaryFiles: 0,
};

/** Where the samples after the warm-up show something that grows; empty where nothing does. */
export function leaksIn(samples: readonly Sample[], warmUp: number): string[] {
  const before = samples.filter(({ requests }) => requests <= warmUp);
  const after = samples.filter(({ requests }) => requests >= warmUp);
  const most = (among: readonly Sample[], of: (sample: Sample) => number) =>
    Math.max(0, ...among.map(of));
  const listening = most(samples, (sample) => sample.listening);
  return [
    ...counted.flatMap((name) => {
      const [usual, seen] = [before, after].map((some) => most(some, (sample) => sample[name]));
      return (seen ?? 0) > (usual ?? 0) + slack[name]
        ? [`${name}: ${seen}, during the warm-up at most ${usual}`]
        : [];
    }),
    ...(listening > 1 ? [`listening: ${listening} connections, one is enough`] : []),
  ];
}
