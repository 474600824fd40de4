/** What became of a deleted pack's image. */
export type ImageDisposition = 'PURGED' | 'ALREADY_GONE' | 'RETAINED_SHARED' | 'NOT_MANAGED';
