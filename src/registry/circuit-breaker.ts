/**
 * Keeps calls away from a registry that is down: they answer at once instead of each waiting for the same timeout.
 *
 * Per process and in memory: every replica sees for itself whether the registry answers it.
 */
import {
  CircuitState as CockatielState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhenResult,
} from 'cockatiel';
import type { CallOptions, CircuitState, Registry, RegistryFailure } from './registry.ts';

export interface CircuitBreakerOptions {
  /** Outages in a row after which calls are no longer made. */
  readonly failures: number;
  /** Milliseconds until one call is let through, to see whether the registry is back. */
  readonly halfOpenAfterMs: number;
  readonly onChange?: (state: CircuitState) => void;
}

export const defaultCircuitBreaker = { failures: 5, halfOpenAfterMs: 10_000 } as const;

/** Ended by the caller, who lost the right to write: that says nothing about the registry. */
interface Ended {
  readonly endedByCaller: boolean;
  readonly outcome: { readonly kind: string };
}

/** The registry behind a circuit breaker; `check` goes past it, for it reports what the registry itself says. */
export function withCircuitBreaker(
  registry: Registry,
  { failures, halfOpenAfterMs, onChange }: CircuitBreakerOptions,
): Registry {
  const policy = circuitBreaker(
    handleWhenResult((result) => isOutage(result)),
    {
      breaker: new ConsecutiveBreaker(failures),
      // The library measures the pause by the wall clock, which can be set back by hours; we do, monotonically.
      halfOpenAfter: Number.NEGATIVE_INFINITY,
    },
  );
  let closedUntil = 0;
  policy.onBreak(() => {
    closedUntil = performance.now() + halfOpenAfterMs;
  });
  policy.onStateChange((state) => onChange?.(nameOf(state)));

  async function guarded<T extends { readonly kind: string }>(
    options: CallOptions | undefined,
    call: () => Promise<T>,
  ): Promise<T | RegistryFailure> {
    const wait = closedUntil - performance.now();
    if (policy.state === CockatielState.Open && wait > 0) return kept(wait);
    // Somebody is trying already; the library would make us wait for how that ends.
    if (policy.state === CockatielState.HalfOpen) return kept(1_000);
    const { outcome } = await policy.execute(async () => {
      const outcome = await call();
      const endedByCaller = options?.signal?.aborted === true || options?.mayWrite?.() === false;
      return { outcome, endedByCaller };
    });
    return outcome;
  }

  return {
    ...registry,
    circuit: () => nameOf(policy.state),
    push: (repository, tag, image, options) =>
      guarded(options, () => registry.push(repository, tag, image, options)),
    readManifest: (repository, reference, options) =>
      guarded(options, () => registry.readManifest(repository, reference, options)),
    readBlob: (repository, descriptor, options) =>
      guarded(options, () => registry.readBlob(repository, descriptor, options)),
    copyImage: (from, digest, to, tag, options) =>
      // What fails with another registry as the source may be that one's failure.
      from.registry === undefined
        ? guarded(options, () => registry.copyImage(from, digest, to, tag, options))
        : registry.copyImage(from, digest, to, tag, options),
    purge: (repository, digest, options) =>
      guarded(options, () => registry.purge(repository, digest, options)),
    listImages: (namespace, options) =>
      guarded(options, () => registry.listImages(namespace, options)),
  };
}

function isOutage(result: unknown): boolean {
  // `guarded` is the only one to execute anything under this policy.
  const { outcome, endedByCaller } = result as Ended;
  if (outcome.kind !== 'failed' || endedByCaller) return false;
  const failure = outcome as RegistryFailure;
  switch (failure.reason) {
    case 'UNREACHABLE':
    case 'TIMEOUT':
      return true;
    case 'REGISTRY_ERROR':
      return failure.outage === true;
    default:
      return false;
  }
}

function kept(milliseconds: number): RegistryFailure {
  return {
    kind: 'failed',
    reason: 'UNREACHABLE',
    retryable: true,
    retryAfterSeconds: Math.max(1, Math.ceil(milliseconds / 1_000)),
    detail: 'the registry failed several times in a row and is given a pause; it was not asked.',
  };
}

function nameOf(state: CockatielState): CircuitState {
  switch (state) {
    case CockatielState.Closed:
      return 'closed';
    case CockatielState.HalfOpen:
      return 'half_open';
    case CockatielState.Open:
    case CockatielState.Isolated:
      return 'open';
  }
}
