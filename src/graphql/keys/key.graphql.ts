import type { KeyRow } from '../../keys/find-key.ts';
import { countApiKeys, listApiKeys } from '../../keys/list-api-keys.ts';
import type { PermissionSet } from '../../model/api-key.entity.ts';
import { keyIds } from '../../model/ids.ts';
import { pageRequest } from '../../page.ts';
import { builder } from '../builder.ts';
import { connectionOf, pageArguments, toConnection } from '../connection.ts';
import type { Context } from '../context.ts';
import { ofCharacters, upTo } from '../limits/price.ts';
import { needs } from '../needs.ts';

export const ApiKeyPermissionSet = builder.enumType('ApiKeyPermissionSet', {
  description: 'What a key may do.',
  values: {
    FULL_ACCESS: { description: 'caps:write and audit:read.' },
    READ_ONLY: { description: 'audit:read; reading packs and roles needs no scope.' },
    OWNER: {
      description:
        'Every scope. The first start and `npm run rotate-owner-key` make such keys; createApiKey refuses it.',
    },
  } satisfies Record<PermissionSet, object>,
});

export const ApiKey = builder.objectRef<KeyRow>('ApiKey');

const ApiKeyConnection = connectionOf(ApiKey, 'API keys');

/**
 * A key by id, for those who may see keys: `apikeys:write`, or the key itself.
 * Everybody else learns nothing, not even that it exists.
 */
export const loadKey = (id: string, { loaders, caller }: Context) => {
  const keyId = keyIds.parse(id);
  if (keyId === null) return null;
  const isOwn = caller.principal.kind === 'api_key' && caller.principal.keyId === keyId;
  return isOwn || caller.scopes.has('apikeys:write') ? loaders.key.load(keyId) : null;
};

builder.node(ApiKey, {
  description:
    'A secret that lets a script act for the org. The secret itself is never shown again.',
  id: { resolve: ({ id }) => id, description: 'Starts with key_.' },
  loadOne: loadKey,
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
  resolveReference: ({ id }, context) => loadKey(id, context),
});

builder.queryFields((t) => ({
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
