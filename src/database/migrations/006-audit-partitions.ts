import { Migration } from '@mikro-orm/migrations';

/**
 * Audit events lie in partitions by month: ranges of the id, which begins with the time (UUIDv7). Together the ranges
 * leave no gap, so no insert fails: what is older than the first month is in `audit_events_earlier`, what nobody has made
 * a month for in `audit_events_later`. A default partition would do as well, but with one PostgreSQL takes no partition to
 * be in the order of the ids, and every page would begin in all of them.
 */
export class Migration006AuditPartitions extends Migration {
  override up(): void {
    this.addSql(OLD_TABLE_ASIDE);
    this.addSql(DELETIONS);
    for (const statement of PARENT) this.addSql(statement);
    this.addSql(RIGHTS);
    for (const statement of FUNCTIONS) this.addSql(statement);
    this.addSql(OWN_SCHEMA);
    this.addSql(OLD_TABLE_ATTACHED);
  }
}

/** What is there stays where it lies, and is the first partition. */
const OLD_TABLE_ASIDE = `
  do $$
  declare
    index text;
  begin
    alter table audit_events rename to audit_events_earlier;
    foreach index in array array['pkey', 'org_newest', 'org_type', 'org_subject'] loop
      execute format('alter index audit_events_%s rename to audit_events_earlier_%s', index, index);
    end loop;
    drop index audit_events_deleted_once;
    drop trigger audit_events_announce on audit_events_earlier;
  end $$`;

/**
 * That a pack is deleted once: no unique index over partitions could say so without their key. Written by the statement
 * that writes the event, and by it alone.
 */
const DELETIONS = `
  do $$
  begin
    create table pack_deletions (
      subject_id text not null,
      constraint audit_events_deleted_once primary key (subject_id)
    );
    insert into pack_deletions select subject_id from audit_events_earlier where type = 'PACK_DELETED';
    create function pack_deletions_pack_deletions_final_fn() returns trigger language plpgsql as
      $fn$ begin raise exception 'a deletion is never forgotten'; end; $fn$;
    create trigger pack_deletions_final before update or delete on pack_deletions
      for each statement execute function pack_deletions_pack_deletions_final_fn();
    create trigger pack_deletions_kept before truncate on pack_deletions
      for each statement execute function pack_deletions_pack_deletions_final_fn();
  end $$`;

const PARENT = [
  `create table audit_events (
    id uuid not null,
    org_id uuid not null,
    type text not null,
    actor text not null,
    subject_id text not null,
    request_id text not null,
    details jsonb not null,
    created_at timestamptz(3) not null,
    constraint audit_events_pkey primary key (id),
    constraint audit_events_org_id_foreign foreign key (org_id) references orgs (id),
    constraint audit_events_type_check check (type in (
      'PACK_UPLOADED', 'PACK_CREATED', 'PACK_IMAGE_REPLACED', 'PACK_ARCHIVE_REPLACED',
      'PACK_FILE_REPLACED', 'PACK_FILE_DELETED', 'PACK_VISIBILITY_CHANGED', 'PACK_CLONED',
      'PACK_ATTACHED', 'PACK_DETACHED', 'PACK_DELETION_STARTED', 'PACK_CLEANUP_FAILED',
      'PACK_DELETED', 'AGENT_ROLE_CREATED', 'AGENT_ROLE_UPDATED', 'AGENT_ROLE_ARCHIVED',
      'AGENT_ROLE_UNARCHIVED', 'API_KEY_CREATED', 'API_KEY_REVOKED', 'AUDIT_PRUNED'
    ))
  ) partition by range (id)`,
  'create index audit_events_org_newest on audit_events (org_id, id)',
  'create index audit_events_org_type on audit_events (org_id, type, id)',
  'create index audit_events_org_subject on audit_events (org_id, subject_id, id)',
  `create trigger audit_events_announce after insert on audit_events
    for each row execute function audit_events_audit_events_announce_fn()`,
  `create trigger audit_events_final before update or delete on audit_events
    for each statement execute function audit_events_audit_events_final_fn()`,
  `create trigger audit_events_kept before truncate on audit_events
    for each statement execute function audit_events_audit_events_final_fn()`,
  // With the rights of the tables' owner: the service itself may neither write nor remove what is remembered here.
  `create function audit_events_audit_events_deleted_once_fn() returns trigger language plpgsql security definer as
    $$ begin insert into pack_deletions (subject_id) values (new.subject_id); return null; end; $$`,
  `create trigger audit_events_deleted_once after insert on audit_events
    for each row when (new.type = 'PACK_DELETED') execute function audit_events_audit_events_deleted_once_fn()`,
];

/** Whoever may read and write events may do so still, and the tables' owner stays it. */
const RIGHTS = `
  do $$
  declare
    was pg_class;
    allowed record;
  begin
    select * into was from pg_class where oid = 'audit_events_earlier'::regclass;
    for allowed in select * from aclexplode(was.relacl) a where a.grantee <> was.relowner loop
      execute format('grant %s on audit_events to %s%s', allowed.privilege_type,
        case allowed.grantee when 0 then 'public' else allowed.grantee::regrole::text end,
        case when allowed.is_grantable then ' with grant option' else '' end);
    end loop;
    if was.relowner <> (select relowner from pg_class where oid = 'audit_events'::regclass) then
      execute format('alter table audit_events owner to %s', was.relowner::regrole);
      execute format('alter table pack_deletions owner to %s', was.relowner::regrole);
      execute format('alter function audit_events_audit_events_deleted_once_fn() owner to %s', was.relowner::regrole);
    end if;
  end $$`;

const FUNCTIONS = [
  `create function audit_uuid_at(moment timestamptz) returns uuid language sql immutable as
    $$ select (lpad(to_hex((extract(epoch from moment) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid $$`,

  `create function audit_moment_of(id uuid) returns timestamptz language sql immutable as
    $$ select to_timestamp(('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint / 1000.0) $$`,

  // In the order of time; null: without end.
  `create function audit_partitions() returns table (name text, begins uuid, ends uuid) language sql stable as $$
    select c.relname::text,
      (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'FROM [(]''(.{36})''[)]'))[1]::uuid,
      (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO [(]''(.{36})''[)]'))[1]::uuid
    from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'audit_events'::regclass order by 2 nulls first $$`,

  // Triggers of statements are no partition's by inheritance.
  `create function add_audit_partition(name text, begins uuid, ends uuid) returns void language plpgsql as $$
    begin
      if to_regclass(quote_ident(name)) is null then
        execute format('create table %I (like audit_events including all)', name);
        execute format('create trigger audit_events_final before update or delete on %I
          for each statement execute function audit_events_audit_events_final_fn()', name);
        execute format('create trigger audit_events_kept before truncate on %I
          for each statement execute function audit_events_audit_events_final_fn()', name);
      end if;
      execute format('alter table audit_events attach partition %I for values from (%s) to (%s)', name,
        coalesce(quote_literal(begins), 'minvalue'), coalesce(quote_literal(ends), 'maxvalue'));
    end $$`,

  // A lock on the whole log is given up at once, for every change waits behind whoever waits for it.
  `create function keep_audit_partitions(months_ahead int) returns int language plpgsql security definer
    set timezone to 'UTC' set lock_timeout to '200ms' as $$
    declare
      wanted timestamptz := date_trunc('month', now()) + (months_ahead + 1) * interval '1 month';
      month timestamptz;
      following timestamptz;
      newest uuid;
      made int := 0;
    begin
      if not exists (select from audit_partitions() where ends is null and audit_moment_of(begins) < wanted) then
        return 0;
      end if;
      lock table only audit_events in access exclusive mode;
      -- Somebody else may have been faster.
      select audit_moment_of(begins) into month from audit_partitions() where ends is null;
      if month >= wanted then return 0; end if;
      select id into newest from audit_events_later order by id desc limit 1;
      alter table audit_events detach partition audit_events_later;
      if newest is null then
        drop table audit_events_later;
      else
        -- Nobody made any for long: what is there stays where it lies.
        execute format('alter table audit_events_later rename to %I', to_char(month, '"audit_events_"YYYY_MM'));
        following := date_trunc('month', audit_moment_of(newest)) + interval '1 month';
        perform add_audit_partition(to_char(month, '"audit_events_"YYYY_MM'), audit_uuid_at(month), audit_uuid_at(following));
        month := following;
      end if;
      while month < wanted loop
        following := month + interval '1 month';
        perform add_audit_partition(to_char(month, '"audit_events_"YYYY_MM'), audit_uuid_at(month), audit_uuid_at(following));
        month := following;
        made := made + 1;
      end loop;
      perform add_audit_partition('audit_events_later', audit_uuid_at(month), null);
      return made;
    end $$`,

  `create function record_audit_pruned(pruned_org uuid, removed int, older_than timestamptz, run text)
    returns int language plpgsql as $$
    begin
      insert into audit_events (id, org_id, type, actor, subject_id, request_id, details, created_at)
      values (
        (lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0') || '7'
          || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid,
        pruned_org, 'AUDIT_PRUNED', 'retention', 'org_' || pruned_org, run,
        jsonb_build_object('removed', removed, 'olderThan', to_char(older_than at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')),
        clock_timestamp());
      return removed;
    end $$`,

  // Drops the oldest partition that is past as a whole, with what is empty before it; null: there is none.
  `create function drop_audit_partition(older_than timestamptz, run text) returns int language plpgsql security definer
    set timezone to 'UTC' set lock_timeout to '5s' as $$
    declare
      part record;
      names text[] := '{}';
      last uuid;
      removed int := 0;
    begin
      if older_than > now() - interval '1 day' then
        raise exception 'audit events are kept for a day at least';
      end if;
      perform pg_advisory_xact_lock(4207112025);
      for part in select name, ends from audit_partitions() where ends <= audit_uuid_at(older_than) order by ends loop
        -- Nobody writes there any more, and whoever reads does not wait for this one.
        execute format('lock table %I in share row exclusive mode', part.name);
        execute format('with gone as (select org_id, count(*)::int as count from %I group by org_id)
          select coalesce(sum(record_audit_pruned(org_id, count, $1, $2)), 0) from gone', part.name)
          into removed using older_than, run;
        names := names || part.name;
        last := part.ends;
        exit when removed > 0;
      end loop;
      if removed = 0 and cardinality(names) < 2 then return null; end if;
      perform set_config('lock_timeout', '200ms', true);
      lock table only audit_events in access exclusive mode;
      execute (select 'drop table ' || string_agg(quote_ident(n), ', ') from unnest(names) n);
      perform add_audit_partition('audit_events_earlier', null, last);
      return removed;
    end $$`,

  `create or replace function prune_audit_events(pruned_org uuid, older_than timestamptz, most int, run text)
    returns int language plpgsql security definer as $$
    declare
      removed int;
      bound uuid := audit_uuid_at(older_than);
    begin
      if older_than > now() - interval '1 day' then
        raise exception 'audit events are kept for a day at least';
      end if;
      perform set_config('pack_gateway.pruning', 'on', true);
      delete from audit_events where id < bound and id = any (array(
        select id from audit_events where org_id = pruned_org and id < bound order by id limit most
      ));
      get diagnostics removed = row_count;
      perform set_config('pack_gateway.pruning', 'off', true);
      if removed > 0 then perform record_audit_pruned(pruned_org, removed, older_than, run); end if;
      return removed;
    end $$`,
];

/** What works with the owner's rights finds the service's tables alone, and nobody's temporary ones before them. */
const OWN_SCHEMA = `
  do $$
  declare
    function text;
  begin
    foreach function in array array[
      'keep_audit_partitions(int)', 'drop_audit_partition(timestamptz, text)',
      'prune_audit_events(uuid, timestamptz, int, text)', 'audit_events_audit_events_deleted_once_fn()'
    ] loop
      execute format('alter function %s set search_path to %I, pg_temp', function, current_schema());
    end loop;
  end $$`;

/** To the end of the month of its last event. PostgreSQL reads all of it, unless a constraint says the same. */
const OLD_TABLE_ATTACHED = `
  do $$
  declare
    following timestamptz;
  begin
    perform set_config('TimeZone', 'UTC', true);
    select date_trunc('month', greatest(now(), audit_moment_of(
      (select id from audit_events_earlier order by id desc limit 1)))) + interval '1 month' into following;
    perform add_audit_partition('audit_events_earlier', null, audit_uuid_at(following));
    perform add_audit_partition('audit_events_later', audit_uuid_at(following), null);
    perform keep_audit_partitions(3);
  end $$`;
