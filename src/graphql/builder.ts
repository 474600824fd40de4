import SchemaBuilder from '@pothos/core';
import DirectivesPlugin from '@pothos/plugin-directives';
import FederationPlugin from '@pothos/plugin-federation';
import RelayPlugin from '@pothos/plugin-relay';
import ScopeAuthPlugin, { type AuthFailure, AuthScopeFailureType } from '@pothos/plugin-scope-auth';
import type { SpooledFile } from '../http/spooled-file.ts';
import type { Scope } from '../identity/caller.ts';
import { MAX_PAGE_SIZE } from '../page.ts';
import type { Context } from './context.ts';
import GatewayPlugin from './gateway-plugin.ts';
import { countedText, readsRow } from './limits/price.ts';
import { nodeTypeOf, typeOfNode } from './node-types.ts';
import { refusal } from './refusal.ts';

export interface SchemaTypes {
  Context: Context;
  DefaultFieldNullability: false;
  DefaultEdgesNullability: false;
  DefaultNodeNullability: false;
  AuthScopes: { scope: Scope };
  FederationScopes: Scope;
  Connection: {
    totalCount: () => Promise<number>;
    nodes: readonly unknown[] | Promise<readonly unknown[]>;
  };
  Scalars: {
    ID: { Input: string; Output: string };
    DateTime: { Input: Date; Output: Date };
    JSON: { Input: unknown; Output: unknown };
    Long: { Input: number; Output: number };
    File: { Input: SpooledFile; Output: never };
  };
}

/** The builder's own view of `SchemaTypes`, for code that handles refs of any type. */
export type PothosTypes = PothosSchemaTypes.ExtendDefaultTypes<SchemaTypes>;

export const builder = new SchemaBuilder<SchemaTypes>({
  plugins: [GatewayPlugin, ScopeAuthPlugin, RelayPlugin, DirectivesPlugin, FederationPlugin],
  defaultFieldNullability: false,
  scopeAuth: {
    authScopes: ({ caller }) => ({ scope: (scope) => caller.scopes.has(scope) }),
    // A missing scope is an error of one field: a router keeps the rest of the answer.
    unauthorizedError: (_parent, context, _info, { failure }) => {
      const requiredScopes = scopesOf(failure);
      return refusal(
        'permission_denied',
        `This needs the scope ${requiredScopes.join(' and ')}, which the caller does not have.`,
        { requiredScopes, requestId: context.record.requestId },
      );
    },
  },
  relay: {
    cursorType: 'String',
    edgesFieldOptions: { nullable: false, description: 'The items of this page.' },
    nodeFieldOptions: { nullable: false, description: 'The item.' },
    cursorFieldOptions: {
      ...countedText(),
      description: 'The place of the item in the list, for after and before.',
    },
    pageInfoTypeOptions: {
      description: 'Where a page lies in its list (Relay cursor connections).',
      shareable: true,
    },
    pageInfoFieldOptions: { description: 'Where this page lies in the list.' },
    hasNextPageFieldOptions: { description: 'Whether older items follow.' },
    hasPreviousPageFieldOptions: { description: 'Whether newer items precede.' },
    startCursorFieldOptions: {
      ...countedText(),
      description: 'Cursor of the first item; null on an empty page.',
    },
    endCursorFieldOptions: {
      ...countedText(),
      description: 'Cursor of the last item; null on an empty page.',
    },
    nodeTypeOptions: {
      description: 'Anything that has an id of its own.',
      // By its id: the plugin's mark is not there yet on a node that two fields of an operation load at once.
      resolveType: (node) => typeOfNode(node),
    },
    idFieldOptions: { description: 'Typed and opaque; it never changes.' },
    nodeQueryOptions: {
      ...readsRow(),
      description:
        'Any pack, agent role, API key, audit event or org by its id; null where there is none that the caller may see.',
      args: { id: { description: 'An id of any type.' } },
    },
    nodesQueryOptions: {
      description: `Several of them, at most ${MAX_PAGE_SIZE}, in the order of the ids; null where there is none.`,
      args: { ids: { description: 'Ids of any type.' } },
    },
    encodeGlobalID: (_typename, id) => String(id),
    // The plugin asks a type for every id. What is an id of none is no org either, which compares it with the caller's.
    decodeGlobalID: (id) => {
      const typename = nodeTypeOf(id);
      // What is no id is kept from the plugin, which makes keys of it, however long it is.
      return typename === null ? { typename: 'Org', id: '' } : { typename, id };
    },
  },
});

/** The scopes behind a refusal, whatever the rule looked like. */
function scopesOf(failure: AuthFailure): Scope[] {
  switch (failure.kind) {
    case AuthScopeFailureType.AuthScope:
      // The parameter of the only scope loader there is, `scope` (SchemaTypes.AuthScopes).
      return [failure.parameter as Scope];
    case AuthScopeFailureType.AllAuthScopes:
    case AuthScopeFailureType.AnyAuthScopes:
      return failure.failures.flatMap(scopesOf);
    default:
      return [];
  }
}
