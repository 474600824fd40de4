/**
 * Fills a PostgreSQL database with orgs of very different sizes: `default` holds six tenths of 20,000 packs, two
 * hundred others share the rest. Large enough that PostgreSQL would read a whole table where no index fits.
 */
import pg from 'pg';

const PACKS = 20_000;
const ROLES = PACKS / 2;
const OTHER_ORGS = 200;

/** @param url of a migrated database */
export async function fillWithRealisticData(url: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  await client.query(`
    -- The service has been there for some months.
    drop table audit_events_earlier;
    select add_audit_partition('audit_events_earlier', null, audit_uuid_at(m - interval '3 months')),
      (select count(add_audit_partition(to_char(m - n * interval '1 month', '"audit_events_"YYYY_MM'),
        audit_uuid_at(m - n * interval '1 month'), audit_uuid_at(m - (n - 1) * interval '1 month')))
       from generate_series(0, 3) n)
    from date_trunc('month', now(), 'UTC') m;
    begin;
    -- The rows fit together; checking each of them would take most of the time.
    set local session_replication_role = replica;
    create temp table o on commit drop as
      select 0 as i, id from orgs where slug = 'default'
      union all select i, uuidv7() from generate_series(1, ${OTHER_ORGS}) i;
    insert into orgs (id, slug, created_at) select id, 'org-' || i, now() from o where i > 0;
    create temp table p on commit drop as
      select i, case when i % 10 < 6 then 0 else 1 + i % ${OTHER_ORGS} end as o,
        uuidv7(make_interval(secs => i - ${PACKS})) as id
      from generate_series(1, ${PACKS}) i;
    create temp table r on commit drop as
      select i, case when i % 10 < 6 then 0 else 1 + i % ${OTHER_ORGS} end as o,
        uuidv7(make_interval(secs => i - ${ROLES})) as id
      from generate_series(1, ${ROLES}) i;
    analyze o; analyze p; analyze r;
    insert into packs (id, org_id, name, version, display_name, description, tier, visibility,
      category, capabilities, suggested_packs, image_origin, repository, image_ref, image_digest,
      size_bytes, status, cleanup_attempts, created_at, updated_at)
    select p.id, case when p.i % 1500 = 6 then null else o.id end, 'pack-' || p.i, '1.0.0',
      'Pack ' || p.i, 'What an agent needs for a task.',
      (array['RECOMMENDED', 'VERIFIED', 'COMMUNITY'])[1 + p.i % 3],
      case when p.i % 50 = 8 then 'COMMUNITY' else 'ORG' end, 'category-' || p.i % 30, null, '{}',
      (array['UPLOAD', 'IMAGE_REF', 'CLONE'])[1 + p.i % 3], 'packs/pack-' || p.i,
      'packs/pack-' || p.i || ':1.0.0', 'sha256:' || encode(sha256(p.i::text::bytea), 'hex'), 1000,
      case when p.i % 1000 = 1 then 'CLEANUP_FAILED' else 'ACTIVE' end, 0, now(), now()
    from p join o on o.i = p.o;
    insert into agent_roles (id, org_id, name, display_name, description, environment, archived_at,
      created_at, updated_at)
    select r.id, o.id, 'role-' || r.i, 'Role', null, 'PRODUCTION',
      case when r.i % 7 = 0 then now() end, now(), now()
    from r join o on o.i = r.o;
    insert into role_packs (role_id, pack_id, org_id, attached_at)
    select r.id, p.id, o.id, now()
    from p cross join lateral (values (p.i % ${ROLES}), ((p.i + 600) % ${ROLES})) as held (i)
    join r on r.i = held.i and r.o = p.o
    join o on o.i = r.o;
    insert into audit_events (id, org_id, type, actor, subject_id, request_id, details, created_at)
    select uuidv7(make_interval(secs => p.i - ${PACKS})), o.id,
      (array['PACK_CREATED', 'PACK_ATTACHED', 'PACK_DETACHED'])[n], 'key', 'pack_' || p.id,
      'request', '{}', now()
    from p join o on o.i = p.o cross join generate_series(1, 2) n;
    insert into audit_events (id, org_id, type, actor, subject_id, request_id, details, created_at)
    select uuidv7(make_interval(months => -m, secs => -n)), o.id,
      (array['PACK_CREATED', 'PACK_ATTACHED', 'PACK_DETACHED'])[n], 'key', 'role_' || r.id, 'request', '{}', now()
    from r join o on o.i = r.o cross join generate_series(1, 3) m cross join generate_series(1, 2) n;
    insert into api_keys (id, org_id, label, prefix, secret_hash, permission_set, created_at)
    select uuidv7(), o.id, 'key ' || n, 'sk_test', sha256((o.i || ' ' || n)::bytea), 'READ_ONLY', now()
    from o cross join lateral generate_series(1, case o.i when 0 then 5000 else 20 end) n;
    commit`);
  await client.query('vacuum analyze');
  await client.end();
}
