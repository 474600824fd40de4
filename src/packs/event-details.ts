import type { PackRow } from '../model/pack-row.ts';

/** What an event says of a pack whose image it is about; the statements of deletion say the same in SQL. */
export const eventDetails = ({ name, version, imageRef, imageDigest }: PackRow) => ({
  name,
  version,
  imageRef,
  imageDigest,
});
