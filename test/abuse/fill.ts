import type pg from 'pg';
import { newUuid } from '../../src/model/ids.ts';

const PACKS = 200;
const ROLES = 200;

/** Packs as long as they may be, each of them attached to each of many roles. */
export async function fill(database: pg.Client, slug: string): Promise<void> {
  const uuids = (count: number) => Array.from({ length: count }, () => newUuid());
  const packs = uuids(PACKS);
  const roles = uuids(ROLES);
  await database.query(
    `insert into packs (id, org_id, name, version, display_name, description, tier, visibility, capabilities,
       suggested_packs, image_origin, repository, image_ref, size_bytes, status, cleanup_attempts, created_at, updated_at)
     select id, (select o.id from orgs o where o.slug = $2), 'p-' || id, '1.0.0', repeat('n', 255), repeat('d', 4096),
       'COMMUNITY', 'ORG', repeat('c', 65536), '{}', 'IMAGE_REF', 'r', 'r:1', 1, 'ACTIVE', 0, now(), now()
     from unnest($1::uuid[]) as id`,
    [packs, slug],
  );
  await database.query(
    `insert into agent_roles (id, org_id, name, display_name, description, environment, created_at, updated_at)
     select id, (select o.id from orgs o where o.slug = $2), 'r-' || id, repeat('n', 255), repeat('d', 4096), 'STAGING',
       now(), now() from unnest($1::uuid[]) as id`,
    [roles, slug],
  );
  await database.query(
    `insert into role_packs (role_id, pack_id, org_id, attached_at)
     select r, p, (select o.id from orgs o where o.slug = $3), now()
     from unnest($1::uuid[]) as r cross join unnest($2::uuid[]) as p`,
    [roles, packs, slug],
  );
}
