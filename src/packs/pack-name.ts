import { SLUG } from '../slug.ts';

/** What is wrong with a bad name. */
export const PACK_NAME_RULE =
  'must be 1 to 63 lower-case letters, digits and dashes, with no dash at either end';

/** Whether a name may be a pack's, by the contract's slug rule. */
export const isPackName = (name: string): boolean => SLUG.test(name);
