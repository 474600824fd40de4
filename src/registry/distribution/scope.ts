/** What a token may be used for, as the Docker registry token authentication specification writes it. */
import type { Challenge } from './challenge.ts';

/** `repository:<name>:<actions>`, several with a space between; undefined where no repository is meant. */
export type Scope = string | undefined;

/** Whether a challenge is about what a token allows, and names something other than what we ask for anyway. */
export const canAskForLess = ({ parameters: { scope, error } }: Challenge, ours: Scope): boolean =>
  error !== 'invalid_token' && narrowScope(scope, ours) !== withActionsOf(scope, ours);

/** The challenge's scope where it is about the same repository; else ours, with `push` for `delete`. */
export function narrowScope(challenged: string | undefined, ours: Scope): Scope {
  if (ours === undefined) return ours;
  if (challenged !== undefined && split(challenged).resource === split(ours).resource) {
    return challenged;
  }
  return ours
    .split(' ')
    .map((scope) => {
      const { resource, actions } = split(scope);
      const known = actions.map((action) => (action === 'delete' ? 'push' : action));
      return `${resource}:${[...new Set(known)].join(',')}`;
    })
    .join(' ');
}

/** What the operation at hand needs: the challenge's actions where it is about the same repository, else all of ours. */
export function actionsNeeded(challenged: string | undefined, ours: Scope): readonly string[] {
  if (ours === undefined) return [];
  const own = split(ours);
  if (challenged === undefined) return own.actions;
  const { resource, actions } = split(challenged);
  return resource === own.resource ? actions : own.actions;
}

/** Our scope, with the actions added that the challenge names for the same repository (older registries want `*`). */
export function withActionsOf(challenged: string | undefined, ours: Scope): Scope {
  if (challenged === undefined || ours === undefined) return ours;
  const [a, b] = [split(ours), split(challenged)];
  if (a.resource !== b.resource) return ours;
  return `${a.resource}:${[...new Set([...a.actions, ...b.actions])].join(',')}`;
}

function split(scope: string): { readonly resource: string; readonly actions: readonly string[] } {
  const at = scope.lastIndexOf(':');
  return { resource: scope.slice(0, Math.max(at, 0)), actions: scope.slice(at + 1).split(',') };
}
