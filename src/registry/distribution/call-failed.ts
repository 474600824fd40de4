import type { RegistryFailure, RegistryFailureReason } from '../registry.ts';

/** A failure in our own words; `detail` must hold nothing that came from the registry. */
export function failed(
  reason: RegistryFailureReason,
  retryable: boolean,
  detail: string,
): RegistryFailure {
  return { kind: 'failed', reason, retryable, detail };
}

/** The registry was asked without TLS: some answer so in HTTP, others by an alert. */
export const SPEAKS_TLS = failed(
  'UNREACHABLE',
  false,
  'the registry speaks TLS: use https:// in REGISTRY_URL',
);

/**
 * Carries a failure up through the steps of one call; never leaves the adapter (see `distribution-registry.ts`).
 *
 * `inDoubt` says that the registry may have acted on the request although it did not say so: the answer
 * was lost on the way (reset, deadline) or was a 5xx, after which a DELETE has been seen to have worked.
 */
export class CallFailed extends Error {
  readonly failure: RegistryFailure;
  readonly inDoubt: boolean;

  constructor(failure: RegistryFailure, inDoubt = false) {
    super(failure.detail);
    this.failure = failure;
    this.inDoubt = inDoubt;
  }
}
