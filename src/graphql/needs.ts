import type { GraphQLField } from 'graphql';
import { z } from 'zod';
import { type Scope, scopes } from '../identity/caller.ts';

/** A field's options that ask for a scope: we refuse without it, and a router refuses before it asks us. */
export const needs = (
  scope: Scope,
): { authScopes: { scope: Scope }; requiresScopes: Scope[][] } => ({
  authScopes: { scope },
  requiresScopes: [[scope]],
});

const declared = z.object({
  pothosOptions: z.object({ authScopes: z.object({ scope: z.enum(scopes) }) }),
});

/** The scope that a field was declared to need, or null. */
export const scopeNeededBy = ({ extensions }: GraphQLField<unknown, unknown>): Scope | null =>
  declared.safeParse(extensions).data?.pothosOptions.authScopes.scope ?? null;
