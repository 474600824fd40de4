import type { RoleEnvironment } from './agent-role.entity.ts';
import { detail, type Extent } from './extent.ts';
import { type RoleId, roleIds } from './ids.ts';

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
const briefRoleFields: ReadonlySet<string> = new Set([
  'id',
  'name',
  'displayName',
  'environment',
  'archivedAt',
  'packs',
  '__typename',
]);

/** As much of a role as fields of it need. */
export const roleExtent = (fields: ReadonlySet<string>): Extent =>
  [...fields].every((field) => briefRoleFields.has(field)) ? 'brief' : 'described';

/** An expression: a role as a JSON array, as `packAsArray` of pack-row.ts. The statement must call the table `r`. */
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

export const roleOfArray = (array: RoleArray): RoleRow => new Role(array);

/** Converts what is asked for when it is asked for: a list of hundreds of roles is mostly read for two fields. */
class Role implements RoleRow {
  readonly #array: RoleArray;

  constructor(array: RoleArray) {
    this.#array = array;
  }

  get id(): RoleId {
    return roleIds.of(this.#array[0]);
  }
  get name(): string {
    return this.#array[1];
  }
  get displayName(): string {
    return this.#array[2];
  }
  get environment(): RoleEnvironment {
    return this.#array[3];
  }
  get archivedAt(): Date | null {
    const at = this.#array[4];
    return at === null ? null : new Date(at);
  }
  get description(): string | null {
    return detail(this.#array[5]);
  }
  get createdAt(): Date {
    return new Date(detail(this.#array[6]));
  }
  get updatedAt(): Date {
    return new Date(detail(this.#array[7]));
  }
}
