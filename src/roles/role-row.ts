import type { OrgId, RoleId } from '../ids.ts';
import { orgIds, roleIds } from '../ids.ts';
import type { RoleEnvironment } from './agent-role.entity.ts';

/** An agent role as reads see it. */
export interface RoleRow {
  readonly id: RoleId;
  readonly orgId: OrgId;
  readonly name: string;
  readonly displayName: string;
  readonly description: string | null;
  readonly environment: RoleEnvironment;
  readonly archivedAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** The columns of a role, prefixed, so that they can stand beside those of other tables. */
export const roleColumns = `
  r.id as role_id, r.org_id as role_org_id, r.name as role_name, r.display_name as role_display_name,
  r.description as role_description, r.environment as role_environment, r.archived_at as role_archived_at,
  r.created_at as role_created_at, r.updated_at as role_updated_at`;

/** A record that `roleColumns` selects. */
export interface RoleRecord {
  readonly role_id: string;
  readonly role_org_id: string;
  readonly role_name: string;
  readonly role_display_name: string;
  readonly role_description: string | null;
  readonly role_environment: RoleEnvironment;
  readonly role_archived_at: string | null;
  readonly role_created_at: string;
  readonly role_updated_at: string;
}

export const toRoleRow = (record: RoleRecord): RoleRow => new RoleOfRecord(record);

/** Converts what is asked for when it is asked for: a list of hundreds of roles is mostly read for two fields. */
class RoleOfRecord implements RoleRow {
  readonly #record: RoleRecord;

  constructor(record: RoleRecord) {
    this.#record = record;
  }

  get id(): RoleId {
    return roleIds.of(this.#record.role_id);
  }
  get orgId(): OrgId {
    return orgIds.of(this.#record.role_org_id);
  }
  get name(): string {
    return this.#record.role_name;
  }
  get displayName(): string {
    return this.#record.role_display_name;
  }
  get description(): string | null {
    return this.#record.role_description;
  }
  get environment(): RoleEnvironment {
    return this.#record.role_environment;
  }
  get archivedAt(): Date | null {
    const { role_archived_at: at } = this.#record;
    return at === null ? null : new Date(at);
  }
  get createdAt(): Date {
    return new Date(this.#record.role_created_at);
  }
  get updatedAt(): Date {
    return new Date(this.#record.role_updated_at);
  }
}
