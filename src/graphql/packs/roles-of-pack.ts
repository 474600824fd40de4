import type { GraphQLResolveInfo } from 'graphql';
import type { PackId } from '../../model/ids.ts';
import { roleExtent } from '../../model/role-row.ts';
import { type PageArguments, pageRequest } from '../../page.ts';
import { toConnection } from '../connection.ts';
import type { Context } from '../context.ts';
import { selectedItems } from '../selected-items.ts';

/** The roles of the caller's org that reference a pack. */
export function rolesConnection(
  id: PackId,
  args: PageArguments,
  { loaders }: Context,
  info: GraphQLResolveInfo,
) {
  const page = pageRequest(args);
  const look = () => roleExtent(selectedItems(info).fields);
  return toConnection(
    () => loaders.rolesOfPack(page, loaders.extentOf(info.fieldNodes, look)).load(id),
    async () => (await loaders.roleCounts.load(id)).own,
  );
}
