/**
 * The statements on tenants' tables that must not be confined to one org, each with its reason.
 *
 * Every other statement names its org; the test run records all SQL and fails on one that does neither.
 */
export const crossOrgReasons = {
  authenticate: 'the key says which org the caller belongs to',
  'touch key': 'the key was just authenticated',
  'bootstrap key': 'made together with its org, before there is any caller',
  'image shared': 'an image is kept while a pack of any org points at it',
  retention: 'the operator says how long events are kept, for all orgs alike',
  consistency: 'an operator checks the whole store; no caller is answered from it',
} as const;

/** The comment that marks such a statement. */
export const acrossOrgs = (reason: keyof typeof crossOrgReasons): string =>
  `/* across orgs: ${reason} */`;
