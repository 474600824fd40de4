import { Migration } from '@mikro-orm/migrations';

export class Migration001Initial extends Migration {
  override up(): void {
    this.addSql(`
      create table orgs (
        id uuid primary key,
        slug varchar(63) not null,
        created_at timestamptz(3) not null,
        constraint orgs_slug_unique unique (slug)
      )`);

    this.addSql(`
      create table packs (
        id uuid primary key,
        org_id uuid null,
        name varchar(63) not null,
        version varchar(255) not null,
        display_name varchar(255) not null,
        description text null,
        tier text not null,
        visibility text not null,
        category varchar(255) null,
        capabilities text null,
        suggested_packs text[] not null,
        image_origin text not null,
        repository text not null,
        image_ref text not null,
        image_digest varchar(71) null,
        size_bytes bigint not null,
        status text not null,
        cleanup_reason text null,
        cleanup_message text null,
        cleanup_failed_at timestamptz(3) null,
        cleanup_attempts int not null,
        created_at timestamptz(3) not null,
        updated_at timestamptz(3) not null,
        constraint packs_name_in_org unique (org_id, name),
        constraint packs_org_id_foreign foreign key (org_id) references orgs (id) on delete restrict,
        constraint packs_tier_check check (tier in ('RECOMMENDED', 'VERIFIED', 'COMMUNITY')),
        constraint packs_visibility_check check (visibility in ('ORG', 'COMMUNITY')),
        constraint packs_image_origin_check check (image_origin in ('UPLOAD', 'IMAGE_REF', 'CLONE')),
        constraint packs_status_check check (status in ('ACTIVE', 'DELETING', 'CLEANUP_FAILED')),
        constraint packs_cleanup_reason_check check (cleanup_reason in ('UNREACHABLE', 'TIMEOUT',
          'UNAUTHORIZED', 'DELETE_UNSUPPORTED', 'RATE_LIMITED', 'REGISTRY_ERROR'))
      )`);
    this.addSql('create index packs_org_newest on packs (org_id, id)');
    this.addSql('create index packs_org_visibility on packs (org_id, visibility, id)');
    this.addSql('create index packs_org_category on packs (org_id, category, id)');
    this.addSql("create index packs_org_unfinished on packs (org_id, id) where status <> 'ACTIVE'");
    this.addSql(
      "create index packs_org_vouched on packs (org_id, tier, id) where tier <> 'COMMUNITY'",
    );
    this.addSql("create index packs_community_newest on packs (id) where visibility = 'COMMUNITY'");
    this.addSql('create index packs_platform_newest on packs (id) where org_id is null');
    this.addSql('create index packs_image on packs (repository, image_digest)');
    this.addSql('create unique index packs_name_of_platform on packs (name) where org_id is null');

    this.addSql(`
      create table agent_roles (
        id uuid primary key,
        org_id uuid not null,
        name varchar(63) not null,
        display_name varchar(255) not null,
        description text null,
        environment text not null,
        archived_at timestamptz(3) null,
        created_at timestamptz(3) not null,
        updated_at timestamptz(3) not null,
        constraint agent_roles_name_in_org unique (org_id, name),
        constraint agent_roles_org_id_foreign foreign key (org_id) references orgs (id),
        constraint agent_roles_environment_check
          check (environment in ('DEVELOPMENT', 'STAGING', 'PRODUCTION'))
      )`);
    this.addSql('create index agent_roles_org_newest on agent_roles (org_id, id)');
    this.addSql(
      'create index agent_roles_org_current on agent_roles (org_id, id) where archived_at is null',
    );

    this.addSql(`
      create table role_packs (
        role_id uuid not null,
        pack_id uuid not null,
        org_id uuid not null,
        attached_at timestamptz(3) not null,
        primary key (role_id, pack_id),
        constraint role_packs_role_id_foreign foreign key (role_id) references agent_roles (id)
          on update cascade on delete cascade,
        constraint role_packs_pack_id_foreign foreign key (pack_id) references packs (id)
          on update cascade on delete restrict,
        constraint role_packs_org_id_foreign foreign key (org_id) references orgs (id)
      )`);
    this.addSql('create index role_packs_by_pack on role_packs (pack_id, org_id, role_id)');

    this.addSql(`
      create table api_keys (
        id uuid primary key,
        org_id uuid not null,
        label varchar(255) not null,
        prefix varchar(16) not null,
        secret_hash bytea not null,
        permission_set text not null,
        created_at timestamptz(3) not null,
        last_used_at timestamptz(3) null,
        revoked_at timestamptz(3) null,
        constraint api_keys_secret_hash_unique unique (secret_hash),
        constraint api_keys_org_id_foreign foreign key (org_id) references orgs (id),
        constraint api_keys_permission_set_check
          check (permission_set in ('FULL_ACCESS', 'READ_ONLY', 'OWNER'))
      )`);
    this.addSql('create index api_keys_org_newest on api_keys (org_id, id)');

    this.addSql(`
      create table audit_events (
        id uuid primary key,
        org_id uuid not null,
        type text not null,
        actor text not null,
        subject_id text not null,
        request_id text not null,
        details jsonb not null,
        created_at timestamptz(3) not null,
        constraint audit_events_org_id_foreign foreign key (org_id) references orgs (id),
        constraint audit_events_type_check check (type in ('PACK_UPLOADED', 'PACK_CREATED',
          'PACK_IMAGE_REPLACED', 'PACK_VISIBILITY_CHANGED', 'PACK_CLONED', 'PACK_ATTACHED',
          'PACK_DETACHED', 'PACK_DELETION_STARTED', 'PACK_CLEANUP_FAILED', 'PACK_DELETED',
          'AGENT_ROLE_CREATED', 'AGENT_ROLE_UPDATED', 'AGENT_ROLE_ARCHIVED',
          'AGENT_ROLE_UNARCHIVED', 'API_KEY_CREATED', 'API_KEY_REVOKED'))
      )`);
    this.addSql('create index audit_events_org_newest on audit_events (org_id, id)');
    this.addSql('create index audit_events_org_type on audit_events (org_id, type, id)');
    this.addSql('create index audit_events_org_subject on audit_events (org_id, subject_id, id)');
    this.addSql(
      "create unique index audit_events_deleted_once on audit_events (subject_id) where type = 'PACK_DELETED'",
    );
    // A log that its own service can rewrite is no evidence.
    this.addSql(`
      create function audit_events_audit_events_final_fn() returns trigger language plpgsql as
      $$ begin raise exception 'audit events are never changed'; end; $$`);
    this.addSql(`
      create trigger audit_events_final before update or delete on audit_events
      for each statement execute function audit_events_audit_events_final_fn()`);

    this.addSql(`
      create table event_listeners (
        org_id uuid not null,
        listener uuid not null,
        expires_at timestamptz(3) not null,
        primary key (org_id, listener)
      )`);
    this.addSql(`
      create function audit_events_audit_events_announce_fn() returns trigger language plpgsql as
      $$ begin if exists (select from event_listeners l where l.org_id = new.org_id and l.expires_at > clock_timestamp()) then perform pg_notify('audit_events', new.org_id || ' ' || new.id); end if; return null; end; $$`);
    this.addSql(`
      create trigger audit_events_announce after insert on audit_events
      for each row execute function audit_events_audit_events_announce_fn()`);

    this.addSql(`
      create table repository_leases (
        repository text primary key,
        holder uuid not null,
        expires_at timestamptz(3) not null
      )`);
  }
}
