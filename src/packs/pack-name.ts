const SLUG = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** What is wrong with a name that is none. */
export const PACK_NAME_RULE =
  'must be 1 to 63 lower-case letters, digits and dashes, with no dash at either end';

/** Whether a name may be a pack's, by the contract's slug rule. */
export const isPackName = (name: string): boolean => SLUG.test(name);
