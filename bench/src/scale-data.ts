/**
 * Fills the tables for the scale runs: one org holds six tenths of everything, the rest is spread over orgs of a
 * hundred packs. To each pack come half a role, two attachments and two audit events.
 */
import { createHash } from 'node:crypto';
import type pg from 'pg';

/** The org that is asked, and what in it. Ids are UUIDs. */
export interface ScaleData {
  readonly packs: number;
  readonly key: string;
  /** Of an org that has a hundred packs whatever the size of the whole. */
  readonly smallKey: string;
  readonly orgId: string;
  /** A thousand packs of the large org, in no order. */
  readonly somePacks: readonly string[];
  /** A thousand of those that four roles use. */
  readonly somePacksInUse: readonly string[];
  /** A pack that 10,000 roles of its org use and three of other orgs; and such with sixty and with ten. */
  readonly packOf10000: string;
  readonly packOf60: string;
  readonly packOf10: string;
}

const HEAVY_ROLES = 10_000;
const KEY = `sk_${'scale-large'.padEnd(40, '0')}`;
const SMALL_KEY = `sk_${'scale-small'.padEnd(40, '0')}`;
const PACKS_OF_SMALL_ORG = 100;

export async function fillForScale(database: pg.Client, packs: number): Promise<ScaleData> {
  const roles = packs / 2;
  // Of each rare kind the large org has forty, whatever the size of the whole.
  const rare = (packs * 0.6) / 40;
  const smallOrgs = (packs * 0.4) / PACKS_OF_SMALL_ORG;
  // Of ten rows six go to org 0; the number within its org is `j`.
  const dealt = (count: number) => `
    select i, case when i % 10 < 6 then 0 else 1 + (i / 10 * 4 + i % 10 - 6) % ${smallOrgs} end as o,
      case when i % 10 < 6 then i / 10 * 6 + i % 10 else (i / 10 * 4 + i % 10 - 6) / ${smallOrgs} end as j,
      uuidv7(make_interval(secs => i - ${count})) as id
    from generate_series(0, ${count - 1}) i`;
  await database.query('begin');
  // Rows that refer to each other are made together here: checking that row by row would take minutes.
  await database.query('set local session_replication_role = replica');
  await database.query(`
    create temp table o on commit drop as
      select i, uuidv7(make_interval(secs => i - 1e8)) as id from generate_series(0, ${smallOrgs}) i;
    create temp table p on commit drop as ${dealt(packs)};
    create temp table r on commit drop as ${dealt(roles)};
    create temp table n on commit drop as select o, count(*) as roles from r group by o;
    create unique index on r (o, j);
    analyze o; analyze p; analyze r; analyze n;
    insert into orgs (id, slug, created_at) select id, 'org-' || i, now() from o;`);
  await database.query(`
    insert into packs (id, org_id, name, version, display_name, description, tier, visibility,
      category, capabilities, suggested_packs, image_origin, repository, image_ref, image_digest,
      size_bytes, status, cleanup_attempts, created_at, updated_at)
    select p.id, o.id, 'pack-' || p.j, '1.' || p.j % 10 || '.0', 'Pack ' || p.j,
      'What an agent needs for task ' || p.j || '.',
      case when p.j % ${rare} = 7 then 'RECOMMENDED' when p.j % 100 = 7 then 'VERIFIED' else 'COMMUNITY' end,
      case when p.j % 50 = 3 then 'COMMUNITY' else 'ORG' end,
      case when p.j % ${rare} = 8 then 'rare' else 'category-' || p.j % 20 end, null,
      array['pack-1', 'pack-2'], case when p.j % ${rare} = 9 then 'CLONE' else 'IMAGE_REF' end,
      'library/pack-' || p.i, 'library/pack-' || p.i || ':1.0.0',
      'sha256:' || encode(sha256(p.i::text::bytea), 'hex'), 1000 + p.i,
      case when p.j % ${rare} = 11 then 'CLEANUP_FAILED' else 'ACTIVE' end, 0,
      uuid_extract_timestamp(p.id), uuid_extract_timestamp(p.id)
    from p join o on o.i = p.o order by p.i`);
  await database.query(`
    insert into agent_roles (id, org_id, name, display_name, description, environment, archived_at,
      created_at, updated_at)
    select r.id, o.id, 'role-' || r.j, 'Role ' || r.j, null, 'PRODUCTION',
      case when r.j % 10 = 0 then now() end, uuid_extract_timestamp(r.id), uuid_extract_timestamp(r.id)
    from r join o on o.i = r.o order by r.i`);
  // None to four roles a pack, two on average.
  await database.query(`
    create temp table h on commit drop as
      select p.id as pack_id, p.o, (p.j * 3 + t * 11) % n.roles as j
      from p join n on n.o = p.o cross join lateral generate_series(1, p.j % 5) t;
    analyze h;
    insert into role_packs (role_id, pack_id, org_id, attached_at)
    select r.id, h.pack_id, o.id, now()
    from h join r on r.o = h.o and r.j = h.j join o on o.i = h.o`);
  await database.query(`
    insert into audit_events (id, org_id, type, actor, subject_id, request_id, details, created_at)
    select uuidv7(make_interval(secs => p.i + e * 0.5 - ${packs})), o.id,
      case when e = 1 then 'PACK_ATTACHED' when p.j % ${rare} = 5 then 'PACK_VISIBILITY_CHANGED' else 'PACK_CREATED' end,
      'key_scale', 'pack_' || p.id, 'request-' || p.i, '{"name": "pack", "version": "1.0.0"}',
      uuid_extract_timestamp(p.id)
    from p join o on o.i = p.o cross join generate_series(0, 1) e order by p.i, e`);
  const [packOf10000, packOf60, packOf10] = await addHeldPacks(database);
  for (const [org, key] of [
    [0, KEY],
    [1, SMALL_KEY],
  ] as const) {
    await database.query(
      `insert into api_keys (id, org_id, label, prefix, secret_hash, permission_set, created_at)
       select uuidv7(), id, 'scale', 'sk_scale', $2, 'OWNER', now() from o where i = $1`,
      [org, createHash('sha256').update(key).digest()],
    );
  }
  const sample = async (where: string) => {
    const { rows } = await database.query<{ id: string }>(
      `select id from p where o = 0 and ${where} order by md5(i::text) limit 1000`,
    );
    return rows.map(({ id }) => id);
  };
  const { rows } = await database.query<{ id: string }>('select id from o where i = 0');
  const data = {
    packs,
    key: KEY,
    smallKey: SMALL_KEY,
    orgId: rows[0]?.id ?? '',
    somePacks: await sample('true'),
    somePacksInUse: await sample('j % 5 = 4'),
    packOf10000,
    packOf60,
    packOf10,
  };
  await database.query('commit');
  await database.query('vacuum analyze');
  return data;
}

/** Their roles are older than all others, so that they do not change what a first page of roles holds. */
async function addHeldPacks(database: pg.Client): Promise<[string, string, string]> {
  const ids: [string, string, string] = ['', '', ''];
  for (const [index, count] of [HEAVY_ROLES, 60, 10].entries()) {
    const { rows } = await database.query<{ id: string }>(
      `with pack as (
         insert into packs (id, org_id, name, version, display_name, tier, visibility, suggested_packs,
           image_origin, repository, image_ref, size_bytes, status, cleanup_attempts, created_at,
           updated_at)
         select uuidv7(interval '-1000 days'), id, $1, '1.0.0', $1, 'COMMUNITY', 'COMMUNITY', '{}',
           'IMAGE_REF', 'library/held', 'library/held:1.0.0', 1, 'ACTIVE', 0, now(), now()
         from o where i = 0 returning id
       ), roles as (
         insert into agent_roles (id, org_id, name, display_name, environment, created_at, updated_at)
         select uuidv7(interval '-1000 days' + make_interval(secs => n)), o.id, $1 || '-' || n,
           'Holder ' || n, 'PRODUCTION', now(), now()
         from generate_series(1, $2::int + 3) n
         join o on o.i = case when n <= $2 then 0 else n - $2 end returning id, org_id
       ), held as (
         insert into role_packs (role_id, pack_id, org_id, attached_at)
         select roles.id, pack.id, roles.org_id, now() from roles, pack
       )
       select id from pack`,
      [`held-by-${count}`, count],
    );
    ids[index] = rows[0]?.id ?? '';
  }
  return ids;
}
