/**
 * What must not be confined to one org, each with its reason: entity managers (`database.acrossOrgs`) and statements.
 *
 * Every other statement names its org; the test run records all SQL and fails on one that does neither.
 */
export const crossOrgReasons = {
  authenticate: 'the key says which org the caller belongs to',
  'touch key': 'the key was just authenticated',
  'first org': 'made with its owner key, before there is any caller',
  operator: 'a command names the org by its slug, and there is no caller',
  'platform pack': 'a pack of the platform has no org',
  'image shared': 'an image is kept while a pack of any org points at it',
  retention: 'the operator says how long events are kept, for all orgs alike',
  'embedded registry': 'a start asks whether images of any org should be there',
  consistency: 'an operator checks the whole store; no caller is answered from it',
} as const;

export type CrossOrgReason = keyof typeof crossOrgReasons;

/** The comment that marks such a statement. */
export const acrossOrgs = (reason: CrossOrgReason): string => `/* across orgs: ${reason} */`;
