/** Failures of what the service stands on, told apart from bugs: a caller may try again, and is told so. */
import { sqlState } from './database/sql-state.ts';
import { RequestRefused } from './request-refused.ts';

/** What is to be said to the caller for something that was thrown; null: nobody expected it. */
export function refusalOf(error: unknown): RequestRefused | null {
  if (error instanceof RequestRefused) return error;
  if (isDatabaseOutage(error)) {
    return new RequestRefused(
      'service_unavailable',
      'The database cannot be reached or is too busy. A change may have been made: look before you try again.',
    );
  }
  if (isFullDisk(error)) {
    return new RequestRefused(
      'service_unavailable',
      'The disk for temporary files of this server is full; nothing was changed, try again later.',
    );
  }
  return null;
}

/**
 * PostgreSQL's codes (manual, appendix A) for what passes: no connection (08), no room (53), shutting down, crashed or
 * starting (57P), cancelled (57014), a lock that did not come (55P03), a deadlock or conflict (40), a session ended for
 * idling in its transaction (25P03), a server that became a standby (25006).
 */
const PASSING = /^(08...|53...|57P0[1-5]|57014|55P03|40001|40P01|25P03|25006)$/;
const NO_CONNECTION = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);
/** What the driver says in words only; the ORM puts the statement before them. */
const IN_WORDS =
  /timeout exceeded when trying to connect|timeout expired|Connection terminated|is not queryable/;

function isDatabaseOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = sqlState(error);
  return code === undefined
    ? IN_WORDS.test(error.message)
    : PASSING.test(code) || NO_CONNECTION.has(code);
}

/** Of the embedded registry the adapter tells by an outcome: what is thrown is about uploads on their way. */
const isFullDisk = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
