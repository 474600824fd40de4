/** What became of a deleted pack's image. */
export const imageDispositions = [
  'PURGED',
  'ALREADY_GONE',
  'RETAINED_SHARED',
  'NOT_MANAGED',
] as const;
export type ImageDisposition = (typeof imageDispositions)[number];
