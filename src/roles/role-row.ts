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

/** A record that `roleColumns` selects. */
export interface RoleRecord {
  readonly role_id: string;
  readonly role_name: string;
  readonly role_display_name: string;
  readonly role_environment: RoleEnvironment;
  readonly role_archived_at: string | null;
  readonly role_description: string | null;
  readonly role_created_at: string;
  readonly role_updated_at: string;
}

/** An expression: a role as a JSON array, which is read far faster than as an object or as columns. */
export const roleAsArray = (extent: Extent): string =>
  `json_build_array(r.id, r.name, r.display_name, r.environment, r.archived_at${
    extent === 'brief' ? '' : ', r.description, r.created_at, r.updated_at'
  })`;

/** What `roleAsArray` makes; a brief one ends after the fifth. */
export type RoleArray = readonly [
  id: string,
  name: string,
  displayName: string,
  environment: RoleEnvironment,
  archivedAt: string | null,
  description?: string | null,
  createdAt?: string,
  updatedAt?: string,
];

export const roleOfArray = (array: RoleArray): RoleRow => new Role(...array);

export const toRoleRow = (record: RoleRecord): RoleRow =>
  new Role(
    record.role_id,
    record.role_name,
    record.role_display_name,
    record.role_environment,
    record.role_archived_at,
    record.role_description,
    record.role_created_at,
    record.role_updated_at,
  );

/** Converts what is asked for when it is asked for: a list of hundreds of roles is mostly read for two fields. */
class Role implements RoleRow {
  readonly id: RoleId;
  readonly name: string;
  readonly displayName: string;
  readonly environment: RoleEnvironment;
  readonly #archivedAt: string | null;
  readonly #description: string | null | undefined;
  readonly #createdAt: string | undefined;
  readonly #updatedAt: string | undefined;

  constructor(
    id: string,
    name: string,
    displayName: string,
    environment: RoleEnvironment,
    archivedAt: string | null,
    description?: string | null,
    createdAt?: string,
    updatedAt?: string,
  ) {
    this.id = roleIds.of(id);
    this.name = name;
    this.displayName = displayName;
    this.environment = environment;
    this.#archivedAt = archivedAt;
    this.#description = description;
    this.#createdAt = createdAt;
    this.#updatedAt = updatedAt;
  }

  get archivedAt(): Date | null {
    return this.#archivedAt === null ? null : new Date(this.#archivedAt);
  }
  get description(): string | null {
    return detail(this.#description);
  }
  get createdAt(): Date {
    return new Date(detail(this.#createdAt));
  }
  get updatedAt(): Date {
    return new Date(detail(this.#updatedAt));
  }
}
