import type { DeletePackMutation } from './generated/graphql.ts';

type Result = DeletePackMutation['deletePack'];

/** What came of a deletion and what to do next, in a line for people. */
export function explainDeletion(result: Result): string {
  switch (result.__typename) {
    case 'DeletedPack':
      return `${result.name} is gone; its image: ${result.image}.`;
    case 'PackInUse': {
      const roles = result.roles.nodes.map(({ name }) => name).join(', ');
      return `Still used by ${roles || 'roles of other orgs'}: detach it there first.`;
    }
    case 'NotFound':
      return 'There is no such pack (any more).';
    case 'RegistryCleanupFailed':
      return result.retryable
        ? `The registry failed (${result.reason}); try again in ${result.retryAfterSeconds ?? 60} s.`
        : `The registry refuses (${result.reason}); it needs an operator. The pack is kept.`;
    default:
      return explainUnknown(result satisfies never);
  }
}

/**
 * For the compiler there is nothing left here: forget a member above, and `satisfies never` does not build. At run
 * time a newer server may answer a problem that did not exist when this was built; every problem is an `Error`.
 */
const explainUnknown = ({ message }: { readonly message: string }): string => message;
