import { type CreateApiKeyOutcome, createApiKey } from '../../keys/create-api-key.ts';
import type { KeyRow } from '../../keys/find-key.ts';
import { type RevokeApiKeyOutcome, revokeApiKey } from '../../keys/revoke-api-key.ts';
import { builder } from '../builder.ts';
import { upTo } from '../limits/price.ts';
import { needs } from '../needs.ts';
import { outcomeUnion } from '../problems/outcome-union.ts';
import { ApiKey, ApiKeyPermissionSet } from './key.graphql.ts';

const CreatedApiKey = builder
  .objectRef<Extract<CreateApiKeyOutcome, { kind: 'key_created' }>>('CreatedApiKey')
  .implement({
    description: 'The key is valid from now on.',
    fields: (t) => ({
      key: t.field({ type: ApiKey, description: 'The new key.', resolve: ({ key }) => key }),
      secret: t.exposeString('secret', {
        ...upTo(130),
        description: 'What to send as the Bearer token. It is shown here, once, and not stored.',
      }),
    }),
  });

const RevokedApiKey = builder
  .objectRef<{ readonly kind: 'key_revoked'; readonly key: KeyRow }>('RevokedApiKey')
  .implement({
    description: 'The key is refused from the next request on.',
    fields: (t) => ({
      key: t.field({ type: ApiKey, description: 'The key, as it was.', resolve: ({ key }) => key }),
    }),
  });

const CreateApiKeyResult = outcomeUnion<CreateApiKeyOutcome>(
  'CreateApiKeyResult',
  'What createApiKey answers.',
  CreatedApiKey,
  { validation_failed: true },
);

const RevokeApiKeyResult = outcomeUnion<RevokeApiKeyOutcome>(
  'RevokeApiKeyResult',
  'What revokeApiKey answers.',
  RevokedApiKey,
  { not_found: true, validation_failed: true },
);

builder.mutationFields((t) => ({
  createApiKey: t.field({
    type: CreateApiKeyResult,
    description: 'Makes a key for a script.',
    ...needs('apikeys:write'),
    args: {
      label: t.arg.string({
        required: true,
        description: 'What to call it; up to 255 characters.',
      }),
      permissionSet: t.arg({
        type: ApiKeyPermissionSet,
        required: true,
        description: 'What it may do: FULL_ACCESS or READ_ONLY.',
      }),
    },
    resolve: (_root, args, { world, caller }) => createApiKey(world, caller, args),
  }),
  revokeApiKey: t.field({
    type: RevokeApiKeyResult,
    description:
      "Revokes a key. One that is revoked already is not found; the org's last owner key cannot be revoked.",
    ...needs('apikeys:write'),
    args: { id: t.arg.id({ required: true, description: 'key_…' }) },
    resolve: (_root, { id }, { world, caller }) => revokeApiKey(world, caller, id),
  }),
}));
