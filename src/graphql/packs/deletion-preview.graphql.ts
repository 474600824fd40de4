import type { PackId } from '../../model/ids.ts';
import type { DeletionPreview } from '../../packs/preview-deletion.ts';
import { DEFAULT_PAGE_SIZE } from '../../page.ts';
import { builder } from '../builder.ts';
import { forwardArguments } from '../connection.ts';
import { readsRow } from '../limits/price.ts';
import { AgentRoleConnection } from '../refs.ts';
import { ImageDispositionEnum } from './pack-enums.graphql.ts';
import { rolesConnection } from './roles-of-pack.ts';

export const DeletionPreviewRef = builder
  .objectRef<{ readonly id: PackId; readonly preview: DeletionPreview }>('DeletionPreview')
  .implement({
    description: 'What deletePack would answer now.',
    fields: (t) => ({
      deletable: t.boolean({
        description: 'Whether no role references the pack.',
        resolve: ({ preview }) => !preview.in_use,
      }),
      image: t.field({
        type: ImageDispositionEnum,
        description:
          'What would become of the image. The registry is asked about packs that no role holds (up to 2 s for all packs of a request). Where it does not answer, this is what the database knows: PURGED then also stands for an image that is gone already, or that an index of somebody else needs.',
        resolve: ({ preview }, _args, { loaders }) => loaders.foreseenImage.load(preview),
      }),
      roles: t.field({
        type: AgentRoleConnection,
        description: "Roles of the caller's org that reference the pack, archived ones included.",
        args: forwardArguments(t, DEFAULT_PAGE_SIZE),
        resolve: ({ id }, args, context, info) => rolesConnection(id, args, context, info),
      }),
      otherOrgRoleCount: t.int({
        description: 'How many roles of other orgs reference it.',
        ...readsRow(),
        resolve: async ({ id }, _args, { loaders }) =>
          (await loaders.roleCounts.load(id)).otherOrgs,
      }),
    }),
  });
