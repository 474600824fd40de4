import type { AuditEventType } from '../model/audit-event.entity.ts';
import { RequestRefused } from '../request-refused.ts';

/**
 * The types that a watcher hears of: those chosen, or all.
 * @param possible those that the stream tells of
 * @throws RequestRefused `bad_request` for a choice that would make the stream wait for ever
 */
export function chosenTypes(
  chosen: readonly AuditEventType[] | null | undefined,
  possible: readonly AuditEventType[],
): ReadonlySet<AuditEventType> {
  if (chosen == null) return new Set(possible);
  const impossible = chosen.find((type) => !possible.includes(type));
  if (impossible !== undefined) {
    throw new RequestRefused(
      'bad_request',
      `types: ${impossible} does not occur here; these do: ${possible.join(', ')}.`,
    );
  }
  if (chosen.length === 0) {
    throw new RequestRefused('bad_request', 'types: the list is empty; leave it out to hear all.');
  }
  return new Set(chosen);
}
