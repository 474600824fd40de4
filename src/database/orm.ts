import { MikroORM, type TransactionOptions } from '@mikro-orm/core';
import { Migrator } from '@mikro-orm/migrations';
import { SqlEntityManager } from '@mikro-orm/sql';
import { AgentRole } from '../model/agent-role.entity.ts';
import { ApiKey } from '../model/api-key.entity.ts';
import { Attachment } from '../model/attachment.entity.ts';
import { AuditEvent } from '../model/audit-event.entity.ts';
import { EventListener } from '../model/event-listener.entity.ts';
import { Org } from '../model/org.entity.ts';
import { Pack } from '../model/pack.entity.ts';
import { PackDeletion } from '../model/pack-deletion.entity.ts';
import { RepositoryLease } from '../model/repository-lease.entity.ts';
import { type Attempts, createAttempts } from './attempts.ts';
import type { Connection } from './connect.ts';
import { Migration001Initial } from './migrations/001-initial.ts';
import { Migration002PackContents } from './migrations/002-pack-contents.ts';
import { Migration003AuditRetention } from './migrations/003-audit-retention.ts';
import { Migration004NameSearch } from './migrations/004-name-search.ts';
import { Migration005PacksOfOthers } from './migrations/005-packs-of-others.ts';
import { Migration006AuditPartitions } from './migrations/006-audit-partitions.ts';
import { Migration007SharedNameSearch } from './migrations/007-shared-name-search.ts';
import { Migration008SharedFilters } from './migrations/008-shared-filters.ts';

/** In the order in which they are applied. */
export const migrations = [
  { name: '001-initial', class: Migration001Initial },
  { name: '002-pack-contents', class: Migration002PackContents },
  { name: '003-audit-retention', class: Migration003AuditRetention },
  { name: '004-name-search', class: Migration004NameSearch },
  { name: '005-packs-of-others', class: Migration005PacksOfOthers },
  { name: '006-audit-partitions', class: Migration006AuditPartitions },
  { name: '007-shared-name-search', class: Migration007SharedNameSearch },
  { name: '008-shared-filters', class: Migration008SharedFilters },
];

export interface OrmOptions {
  /** Where transactions are tried again. */
  readonly attempts?: Attempts;
  /** The schema that `search_path` leads to. */
  readonly schema?: string;
}

/** The ORM over an open connection: the entities, their migrations, and no state of its own. */
export function createOrm(
  { kysely, driver }: Pick<Connection, 'kysely' | 'driver'>,
  { attempts = createAttempts(Number.POSITIVE_INFINITY), schema = 'public' }: OrmOptions = {},
): MikroORM {
  const orm = new MikroORM({
    entityManager: attemptingEntityManager(attempts),
    driver,
    dbName: 'postgres',
    schema,
    driverOptions: kysely,
    entities: [
      Org,
      Pack,
      AgentRole,
      Attachment,
      ApiKey,
      AuditEvent,
      EventListener,
      PackDeletion,
      RepositoryLease,
    ],
    extensions: [Migrator],
    migrations: {
      migrationsList: migrations,
      tableName: 'mikro_orm_migrations',
      snapshot: false,
      silent: true,
    },
    // The migrations alone state what functions there are.
    schemaGenerator: { ignoreRoutines: true },
    // No relation is ever joined to be filtered: every tenant's table names its org itself.
    autoJoinRefsForFilters: false,
    filtersOnRelations: false,
    // Every request works on a fork; a query on the global manager would be shared by all of them.
    allowGlobalContext: false,
  });
  // What is in this schema the ORM names without it, as our statements do: a name that it qualifies may hold no dot.
  orm.driver.getPlatform().getDefaultSchemaName = () => schema;
  return orm;
}

/** Every attempt at a transaction works on a fork of its own, so that nothing is left of one that failed. */
const attemptingEntityManager = (attempts: Attempts) =>
  class AttemptingEntityManager extends SqlEntityManager {
    override async transactional<T>(
      work: (em: this) => T | Promise<T>,
      options: TransactionOptions = {},
    ): Promise<T> {
      // The ORM writes into the options that it is given.
      const once = () => super.transactional(work, { ...options });
      return this.isInTransaction() ? once() : attempts.write(once);
    }
  };
