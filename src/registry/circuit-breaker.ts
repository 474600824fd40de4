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

/** A trial takes about this long: then the next caller may see whether the registry is back. */
const TRIAL_MS = 1_000;

/** One failure may be chance, five in a row are not; every ten seconds one caller waits for the answer of a trial. */
export const defaultCircuitBreaker = { failures: 5, halfOpenAfterMs: 10_000 } as const;

/** Carries the outcome of a call that its caller ended past the policy: it says nothing about the registry. */
class Ended<T> extends Error {
  readonly outcome: T;

  constructor(outcome: T) {
    super('the caller ended the call');
    this.outcome = outcome;
  }
}

/**
 * The registry behind a circuit breaker. `check` bypasses it because it reports what the registry itself says; so
 * does `walkImages`, which is not one call and whose visits make calls of their own.
 */
export function withCircuitBreaker(
  registry: Registry,
  { failures, halfOpenAfterMs, onChange }: CircuitBreakerOptions,
): Registry {
  // Set while the outcome of a trial that its caller ended is judged: the circuit stays open, and the next call tries.
  let hungUp = false;
  const policy = circuitBreaker(
    handleWhenResult((result) => hungUp || isOutage(result)),
    {
      breaker: new ConsecutiveBreaker(failures),
      // The library measures the pause by the wall clock, which can be set back by hours; we do, monotonically.
      halfOpenAfter: Number.NEGATIVE_INFINITY,
    },
  );
  let openUntil = 0;
  policy.onBreak(() => {
    openUntil = hungUp ? 0 : performance.now() + halfOpenAfterMs;
    hungUp = false;
  });
  policy.onStateChange((state) => onChange?.(nameOf(state)));

  async function guarded<T extends { readonly kind: string }>(
    options: CallOptions | undefined,
    call: () => Promise<T>,
  ): Promise<T | RegistryFailure> {
    const wait = openUntil - performance.now();
    if (policy.state === CockatielState.Open && wait > 0) return kept(wait);
    // A trial is already under way; the library would make us wait for its result.
    if (policy.state === CockatielState.HalfOpen) return kept(TRIAL_MS);
    // Only the trial decides; calls that began before the circuit opened do not.
    const isTrial = policy.state === CockatielState.Open;
    try {
      return await policy.execute(async () => {
        const outcome = await call();
        if (!isEndedByCaller(outcome, options)) return outcome;
        // To the library an error that the policy does not handle is no failure, so it ends a trial as a success.
        if (!isTrial) throw new Ended(outcome);
        hungUp = true;
        return outcome;
      });
    } catch (error) {
      // Only `call` above, of this very type, throws it.
      if (error instanceof Ended) return error.outcome as T;
      throw error;
    }
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
      guarded(options, () => registry.copyImage(from, digest, to, tag, options)),
    readAhead: (repository, digest, tag) =>
      policy.state === CockatielState.Closed
        ? registry.readAhead?.(repository, digest, tag)
        : undefined,
    purge: (repository, digest, options) =>
      guarded(options, () => registry.purge(repository, digest, options)),
    foreseePurge: (repository, digest, options) =>
      guarded(options, () => registry.foreseePurge(repository, digest, options)),
  };
}

/** By the signal, or by losing the right to write: a timeout that is not the registry's. */
function isEndedByCaller(
  outcome: { readonly kind: string; readonly reason?: unknown },
  options: CallOptions | undefined,
): boolean {
  if (outcome.kind !== 'failed' || outcome.reason !== 'TIMEOUT') return false;
  return options?.signal?.aborted === true || options?.mayWrite?.() === false;
}

function isOutage(result: unknown): boolean {
  // `guarded` is the only one to execute anything under this policy, and every outcome has a kind.
  const outcome = result as { readonly kind: string };
  if (outcome.kind !== 'failed') return false;
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
    detail:
      'the registry failed several times in a row, so it is given a pause and was not asked now.',
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
