import { type IDatabaseDriver, MikroORM, type Options } from '@mikro-orm/core';
import { Migrator } from '@mikro-orm/migrations';
import { PgliteDriver } from '@mikro-orm/pglite';
import { PostgreSqlDriver } from '@mikro-orm/postgresql';
import type { Kysely } from 'kysely';
import { AgentRole } from '../model/agent-role.entity.ts';
import { ApiKey } from '../model/api-key.entity.ts';
import { Attachment } from '../model/attachment.entity.ts';
import { AuditEvent } from '../model/audit-event.entity.ts';
import { EventListener } from '../model/event-listener.entity.ts';
import { Org } from '../model/org.entity.ts';
import { Pack } from '../model/pack.entity.ts';
import { RepositoryLease } from '../model/repository-lease.entity.ts';
import { Migration001Initial } from './migrations/001-initial.ts';

const drivers: Record<'postgres' | 'embedded', NonNullable<Options<IDatabaseDriver>['driver']>> = {
  postgres: PostgreSqlDriver,
  embedded: PgliteDriver,
};

/** The ORM over an open connection: the entities, their migrations, and no state of its own. */
export function createOrm(kysely: Kysely<unknown>, kind: 'postgres' | 'embedded'): MikroORM {
  return new MikroORM({
    driver: drivers[kind],
    dbName: 'postgres',
    driverOptions: kysely,
    entities: [
      Org,
      Pack,
      AgentRole,
      Attachment,
      ApiKey,
      AuditEvent,
      EventListener,
      RepositoryLease,
    ],
    extensions: [Migrator],
    migrations: {
      migrationsList: [{ name: '001-initial', class: Migration001Initial }],
      snapshot: false,
      silent: true,
    },
    // Every request works on a fork; a query on the global manager would be shared by all of them.
    allowGlobalContext: false,
  });
}
