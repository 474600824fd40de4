import { eventIds, keyIds, orgIds, packIds, roleIds } from '../model/ids.ts';

const nodeTypes = [
  { name: 'Pack', ids: packIds },
  { name: 'AgentRole', ids: roleIds },
  { name: 'ApiKey', ids: keyIds },
  { name: 'AuditEvent', ids: eventIds },
  { name: 'Org', ids: orgIds },
] as const;

/** The GraphQL type that an id belongs to, or null where it is an id of no node. */
export function nodeTypeOf(id: string): (typeof nodeTypes)[number]['name'] | null {
  return nodeTypes.find(({ ids }) => ids.parse(id) !== null)?.name ?? null;
}

/** The GraphQL type of a node, by its id. */
export const typeOfNode = (node: unknown): string | null =>
  typeof node === 'object' && node !== null && 'id' in node && typeof node.id === 'string'
    ? nodeTypeOf(node.id)
    : null;
