/** PostgreSQL's own codes (manual, appendix A) that the domain reacts to. */
const UNIQUE_VIOLATION = '23505';
/** Text that PostgreSQL cannot hold: NUL, or an unpaired surrogate. */
const CHARACTER_NOT_IN_REPERTOIRE = '22021';
/** A row that another one references cannot go: `restrict` said so, by the first code since PostgreSQL 18. */
const STILL_REFERENCED = ['23001', '23503'];

export const isUniqueViolation = (error: unknown): boolean => sqlState(error) === UNIQUE_VIOLATION;
export const isStillReferenced = (error: unknown): boolean =>
  STILL_REFERENCED.includes(sqlState(error) ?? '');

export const isUnstorableText = (error: unknown): boolean =>
  sqlState(error) === CHARACTER_NOT_IN_REPERTOIRE;

/** The SQLSTATE of an error from either driver; the ORM's exceptions carry it as well. */
export function sqlState(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
