/** A date far ahead is a wrong clock. */
const LONGEST_SECONDS = 24 * 60 * 60;
/** A comma, unless it is the one within a date. */
const BETWEEN = /,(?!\s*\d\d[ -])/;

/**
 * Seconds that a `Retry-After` header asks for (RFC 9110, section 10.2.3: seconds or an HTTP-date), at most a day; the
 * longest, where the registry and a proxy each sent one. Undefined for none, for garbage and for a moment that has passed.
 */
export function retryAfterSeconds(header: string | undefined, now: number): number | undefined {
  const asked = (header ?? '').split(BETWEEN).map((value) => secondsOf(value.trim(), now));
  const longest = Math.max(...asked.filter((seconds) => seconds > 0));
  return longest > 0 ? Math.min(longest, LONGEST_SECONDS) : undefined;
}

function secondsOf(value: string, now: number): number {
  return /^\d{1,15}$/.test(value)
    ? Number(value)
    : // Date.parse alone would take almost anything for a date.
      /^[A-Z][a-z]{2,8}, .*GMT$/.test(value)
      ? Math.ceil((Date.parse(value) - now) / 1_000)
      : Number.NaN;
}
