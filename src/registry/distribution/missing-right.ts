import type { RegistryFailure } from '../registry.ts';
import { failed } from './call-failed.ts';
import type { Challenge } from './challenge.ts';
import { actionsNeeded, type Scope } from './scope.ts';

/** The actions that we repeat: of what a registry writes only these words. */
const ACTIONS: readonly string[] = ['pull', 'push', 'delete', '*'];

/** Says which right the account lacks: what the challenge names for this repository, or else all that we asked for. */
export function missingRight(
  challenged: string | undefined,
  ours: Scope,
  hasCredentials: boolean,
): RegistryFailure {
  const actions = actionsNeeded(challenged, ours).filter((action) => ACTIONS.includes(action));
  const needed = ours?.startsWith('registry:')
    ? 'to list repositories'
    : `to ${actions.length === 0 ? 'do this' : actions.join(' and ')} in this repository`;
  return failed(
    'UNAUTHORIZED',
    false,
    hasCredentials
      ? `our credentials are right, but their account lacks the right ${needed}: grant it there`
      : `the registry gives nobody the right ${needed} without credentials, and none are configured for it`,
  );
}

/** What a 401 says in spite of a token that was fetched for it; undefined where it names no missing right. */
export function insufficientScope(
  challenges: readonly Challenge[],
  ours: Scope,
  hasCredentials: boolean,
): RegistryFailure | undefined {
  const said = challenges.find(({ parameters }) => parameters.error === 'insufficient_scope');
  return said && missingRight(said.parameters.scope, ours, hasCredentials);
}
