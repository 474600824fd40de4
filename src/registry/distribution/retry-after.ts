/** A date far ahead is a wrong clock. */
const LONGEST_SECONDS = 24 * 60 * 60;

/**
 * Seconds that a `Retry-After` header asks for (RFC 9110, section 10.2.3: seconds or an HTTP-date), at most a day.
 * Undefined for none, for garbage and for a moment that has passed.
 */
export function retryAfterSeconds(header: string | undefined, now: number): number | undefined {
  const value = header?.trim() ?? '';
  const seconds = /^\d{1,15}$/.test(value)
    ? Number(value)
    : // Date.parse alone would take almost anything for a date.
      /^[A-Z][a-z]{2,8}, .*GMT$/.test(value)
      ? Math.ceil((Date.parse(value) - now) / 1_000)
      : Number.NaN;
  return seconds > 0 ? Math.min(seconds, LONGEST_SECONDS) : undefined;
}
