import { AgentRole } from './agent-role.entity.ts';
import type { Extent, Listed } from './extent.ts';
import { fieldsOf, type Rows, rowsOf, rowsOfAsked } from './rows-of.ts';

/** An agent role as reads see it: the fields of the entity, which is one itself. */
export type RoleRow = Readonly<Pick<AgentRole, Extract<keyof AgentRole, string>>>;

/** A role of a list. */
export type ListedRole = Listed<RoleRow>;

/** What lists rarely show. */
const rare: readonly string[] = ['description', 'createdAt', 'updatedAt'];

const all = fieldsOf(AgentRole);
const brief = all.filter((field) => !rare.includes(field));

const whole = rowsOf(AgentRole, 'r', all);
/** Statements must call the table `r`. A role has nothing longer than its description. */
export const roleRows: Record<'brief', Rows<ListedRole>> &
  Record<Exclude<Extent, 'brief'>, Rows<RoleRow>> = {
  brief: rowsOf(AgentRole, 'r', brief),
  described: whole,
  whole,
};

/** The columns that a field of the schema takes, where none of them is rare. */
const briefColumns = new Map<string, readonly (keyof RoleRow)[]>([
  ...brief.map((field) => [field, [field]] as const),
  ['packs', []],
  ['__typename', []],
]);

/** As much of a role as fields of it need. */
export const roleExtent = (fields: ReadonlySet<string>): Extent =>
  [...fields].every((field) => briefColumns.has(field)) ? 'brief' : 'described';

const briefRows = rowsOfAsked<keyof RoleRow, ListedRole>(briefColumns, (columns) =>
  rowsOf(AgentRole, 'r', columns),
);

/** What a list reads of its roles for fields of them. Statements must call the table `r`. */
export function listedRoleRows(fields: ReadonlySet<string>): Rows<ListedRole> {
  const extent = roleExtent(fields);
  return extent === 'brief' ? briefRows(fields) : roleRows[extent];
}
