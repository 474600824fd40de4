/** Tells the log and the metrics of each call. */
import type { RegistryCall, RegistryFailure } from '../registry.ts';
import type { Answer } from './answer.ts';
import type { Call, Result } from './call.ts';
import { CallFailed } from './call-failed.ts';

/** What a call is reported under. */
type Named = Pick<Call, 'operation' | 'repository'>;

export class CallReports {
  readonly #onCall: ((call: RegistryCall) => void) | undefined;

  constructor(onCall: ((call: RegistryCall) => void) | undefined) {
    this.#onCall = onCall;
  }

  /** A call that was answered. */
  ended(
    { operation, repository }: Named,
    milliseconds: number,
    status: number,
    outcome: RegistryCall['outcome'],
  ): void {
    this.#onCall?.({ operation, repository, status, outcome, milliseconds });
  }

  /** A call that was not; a bug is no outcome of it. */
  failed({ operation, repository }: Named, milliseconds: number, error: unknown): void {
    if (!(error instanceof CallFailed)) return;
    this.#onCall?.({ operation, repository, outcome: error.failure.reason, milliseconds });
  }
}

export function outcomeOf(
  result: Result | RegistryFailure,
  answer: Answer,
): RegistryCall['outcome'] {
  switch (result.kind) {
    case 'answered':
      return answer.status === 404 ? 'missing' : 'ok';
    case 'gone':
      return 'missing';
    case 'needed_by_index':
    case 'dangling_tag':
      return 'REGISTRY_ERROR';
    case 'failed':
      return result.reason;
  }
}
