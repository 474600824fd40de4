import type { RegistryFailure } from '../registry.ts';
import { CallFailed } from './call-failed.ts';
import type { Deadline } from './deadline.ts';

/** Attempts per request, the first included. */
export const ATTEMPTS = 4;
/** For a registry that is overloaded (nginx's limit_req answers 503): until about ten seconds have passed. */
const PATIENT_ATTEMPTS = 12;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

/**
 * Runs `attempt` until it succeeds, fails in a way that another try cannot help, or attempts or time are used up; the
 * last failure stands.
 *
 * A pause that does not fit into the deadline is not begun: the caller learns at once, and learns the
 * registry's `Retry-After` with it.
 */
export async function withRetries<T>(
  deadline: Deadline,
  attempts: number | ((failure: RegistryFailure) => number),
  attempt: () => Promise<T>,
): Promise<T> {
  for (let number = 1; ; number++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof CallFailed) || !error.failure.retryable) throw error;
      const most = typeof attempts === 'number' ? attempts : attempts(error.failure);
      if (number >= most) throw error;
      const pause = pauseBefore(error.failure, number);
      if (pause >= deadline.remaining()) throw error;
      await deadline.sleep(pause);
    }
  }
}

/** The attempts of a call that is patient with a registry that answers, but is overloaded. */
export const patientAttempts = ({ outage, reason }: RegistryFailure): number =>
  outage === true || reason === 'RATE_LIMITED' ? PATIENT_ATTEMPTS : ATTEMPTS;

/**
 * Milliseconds: what the registry asked for, or exponential with full jitter so that replicas do not retry in step.
 */
function pauseBefore(failure: RegistryFailure, attempt: number): number {
  if (failure.retryAfterSeconds !== undefined) return failure.retryAfterSeconds * 1_000;
  return Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempt - 1));
}
