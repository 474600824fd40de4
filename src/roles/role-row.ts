import { type RoleId, roleIds } from '../ids.ts';
import { detail, type Extent } from '../page.ts';
import type { RoleEnvironment } from './agent-role.entity.ts';

/** An agent role as reads see it. */
export interface RoleRow {
  readonly id: RoleId;
  readonly name: string;
  readonly displayName: string;
  readonly description: string | null;
  readonly environment: RoleEnvironment;
  readonly archivedAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** The fields of a role that a brief row has, or that need no more of it than its id. */
export const briefRoleFields: ReadonlySet<string> = new Set([
  'id',
  'name',
  'displayName',
  'environment',
  'archivedAt',
  'packs',
  '__typename',
]);

/** The columns of a role, prefixed, so that they can stand beside those of other tables. */
export const roleColumns = `
  r.id as role_id, r.name as role_name, r.display_name as role_display_name,
  r.environment as role_environment, r.archived_at as role_archived_at,
  r.description as role_description, r.created_at as role_created_at, r.updated_at as role_updated_at`;

/** A record that `roleColumns` selects; a brief row lacks the last three. */
export interface RoleRecord {
  readonly role_id: string;
  readonly role_name: string;
  readonly role_display_name: string;
  readonly role_environment: RoleEnvironment;
  readonly role_archived_at: string | null;
  readonly role_description?: string | null;
  readonly role_created_at?: string;
  readonly role_updated_at?: string;
}

export const toRoleRow = (record: RoleRecord): RoleRow => new RoleOfRecord(record);

/** An expression: a role as a JSON array, which is read far faster than as an object or as columns. */
export const roleAsArray = (extent: Extent): string =>
  `json_build_array(r.id, r.name, r.display_name, r.environment, r.archived_at${
    extent === 'brief' ? '' : ', r.description, r.created_at, r.updated_at'
  })`;

/** What `roleAsArray` makes. */
export type RoleArray = readonly [
  id: string,
  name: string,
  displayName: string,
  environment: RoleEnvironment,
  archivedAt: string | null,
  ...([] | [description: string | null, createdAt: string, updatedAt: string]),
];

export const roleOfArray = ([
  id,
  name,
  displayName,
  environment,
  archivedAt,
  ...details
]: RoleArray) =>
  toRoleRow({
    role_id: id,
    role_name: name,
    role_display_name: displayName,
    role_environment: environment,
    role_archived_at: archivedAt,
    ...(details.length === 0
      ? {}
      : { role_description: details[0], role_created_at: details[1], role_updated_at: details[2] }),
  });

/** Converts what is asked for when it is asked for: a list of hundreds of roles is mostly read for two fields. */
class RoleOfRecord implements RoleRow {
  readonly #record: RoleRecord;

  constructor(record: RoleRecord) {
    this.#record = record;
  }

  get id(): RoleId {
    return roleIds.of(this.#record.role_id);
  }
  get name(): string {
    return this.#record.role_name;
  }
  get displayName(): string {
    return this.#record.role_display_name;
  }
  get description(): string | null {
    return detail(this.#record.role_description);
  }
  get environment(): RoleEnvironment {
    return this.#record.role_environment;
  }
  get archivedAt(): Date | null {
    const { role_archived_at: at } = this.#record;
    return at === null ? null : new Date(at);
  }
  get createdAt(): Date {
    return new Date(detail(this.#record.role_created_at));
  }
  get updatedAt(): Date {
    return new Date(detail(this.#record.role_updated_at));
  }
}
