/** The types that refer to each other, declared before any of them is described. */
import type { AuditEventRow } from '../audit/list-audit-events.ts';
import type { ListedPack } from '../model/pack-row.ts';
import type { ListedRole } from '../model/role-row.ts';
import type { PackFile as PackFileItem } from '../packs/contents/pack-files.ts';
import { builder } from './builder.ts';
import { connectionOf } from './connection.ts';

export const Pack = builder.objectRef<ListedPack>('Pack');
export const PackFile = builder.objectRef<PackFileItem>('PackFile');
export const AgentRole = builder.objectRef<ListedRole>('AgentRole');
export const AuditEvent = builder.objectRef<AuditEventRow>('AuditEvent');

export const PackConnection = connectionOf(Pack, 'packs');
export const PackFileConnection = connectionOf(PackFile, 'files of a pack');
export const AgentRoleConnection = connectionOf(AgentRole, 'agent roles');
export const AuditEventConnection = connectionOf(AuditEvent, 'audit events');
