/** PostgreSQL's own codes (manual, appendix A) that the domain reacts to. */
const UNIQUE_VIOLATION = '23505';
/** Text that PostgreSQL cannot hold: NUL, or an unpaired surrogate. */
const CHARACTER_NOT_IN_REPERTOIRE = '22021';
/** A lock did not come in time. */
const LOCK_NOT_AVAILABLE = '55P03';
/** A row that another one references cannot go: `restrict` said so, by the first code since PostgreSQL 18. */
const STILL_REFERENCED = ['23001', '23503'];

export const isUniqueViolation = (error: unknown): boolean => sqlState(error) === UNIQUE_VIOLATION;
export const isLockTimeout = (error: unknown): boolean => sqlState(error) === LOCK_NOT_AVAILABLE;
export const isStillReferenced = (error: unknown): boolean =>
  STILL_REFERENCED.includes(sqlState(error) ?? '');

export const isUnstorableText = (error: unknown): boolean =>
  sqlState(error) === CHARACTER_NOT_IN_REPERTOIRE;

/** A connection that was lost (class 08) and a server without room or on its way down (53, 57P) answer nobody. */
const NOBODY = /^(?:08|53|57P)/;

/** Five characters, a digit among them, which Node's own codes (EPIPE) do not have. */
const SQLSTATE = /^(?=.*\d)[0-9A-Z]{5}$/;

/** Whether the database has looked at a statement and refused it: another one may well do. */
export function isRefusedByDatabase(error: unknown): boolean {
  const code = sqlState(error);
  return code !== undefined && SQLSTATE.test(code) && !NOBODY.test(code);
}

/** The SQLSTATE of an error from either driver; the ORM's exceptions carry it as well. */
export function sqlState(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
