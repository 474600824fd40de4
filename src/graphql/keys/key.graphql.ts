import type { KeyRow } from '../../keys/find-key.ts';
import { countApiKeys, listApiKeys } from '../../keys/list-api-keys.ts';
import type { PermissionSet } from '../../model/api-key.entity.ts';
import { keyIds } from '../../model/ids.ts';
import { pageRequest } from '../../page.ts';
import { builder } from '../builder.ts';
import { connectionOf, pageArguments, toConnection } from '../connection.ts';
import type { Context } from '../context.ts';
import { countedText, ofCharacters, readsRow, upTo } from '../limits/price.ts';
import { needs } from '../needs.ts';

export const ApiKeyPermissionSet = builder.enumType('ApiKeyPermissionSet', {
  description: 'What a key may do.',
  values: {
    FULL_ACCESS: { description: 'caps:write and audit:read.' },
    READ_ONLY: { description: 'audit:read; reading packs and roles needs no scope.' },
    OWNER: { description: 'Every scope. Only the bootstrap key has it; createApiKey refuses it.' },
  } satisfies Record<PermissionSet, object>,
});

export const ApiKey = builder.objectRef<KeyRow>('ApiKey');

const ApiKeyConnection = connectionOf(ApiKey, 'API keys');

/**
 * A key by id, for those who may see keys: `apikeys:write`, or the key itself.
 * Everybody else learns nothing, not even that it exists.
 */
const load = (id: string, { loaders, caller }: Context) => {
  const keyId = keyIds.parse(id);
  if (keyId === null) return null;
  const isOwn = caller.principal.kind === 'api_key' && caller.principal.keyId === keyId;
  return isOwn || caller.scopes.has('apikeys:write') ? loaders.key.load(keyId) : null;
};

builder.node(ApiKey, {
  description:
    'A secret that lets a script act for the org. The secret itself is never shown again.',
  id: { resolve: ({ id }) => id, description: 'Starts with key_.' },
  loadOne: load,
  fields: (t) => ({
    label: t.exposeString('label', {
      ...upTo(ofCharacters(255)),
      description: 'What its maker called it.',
    }),
    prefix: t.exposeString('prefix', {
      ...upTo(66),
      description: 'The first characters of the secret.',
    }),
    permissionSet: t.expose('permissionSet', {
      type: ApiKeyPermissionSet,
      description: 'What it may do.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    lastUsedAt: t.expose('lastUsedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was last used, to the minute; null when never.',
    }),
  }),
});

builder.asEntity(ApiKey, {
  key: builder.selection<{ id: string }>('id'),
  resolveReference: ({ id }, context) => load(id, context),
});

const Org = builder.objectRef<{ readonly id: string; readonly slug: string }>('Org');

/** The caller's own org; no other exists for him. */
const orgOf = ({ caller: { orgId, orgSlug } }: Context) => ({ id: orgId, slug: orgSlug });
const loadOrg = (id: string, context: Context) =>
  id === context.caller.orgId ? orgOf(context) : null;

builder.node(Org, {
  description: 'A tenant. Everything but shared packs belongs to exactly one.',
  id: { resolve: ({ id }) => id, description: 'Starts with org_.' },
  loadOne: loadOrg,
  fields: (t) => ({
    slug: t.exposeString('slug', {
      ...upTo(65),
      description: 'Its name in URLs and image references.',
    }),
  }),
});

builder.asEntity(Org, {
  key: builder.selection<{ id: string }>('id'),
  resolveReference: ({ id }, context) => loadOrg(id, context),
});

const Viewer = builder.objectRef<Context['caller']>('Viewer').implement({
  description: 'Who is calling.',
  fields: (t) => ({
    org: t.field({
      type: Org,
      description: 'The org that the caller belongs to.',
      resolve: (_caller, _args, context) => orgOf(context),
    }),
    scopes: t.stringList({
      ...upTo(100),
      description: 'What the caller may do besides reading packs and roles.',
      resolve: ({ scopes }) => [...scopes],
    }),
    apiKey: t.field({
      ...readsRow(),
      type: ApiKey,
      nullable: true,
      description: 'The key that was used; null for a session.',
      resolve: ({ principal }, _args, context) =>
        principal.kind === 'api_key' ? load(principal.keyId, context) : null,
    }),
    userId: t.string({
      ...countedText(),
      nullable: true,
      description: 'The user of a session; null for a key.',
      resolve: ({ principal }) => (principal.kind === 'user' ? principal.userId : null),
    }),
  }),
});

builder.queryFields((t) => ({
  viewer: t.field({
    type: Viewer,
    description: 'Who is calling.',
    resolve: (_root, _args, { caller }) => caller,
  }),
  apiKeys: t.field({
    type: ApiKeyConnection,
    // A caller without the scope keeps the rest of the answer.
    nullable: true,
    description: 'The keys of the org that are not revoked, newest first. Needs apikeys:write.',
    ...needs('apikeys:write'),
    args: pageArguments(t),
    resolve: (_root, args, { world, caller }) => {
      const page = pageRequest(args);
      return toConnection(
        () => listApiKeys(world, caller, page),
        () => countApiKeys(world, caller),
      );
    },
  }),
}));
