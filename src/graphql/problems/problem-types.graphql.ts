/** One type for each kind of problem; the compiler wants all of them (`problemTypes`). */
import type { ObjectRef } from '@pothos/core';
import type { FieldProblem } from '../../field-problem.ts';
import { type ProblemKind, type ProblemOf, problems } from '../../outcomes.ts';
import { BLOCKERS_SHOWN } from '../../packs/verdict-lookup.ts';
import type { RegistryFailure } from '../../registry/registry.ts';
import { builder, type PothosTypes } from '../builder.ts';
import { forwardArguments, toConnection } from '../connection.ts';
import { countedText, readsRow } from '../limits/price.ts';
import { RegistryFailureReasonEnum } from '../packs/pack-enums.graphql.ts';
import { rolesConnection } from '../packs/roles-of-pack.ts';
import { AgentRoleConnection, Pack } from '../refs.ts';
import { ErrorInterface } from './problem.graphql.ts';

const ref = <Kind extends ProblemKind>(kind: Kind) =>
  builder.objectRef<ProblemOf<Kind>>(problems[kind].graphqlType);

const interfaces = [ErrorInterface];
/** For the types that speak of nothing of ours: neighbours in a supergraph may have the same ones. */
const shareable = true;

const NotFound = ref('not_found').implement({
  interfaces,
  shareable,
  description:
    "The caller's org has no such thing, or no longer has it: after a deletion this is the expected answer. Otherwise check the id and, with `viewer`, which org is asking.",
});

const FieldProblemType = builder.objectRef<FieldProblem>('FieldProblem').implement({
  shareable,
  description: 'One thing wrong with the input.',
  fields: (t) => ({
    path: t.exposeString('path', {
      ...countedText(),
      description: 'Where: `name`, `pack.yaml.version`, `archive/…`.',
    }),
    message: t.exposeString('message', {
      ...countedText(),
      description: 'What is wrong, and what would be right.',
    }),
  }),
});

const ValidationFailed = ref('validation_failed').implement({
  interfaces,
  shareable,
  description:
    'The input was refused; nothing was changed. Correct each field named and try again.',
  fields: (t) => ({
    fields: t.field({
      type: [FieldProblemType],
      description: 'Everything that is wrong, as far as it could be seen.',
      resolve: ({ fields }) => [...fields],
    }),
  }),
});

const NameTaken = ref('name_taken').implement({
  interfaces,
  shareable,
  description: 'The org already has one of this name. Replace it, or choose another name.',
});

const PackInUse = ref('pack_in_use').implement({
  interfaces,
  description:
    'Roles still reference the pack; nothing was changed. The message says what can be done about it.',
  fields: (t) => ({
    pack: t.field({ type: Pack, description: 'The pack.', resolve: ({ pack }) => pack }),
    roles: t.field({
      type: AgentRoleConnection,
      description: "Roles of the caller's org that reference the pack, archived ones included.",
      args: forwardArguments(t, BLOCKERS_SHOWN),
      resolve: ({ pack, blockers }, args, context, info) => {
        const { first, after } = args;
        if (after != null || first == null || first < 1 || first > BLOCKERS_SHOWN) {
          return rolesConnection(pack.id, args, context, info);
        }
        // The refusal brought this page along.
        const items = blockers.roles.slice(0, first);
        const hasNext = blockers.hasMore || blockers.roles.length > first;
        const page = { items, hasNext, hasPrevious: false };
        return toConnection(
          async () => page,
          async () => (await context.loaders.roleCounts.load(pack.id)).own,
        );
      },
    }),
    otherOrgRoleCount: t.int({
      ...readsRow(),
      description: 'How many roles of other orgs reference it. Their names are never shown.',
      resolve: async ({ pack }, _args, { loaders }) =>
        (await loaders.roleCounts.load(pack.id)).otherOrgs,
    }),
  }),
});

const PackNotEditable = ref('pack_not_editable').implement({
  interfaces,
  description:
    'What is in this pack cannot be changed here: it was not uploaded here, or the platform vouches for it as it is.',
  fields: (t) => ({
    pack: t.field({ type: Pack, description: 'The pack.', resolve: ({ pack }) => pack }),
  }),
});

const PackBeingDeleted = ref('pack_being_deleted').implement({
  interfaces,
  description:
    'A deletion of the pack has begun and is not finished; it cannot be used any more. Its org finishes it by deletePack.',
});

/** What every type says of a failure of the registry. */
const failureFields = <Parent extends { readonly failure: RegistryFailure }>(
  t: PothosSchemaTypes.ObjectFieldBuilder<PothosTypes, Parent>,
) => ({
  reason: t.field({
    type: RegistryFailureReasonEnum,
    description: 'What went wrong, for programs.',
    resolve: ({ failure }) => failure.reason,
  }),
  retryable: t.boolean({
    description:
      'Whether trying again later can help without anyone changing the registry or the credentials.',
    resolve: ({ failure }) => failure.retryable,
  }),
  retryAfterSeconds: t.int({
    nullable: true,
    description: 'The pause that the registry asked for.',
    resolve: ({ failure }) => failure.retryAfterSeconds,
  }),
});

const RegistryCleanupFailed = ref('registry_cleanup_failed').implement({
  interfaces,
  description:
    'The registry did not purge the image; the pack is kept as CLEANUP_FAILED. Call deletePack again: it resumes.',
  fields: (t) => ({
    pack: t.field({ type: Pack, description: 'The pack, kept.', resolve: ({ pack }) => pack }),
    ...failureFields(t),
    attempts: t.exposeInt('attempts', { description: 'How many deletions have failed so far.' }),
  }),
});

const RegistryUnavailable = ref('registry_unavailable').implement({
  interfaces,
  description:
    'The registry could not be used, so every pack keeps its image; the message says what may be different in the registry. Try again later.',
  fields: failureFields,
});

const NotArchived = ref('not_archived').implement({
  interfaces,
  description: 'The role is in use already; there is nothing to bring back.',
});

export const problemTypes: { [Kind in ProblemKind]: ObjectRef<PothosTypes, ProblemOf<Kind>> } = {
  not_found: NotFound,
  validation_failed: ValidationFailed,
  name_taken: NameTaken,
  pack_in_use: PackInUse,
  pack_not_editable: PackNotEditable,
  pack_being_deleted: PackBeingDeleted,
  registry_cleanup_failed: RegistryCleanupFailed,
  registry_unavailable: RegistryUnavailable,
  not_archived: NotArchived,
};
