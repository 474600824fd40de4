import type { RegistryFailure } from '../registry/registry.ts';

/** Ends a check early from within a walk: the registry failed, or the operator stopped it. */
export class CheckEnded extends Error {
  readonly outcome: RegistryFailure | { readonly kind: 'interrupted' };

  constructor(outcome: CheckEnded['outcome']) {
    super(outcome.kind);
    this.outcome = outcome;
  }
}

/** What the registry said, where it did not fail. */
export function said<T extends { readonly kind: string }>(
  outcome: T | RegistryFailure,
): Exclude<T, RegistryFailure> {
  if (outcome.kind === 'failed') throw new CheckEnded(outcome as RegistryFailure);
  // Whatever is of another kind is no failure.
  return outcome as Exclude<T, RegistryFailure>;
}
