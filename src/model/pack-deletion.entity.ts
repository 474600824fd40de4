import { defineEntity, p } from '@mikro-orm/core';

const PackDeletionSchema = defineEntity({
  name: 'PackDeletion',
  tableName: 'pack_deletions',
  triggers: [
    {
      name: 'pack_deletions_final',
      timing: 'before',
      events: ['update', 'delete'],
      forEach: 'statement',
      body: `raise exception 'a deletion is never forgotten'`,
    },
  ],
  properties: {
    /** The pack's id, as the event has it. */
    subjectId: p.text().primary(),
  },
});

/**
 * That a pack was deleted, and so never is again (contract, "What deletion promises" 6: exactly one `PACK_DELETED` event).
 * The database writes it with the event; nothing else does, and nothing reads it.
 */
export class PackDeletion extends PackDeletionSchema.class {}
PackDeletionSchema.setClass(PackDeletion);
