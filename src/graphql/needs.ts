import type { Scope } from '../identity/caller.ts';

/** A field's options that ask for a scope: we refuse without it, and a router refuses before it asks us. */
export const needs = (
  scope: Scope,
): { authScopes: { scope: Scope }; requiresScopes: Scope[][] } => ({
  authScopes: { scope },
  requiresScopes: [[scope]],
});
