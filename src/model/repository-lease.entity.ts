import { defineEntity, p } from '@mikro-orm/core';

const RepositoryLeaseSchema = defineEntity({
  name: 'RepositoryLease',
  tableName: 'repository_leases',
  properties: {
    repository: p.text().primary(),
    holder: p.uuid(),
    expiresAt: p.datetime(3),
  },
});

/** Who may write to a repository of the registry just now; `repository-lease.ts` says why. */
export class RepositoryLease extends RepositoryLeaseSchema.class {}
RepositoryLeaseSchema.setClass(RepositoryLease);
