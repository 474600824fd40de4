/**
 * Two orgs in one gateway. The victim's every text holds "canary"; the prober has one of everything, shares a pack,
 * and uses the pack that the victim shares. Made in this order: what is newest, the victim's, comes first in any list.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PermissionSet } from '../../../src/model/api-key.entity.ts';
import { importPlatformPack } from '../../../src/packs/import-platform-pack.ts';
import { samplePack } from '../../support/archives.ts';
import { attachPack, role } from '../../support/deletion.ts';
import { type DatabaseKind, type Gateway, type Json, startGateway } from '../../support/gateway.ts';
import { OWNER_KEY } from '../../support/owner-key.ts';
import { type Dump, dump } from './dump.ts';
import { lookalikes, tokensOf } from './tokens.ts';

export const VICTIM = 'canary-org';

export interface World {
  readonly gateway: Gateway;
  readonly victimKey: string;
  /** The prober's keys, by what they may do. */
  readonly keys: Readonly<Record<PermissionSet, string>>;
  /** Valid ids of the prober's own, where a request needs more than the id that it probes with. */
  readonly own: {
    /** Attached to `role`. */
    readonly pack: string;
    readonly role: string;
    readonly key: string;
    readonly shared: string;
    readonly free: string;
  };
  /** The victim's community pack: may be read, never changed. */
  readonly communityPack: { readonly id: string; readonly imageRef: string };
  /** What to probe with, by what it is. */
  readonly foreign: Readonly<Record<'id' | 'cursor' | 'image' | 'text', readonly string[]>>;
  /** What must be in no answer to the prober and in no log line of his requests. */
  readonly secrets: readonly string[];
}

export async function createWorld(database: DatabaseKind): Promise<World> {
  const gateway = await startGateway({ database });
  const { query } = gateway.app.world.database;
  const prober = await proberOf(gateway);
  const victimKey = await gateway.org(VICTIM);
  // Nobody else's archive has the same digest.
  const canary = { 'data/canary.txt': 'canary-content' };
  // What is shared may be read, down to its files.
  const shareable = { 'data/shared.txt': 'shared-content' };
  const pack = async (name: string, visibility = 'ORG') => {
    const files = visibility === 'ORG' ? canary : shareable;
    return (await gateway.upload(samplePack({ name, files }), { key: victimKey, visibility })).pack;
  };
  const live = await pack('canary-live');
  const deleting = await pack('canary-deleting');
  const failed = await pack('canary-failed');
  const shared = await pack('shared-by-another', 'COMMUNITY');
  const platform = await platformPack(gateway);
  const held = [live.id, shared.id, prober.own.shared, platform];
  const liveRole = await role(gateway, 'canary-role', held, victimKey);
  const archived = await role(gateway, 'canary-archived', held, victimKey);
  await gateway.graphql(
    'mutation ($id: ID!) { archiveAgentRole(id: $id) { __typename } }',
    { id: archived },
    victimKey,
  );
  for (const set of ['FULL_ACCESS', 'READ_ONLY'] as const) await gateway.key(set, VICTIM);
  await attachPack(gateway, prober.own.role, shared.id);
  const [org] = await query<{ id: string }>('select id from orgs where slug = $1', [VICTIM]);
  if (org === undefined) throw new Error('the victim has no org');
  const change = (sql: string) => query(sql, [org.id]);
  await change(`update packs set display_name = 'Canary display', version = '1.0.0-canary', description = 'canary-description',
    category = 'canary-category', capabilities = 'canary-capabilities', suggested_packs = '{canary-suggested}'
    where org_id = $1 and visibility = 'ORG'`);
  await change(
    `update packs set status = 'DELETING' where org_id = $1 and name = 'canary-deleting'`,
  );
  await change(`update packs set status = 'CLEANUP_FAILED', cleanup_reason = 'TIMEOUT', cleanup_attempts = 3,
    cleanup_message = 'canary-cleanup', cleanup_failed_at = now() where org_id = $1 and name = 'canary-failed'`);
  await change(`update agent_roles set display_name = 'canary-role-display', description = 'canary-role-about'
    where org_id = $1`);
  await change(
    `update api_keys set label = 'canary-label', prefix = 'sk_canary' where org_id = $1`,
  );
  await change(`insert into api_keys (id, org_id, label, prefix, secret_hash, permission_set, created_at, revoked_at)
    values (gen_random_uuid(), $1, 'canary-revoked', 'sk_canary', '\\x00', 'READ_ONLY', now(), now())`);
  await change(`insert into audit_events (id, org_id, type, actor, subject_id, request_id, details, created_at)
    values (gen_random_uuid(), $1, 'PACK_DELETED', 'canary-user', 'canary-subject', 'canary-request',
      '{"name": "canary-detail"}', now())`);

  const victims = await dump(gateway, VICTIM);
  const visible = [platform, shared.id, shared.imageDigest, ...own(await dump(gateway, 'default'))];
  const allowed = new Set(tokensOf(visible));
  const secrets = tokensOf(own(victims)).filter((token) => !allowed.has(token));
  const keys = uuidsOf(victims.api_keys).map((uuid) => `key_${uuid}`);
  const events = uuidsOf(victims.audit_events).map((uuid) => `evt_${uuid}`);
  const id = [live.id, deleting.id, failed.id, liveRole, archived, `org_${org.id}`];
  return {
    gateway,
    victimKey,
    ...prober,
    communityPack: { id: shared.id, imageRef: shared.imageRef },
    foreign: {
      id: [...id, ...keys.slice(-2), ...events.slice(-1)],
      cursor: [live.id, liveRole, ...keys.slice(-1), ...events.slice(-1)].map((one) =>
        Buffer.from(one.slice(one.indexOf('_') + 1)).toString('base64url'),
      ),
      image: [live, failed].flatMap(({ imageRef, imageDigest }) => [
        imageRef,
        imageRef.replace(/:[^:/]*$/, `@${imageDigest}`),
      ]),
      text: ['canary-live', 'canary-role', VICTIM, 'canary-category'],
    },
    secrets: secrets.flatMap(lookalikes),
  };
}

async function proberOf(gateway: Gateway): Promise<Pick<World, 'keys' | 'own'>> {
  const used = await gateway.pack('own-used');
  const shared = await gateway.pack('own-shared', { visibility: 'COMMUNITY' });
  const free = await gateway.pack('own-free');
  const ownRole = await role(gateway, 'own-role', [used.id, shared.id]);
  const keys = {
    OWNER: OWNER_KEY,
    FULL_ACCESS: await gateway.key('FULL_ACCESS'),
    READ_ONLY: await gateway.key('READ_ONLY'),
  };
  const viewer: Json = await gateway.graphql('{ viewer { apiKey { id } } }', {}, keys.READ_ONLY);
  return {
    keys,
    own: {
      pack: used.id,
      role: ownRole,
      key: viewer.data.viewer.apiKey.id,
      shared: shared.id,
      free: free.id,
    },
  };
}

async function platformPack({ app, dataDirectory }: Gateway): Promise<string> {
  const archive = join(dataDirectory, 'platform.tar.gz');
  writeFileSync(archive, samplePack({ name: 'platform' }));
  const outcome = await importPlatformPack(app.world, { archive, tier: 'RECOMMENDED' });
  if (outcome.kind !== 'imported') throw new Error(JSON.stringify(outcome));
  return outcome.id;
}

const own = (rows: Dump): string[] => Object.values(rows).flat();

/** The ids of dumped rows, oldest first. */
const uuidsOf = (rows: readonly string[] = []): string[] =>
  rows.map((row) => String(JSON.parse(row).id)).sort();
