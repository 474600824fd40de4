/** Who is calling, and the org that the caller belongs to. */
import { builder } from './builder.ts';
import type { Context } from './context.ts';
import { ApiKey, loadKey } from './keys/key.graphql.ts';
import { countedText, readsRow, upTo } from './limits/price.ts';

const Org = builder.objectRef<{ readonly id: string; readonly slug: string }>('Org');

/** The caller's own org; no other exists for the caller. */
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
        principal.kind === 'api_key' ? loadKey(principal.keyId, context) : null,
    }),
    userId: t.string({
      ...countedText(),
      nullable: true,
      description: 'The user of a session; null for a key.',
      resolve: ({ principal }) => (principal.kind === 'user' ? principal.userId : null),
    }),
  }),
});

builder.queryField('viewer', (t) =>
  t.field({
    type: Viewer,
    description: 'Who is calling.',
    resolve: (_root, _args, { caller }) => caller,
  }),
);
