/** The form of the names of orgs and packs (contract): both are parts of repositories' names. */
export const SLUG = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** Characters. */
export const LONGEST_SLUG = 63;
