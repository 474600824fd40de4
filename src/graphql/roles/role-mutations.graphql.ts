import type { PackRow } from '../../model/pack-row.ts';
import type { RoleRow } from '../../model/role-row.ts';
import { type ArchiveAgentRoleOutcome, archiveAgentRole } from '../../roles/archive-agent-role.ts';
import { type AttachPackOutcome, attachPack } from '../../roles/attach-pack.ts';
import { type CreateAgentRoleOutcome, createAgentRole } from '../../roles/create-agent-role.ts';
import { type DetachPackOutcome, detachPack } from '../../roles/detach-pack.ts';
import { ROLE_NAME_RULE } from '../../roles/role-fields.ts';
import {
  type UnarchiveAgentRoleOutcome,
  unarchiveAgentRole,
} from '../../roles/unarchive-agent-role.ts';
import { type UpdateAgentRoleOutcome, updateAgentRole } from '../../roles/update-agent-role.ts';
import { builder } from '../builder.ts';
import { needs } from '../needs.ts';
import { outcomeUnion } from '../problems/outcome-union.ts';
import { AgentRole, Pack } from '../refs.ts';
import { RoleEnvironment } from './role.graphql.ts';

/** A success that says which role came of it. */
const roleSuccess = <Kind extends string>(_kind: Kind, name: string, description: string) =>
  builder.objectRef<{ readonly kind: Kind; readonly role: RoleRow }>(name).implement({
    description,
    fields: (t) => ({
      role: t.field({
        type: AgentRole,
        description: 'The role, as it is now.',
        resolve: ({ role }) => role,
      }),
    }),
  });

/** A success about one role and one pack. */
const attachmentSuccess = <Kind extends string>(_kind: Kind, name: string, description: string) =>
  builder
    .objectRef<{ readonly kind: Kind; readonly role: RoleRow; readonly pack: PackRow }>(name)
    .implement({
      description,
      fields: (t) => ({
        role: t.field({ type: AgentRole, description: 'The role.', resolve: ({ role }) => role }),
        pack: t.field({ type: Pack, description: 'The pack.', resolve: ({ pack }) => pack }),
      }),
    });

const CreateAgentRoleResult = outcomeUnion<CreateAgentRoleOutcome>(
  'CreateAgentRoleResult',
  'What createAgentRole answers.',
  roleSuccess('created', 'CreatedAgentRole', 'The role is there, with its packs.'),
  { validation_failed: true, name_taken: true, not_found: true, pack_being_deleted: true },
);

const UpdateAgentRoleResult = outcomeUnion<UpdateAgentRoleOutcome>(
  'UpdateAgentRoleResult',
  'What updateAgentRole answers.',
  roleSuccess('role_updated', 'UpdatedAgentRole', 'The role is as it was asked to be.'),
  { validation_failed: true, name_taken: true, not_found: true, pack_being_deleted: true },
);

const ArchiveAgentRoleResult = outcomeUnion<ArchiveAgentRoleOutcome>(
  'ArchiveAgentRoleResult',
  'What archiveAgentRole answers.',
  roleSuccess('archived', 'ArchivedAgentRole', 'The role is archived; it still holds its packs.'),
  { not_found: true },
);

const UnarchiveAgentRoleResult = outcomeUnion<UnarchiveAgentRoleOutcome>(
  'UnarchiveAgentRoleResult',
  'What unarchiveAgentRole answers.',
  roleSuccess('unarchived', 'UnarchivedAgentRole', 'The role is back, with the packs it had.'),
  { not_found: true, not_archived: true },
);

const AttachPackResult = outcomeUnion<AttachPackOutcome>(
  'AttachPackResult',
  'What attachPack answers.',
  attachmentSuccess('attached', 'AttachedPack', 'The role has the pack.'),
  { not_found: true, pack_being_deleted: true },
);

const DetachPackResult = outcomeUnion<DetachPackOutcome>(
  'DetachPackResult',
  'What detachPack answers.',
  attachmentSuccess('detached', 'DetachedPack', 'The role does not have the pack.'),
  { not_found: true },
);

const ROLE_NAME = `Unique in the org; ${ROLE_NAME_RULE}.`;

const CreateAgentRoleInput = builder.inputType('CreateAgentRoleInput', {
  description: 'A new role.',
  fields: (t) => ({
    name: t.string({
      required: true,
      description: ROLE_NAME,
    }),
    displayName: t.string({ description: 'The name for people; the name itself when left out.' }),
    description: t.string({ description: 'What it is for.' }),
    environment: t.field({
      type: RoleEnvironment,
      required: true,
      defaultValue: 'DEVELOPMENT',
      description: 'Where its agents run.',
    }),
    packIds: t.idList({
      required: true,
      defaultValue: [],
      description: 'Its first packs: all of them are attached, or the role is not made.',
    }),
  }),
});

const UpdateAgentRoleInput = builder.inputType('UpdateAgentRoleInput', {
  description: 'What to change; a field left out stays as it is.',
  fields: (t) => ({
    name: t.string({ description: ROLE_NAME }),
    displayName: t.string({ description: 'The name for people.' }),
    description: t.string({ description: 'What it is for; null empties it.' }),
    environment: t.field({ type: RoleEnvironment, description: 'Where its agents run.' }),
    packIds: t.idList({
      description: 'All its packs: those not named are detached. All of it happens, or nothing.',
    }),
  }),
});

builder.mutationFields((t) => {
  const roleId = t.arg.id({ required: true, description: 'role_…' });
  const packId = t.arg.id({ required: true, description: 'pack_…' });
  return {
    createAgentRole: t.field({
      type: CreateAgentRoleResult,
      description: 'Makes a role.',
      ...needs('caps:write'),
      args: {
        input: t.arg({ type: CreateAgentRoleInput, required: true, description: 'The role.' }),
      },
      resolve: (_root, { input }, { world, caller }) => createAgentRole(world, caller, input),
    }),
    updateAgentRole: t.field({
      type: UpdateAgentRoleResult,
      description: 'Changes the fields of a role that are present.',
      ...needs('caps:write'),
      args: {
        id: roleId,
        input: t.arg({
          type: UpdateAgentRoleInput,
          required: true,
          description: 'What to change.',
        }),
      },
      resolve: (_root, { id, input }, { world, caller }) =>
        updateAgentRole(world, caller, id, input),
    }),
    archiveAgentRole: t.field({
      type: ArchiveAgentRoleResult,
      description: 'Archives a role. It keeps its packs, so they still cannot be deleted.',
      ...needs('caps:write'),
      args: { id: roleId },
      resolve: (_root, { id }, { world, caller }) => archiveAgentRole(world, caller, id),
    }),
    unarchiveAgentRole: t.field({
      type: UnarchiveAgentRoleResult,
      description: 'Brings an archived role back.',
      ...needs('caps:write'),
      args: { id: roleId },
      resolve: (_root, { id }, { world, caller }) => unarchiveAgentRole(world, caller, id),
    }),
    attachPack: t.field({
      type: AttachPackResult,
      description: 'Gives a pack to a role. Repeating it changes nothing.',
      ...needs('caps:write'),
      args: { roleId, packId },
      resolve: (_root, args, { world, caller }) => attachPack(world, caller, args),
    }),
    detachPack: t.field({
      type: DetachPackResult,
      description: 'Takes a pack from a role. Repeating it changes nothing.',
      ...needs('caps:write'),
      args: { roleId, packId },
      resolve: (_root, args, { world, caller }) => detachPack(world, caller, args),
    }),
  };
});
