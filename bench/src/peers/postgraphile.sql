-- What a PostGraphile user adds to the tables: row-level security by the caller's org, and a custom mutation as a
-- database function. The other servers connect as the tables' owner, whom row-level security leaves alone.
create role bench_caller nologin;
grant usage on schema public to bench_caller;
grant select on packs, agent_roles, role_packs to bench_caller;

alter table packs enable row level security;
alter table agent_roles enable row level security;
alter table role_packs enable row level security;
create policy visible on packs for select to bench_caller using (
  org_id = (select current_setting('app.org_id')::uuid) or visibility = 'COMMUNITY' or org_id is null
);
create policy own on agent_roles for select to bench_caller
  using (org_id = (select current_setting('app.org_id')::uuid));
create policy own on role_packs for select to bench_caller
  using (org_id = (select current_setting('app.org_id')::uuid));

create type removal as (outcome text, pack_id uuid, pack_name text, roles jsonb);

create function remove_pack(pack_id uuid, roles_shown int) returns removal
language plpgsql volatile security definer set search_path = public as $$
declare
  caller_org uuid := current_setting('app.org_id')::uuid;
  pack packs;
  blockers jsonb;
begin
  if current_setting('app.may_write') <> 'true' then
    raise exception 'not allowed';
  end if;
  select * into pack from packs p where p.id = remove_pack.pack_id and p.org_id = caller_org for update;
  if not found then
    return ('not_found', null, null, null)::removal;
  end if;
  select jsonb_agg(b) into blockers from (
    select r.id, r.name, r.display_name as "displayName" from role_packs a
    join agent_roles r on r.id = a.role_id
    where a.pack_id = pack.id and a.org_id = caller_org order by a.role_id desc limit roles_shown
  ) b;
  if blockers is not null then
    return ('in_use', pack.id, pack.name, blockers)::removal;
  end if;
  delete from packs p where p.id = pack.id and p.org_id = caller_org;
  insert into audit_events (id, org_id, type, actor, subject_id, request_id, details, created_at)
  values (uuidv7(), caller_org, 'PACK_DELETED', current_setting('app.actor'), 'pack_' || pack.id,
    gen_random_uuid()::text, jsonb_build_object('name', pack.name), now());
  return ('deleted', pack.id, pack.name, null)::removal;
end $$;
