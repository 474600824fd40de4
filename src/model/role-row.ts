import { AgentRole } from './agent-role.entity.ts';
import type { Extent } from './extent.ts';
import { fieldsOf, type Rows, rowsOf } from './rows-of.ts';

/** An agent role as reads see it: the fields of the entity, which is one itself. */
export type RoleRow = Readonly<Pick<AgentRole, Extract<keyof AgentRole, string>>>;

/** What lists rarely show. */
const rare = ['description', 'createdAt', 'updatedAt'] as const;
type Detail = (typeof rare)[number];

/** A role of a list, which may lack details; `detail` tells a missing one from null. */
export type ListedRole = Omit<RoleRow, Detail> & Partial<Pick<RoleRow, Detail>>;

const all = fieldsOf(AgentRole);
const brief = all.filter((field) => !rare.some((one) => one === field));

const described = rowsOf(AgentRole, 'r', all);
/** Statements must call the table `r`. A role has nothing longer than its description. */
export const roleRows: Readonly<Record<Extent, Rows<ListedRole>>> = {
  brief: rowsOf(AgentRole, 'r', brief),
  described,
  whole: described,
};

const briefNames = new Set<string>([...brief, 'packs', '__typename']);

/** As much of a role as fields of it need. */
export const roleExtent = (fields: ReadonlySet<string>): Extent =>
  [...fields].every((field) => briefNames.has(field)) ? 'brief' : 'described';
