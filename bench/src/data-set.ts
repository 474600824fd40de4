/** Fills the tables by SQL; every org gets the same number of packs, roles and attachments. */
import { createHash } from 'node:crypto';
import type pg from 'pg';
import type { Options } from './options.ts';

/** One org is read, another one deleted from, so that deletions leave no gaps where the reads go. */
export interface DataSet {
  readonly orgId: string;
  readonly key: string;
  /** Packs of the org, as UUIDs. */
  readonly packs: readonly string[];
  /** Those that four roles reference. */
  readonly packsInUse: readonly string[];
  readonly deletingOrgId: string;
  readonly deletingKey: string;
}

const KEY = `sk_${'bench-read'.padEnd(40, '0')}`;
const DELETING_KEY = `sk_${'bench-delete'.padEnd(40, '0')}`;

export async function fill(
  database: pg.Client,
  { orgs, packs, roles }: Pick<Options, 'orgs' | 'packs' | 'roles'>,
): Promise<DataSet> {
  await database.query('begin');
  await database.query(`
    create temp table o on commit drop as
      select i, uuidv7(make_interval(secs => i - ${orgs} - 1e7)) as id
      from generate_series(0, ${orgs - 1}) i;
    create temp table p on commit drop as
      select i, i / ${orgs} as j, uuidv7(make_interval(secs => i - ${packs})) as id
      from generate_series(0, ${packs - 1}) i;
    create temp table r on commit drop as
      select i, i / ${orgs} as j, i % ${orgs} as o,
        uuidv7(make_interval(secs => i - ${roles})) as id
      from generate_series(0, ${roles - 1}) i;
    create unique index on r (o, j);
    analyze o; analyze p; analyze r;
    insert into orgs (id, slug, created_at) select id, 'org-' || i, now() from o;`);
  await database.query(`
    insert into packs (id, org_id, name, version, display_name, description, tier, visibility,
      category, capabilities, suggested_packs, image_origin, repository, image_ref, image_digest,
      size_bytes, status, cleanup_attempts, created_at, updated_at)
    select p.id, o.id, 'pack-' || p.j, '1.' || p.j % 10 || '.0', 'Pack ' || p.j,
      'What an agent needs for task ' || p.j || '.',
      (array['RECOMMENDED', 'VERIFIED', 'COMMUNITY'])[1 + p.j % 3], 'ORG', 'operations', null,
      array['pack-1', 'pack-2'], 'IMAGE_REF', 'library/pack-' || p.i,
      'library/pack-' || p.i || ':1.0.0', 'sha256:' || encode(sha256(p.i::text::bytea), 'hex'),
      1000 + p.i, 'ACTIVE', 0, uuid_extract_timestamp(p.id), uuid_extract_timestamp(p.id)
    from p join o on o.i = p.i % ${orgs} order by p.i`);
  await database.query(`
    insert into agent_roles (id, org_id, name, display_name, description, environment, archived_at,
      created_at, updated_at)
    select r.id, o.id, 'role-' || r.j, 'Role ' || r.j, null, 'PRODUCTION', null,
      uuid_extract_timestamp(r.id), uuid_extract_timestamp(r.id)
    from r join o on o.i = r.o order by r.i`);
  // None to four roles a pack, two on average.
  await database.query(`
    insert into role_packs (role_id, pack_id, org_id, attached_at)
    select r.id, p.id, o.id, now()
    from p join o on o.i = p.i % ${orgs}
    cross join lateral generate_series(1, p.j % 5) t
    join r on r.o = o.i and r.j = (p.j * 3 + t * 101) % ${Math.floor(roles / orgs)}`);
  for (const [org, key] of [
    [0, KEY],
    [orgs - 1, DELETING_KEY],
  ] as const) {
    await database.query(
      `insert into api_keys (id, org_id, label, prefix, secret_hash, permission_set, created_at)
       select uuidv7(), id, 'bench', 'sk_bench', $2, 'FULL_ACCESS', now() from o where i = $1`,
      [org, createHash('sha256').update(key).digest()],
    );
  }
  const ids = await database.query<{ id: string; org_id: string; used: boolean }>(
    `select p.id, o.id as org_id, p.j % 5 = 4 as used from p join o on o.i = p.i % ${orgs}
     where o.i = 0 order by p.i`,
  );
  const deleting = await database.query<{ id: string }>('select id from o where i = $1', [
    orgs - 1,
  ]);
  await database.query('commit');
  await database.query('vacuum analyze');
  return {
    orgId: ids.rows[0]?.org_id ?? '',
    key: KEY,
    packs: ids.rows.map(({ id }) => id),
    packsInUse: ids.rows.filter(({ used }) => used).map(({ id }) => id),
    deletingOrgId: deleting.rows[0]?.id ?? '',
    deletingKey: DELETING_KEY,
  };
}

/** Adds packs that nothing references and that were not uploaded; answers their UUIDs. */
export async function addDeletablePacks(
  database: pg.Client,
  orgId: string,
  count: number,
): Promise<string[]> {
  const { rows } = await database.query<{ id: string }>(
    `insert into packs (id, org_id, name, version, display_name, tier, visibility, suggested_packs,
       image_origin, repository, image_ref, image_digest, size_bytes, status, cleanup_attempts,
       created_at, updated_at)
     select id, $1, 'spare-' || right(id::text, 12) || '-' || i, '1.0.0', 'Spare', 'COMMUNITY', 'ORG',
       '{}', 'IMAGE_REF', 'library/spare', 'library/spare:1.0.0', null, 1, 'ACTIVE', 0, now(), now()
     from (select i, uuidv7() as id from generate_series(1, $2) i) s returning id`,
    [orgId, count],
  );
  return rows.map(({ id }) => id);
}

/** Takes away what a run of deletions left over, and the dead rows that it made. */
export async function removeDeletablePacks(database: pg.Client, orgId: string): Promise<void> {
  await database.query(`delete from packs where org_id = $1 and name like 'spare-%'`, [orgId]);
  await database.query('vacuum packs');
}
