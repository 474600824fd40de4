import pg from 'pg';
import { expect, inject, onTestFinished, test } from 'vitest';
import { newUuid } from '../../src/model/ids.ts';
import { samplePack } from '../support/archives.ts';
import { createDatabase } from '../support/databases.ts';
import { deletePackDocument } from '../support/deletion.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { startHostileRegistry } from '../support/hostile-registry.ts';

// Each is planted in one place, and must come out of none.
const canary = {
  ownerKey: 'sk_canary-owner-key-0123456789abcdefghijklm',
  wrongKey: 'sk_canary-wrong-key-0123456789abcdefghijklm',
  registryUser: 'canary-registry-user',
  registryPassword: 'canary-registry-password',
  databasePassword: 'canary-database-password',
  registryBody: 'canary-registry-body /var/lib/registry/docker',
  registryHeader: 'canary-registry-header',
  sql: 'canary_sql',
};

/** A role with a password of its own, who may use the database. */
async function databaseWithPassword(): Promise<string> {
  const url = new URL(await createDatabase());
  const role = `canary_${newUuid().replaceAll('-', '')}`;
  const admin = new pg.Client(url.href);
  await admin.connect();
  await admin.query(`create role ${role} superuser login password '${canary.databasePassword}'`);
  await admin.end();
  onTestFinished(async () => {
    const client = new pg.Client(`${inject('postgres')}/postgres`);
    await client.connect();
    await client.query(`drop role ${role}`);
    await client.end();
  });
  url.username = role;
  url.password = canary.databasePassword;
  return url.href;
}

async function send(
  gateway: Gateway,
  heard: string[],
  path: string,
  init: RequestInit,
  key: string,
) {
  const headers = new Headers(init.headers);
  headers.set('authorization', `Bearer ${key}`);
  const response = await gateway.app.fetch(
    new Request(`http://gateway${path}`, { ...init, headers }),
  );
  heard.push(JSON.stringify([...response.headers]), await response.text());
}

test('no key, password, registry body, SQL or path of this machine is in any answer or log line', async () => {
  const hostile = await startHostileRegistry(({ path }) => {
    const headers = {
      'www-authenticate': `Basic realm="${canary.registryHeader}"`,
      'content-type': 'application/json',
      warning: canary.registryHeader,
    };
    const body = JSON.stringify({
      errors: [{ code: canary.registryBody, message: canary.registryBody, detail: path }],
    });
    return { status: path.includes('uploads') ? 401 : 500, headers, body };
  });
  onTestFinished(() => hostile.stop());
  const gateway = await startGateway({
    environment: {
      DATABASE_URL: await databaseWithPassword(),
      BOOTSTRAP_API_KEY: canary.ownerKey,
      REGISTRY_URL: hostile.url.href,
      REGISTRY_USERNAME: canary.registryUser,
      REGISTRY_PASSWORD: canary.registryPassword,
      REGISTRY_DEADLINE_MS: '500',
    },
  });
  const heard: string[] = [];
  // The template database holds another owner key; this one is the org's second.
  const key = await gateway.key('OWNER');
  const json = { 'content-type': 'application/json' };
  const graphql = (query: string, variables: object, as = key) =>
    send(
      gateway,
      heard,
      '/graphql',
      { method: 'POST', headers: json, body: JSON.stringify({ query, variables }) },
      as,
    );
  const rest = (method: string, path: string, body?: object, as = key) =>
    send(
      gateway,
      heard,
      path,
      { method, headers: json, ...(body && { body: JSON.stringify(body) }) },
      as,
    );

  const id = await plantPack(gateway);
  const reads = async () => {
    await graphql('{ viewer { org { slug } } packs(first: 5) { nodes { id name imageRef } } }', {});
    await graphql(
      '{ agentRoles(first: 5) { nodes { id } } auditEvents(first: 5) { nodes { id details } } }',
      {},
    );
    await rest('GET', '/v1/packs');
    await rest('GET', '/v1/agent-roles');
    await rest('GET', '/v1/audit');
  };
  await graphql('{ viewer { org { slug } } }', {}, canary.wrongKey);
  await rest('GET', '/v1/packs', undefined, canary.wrongKey);
  await reads();
  await graphql(deletePackDocument('... on Error { code message details }'), { id });
  await rest('DELETE', `/v1/packs/${id}`);
  await rest('POST', '/v1/packs', {
    image_ref: `${hostile.url.host}/packs/default/other:1`,
    visibility: 'org',
  });
  const upload = await gateway.upload(samplePack({ name: 'canary-upload' }), { key });
  heard.push(JSON.stringify(upload));
  expect(upload.__typename).toBe('RegistryUnavailable');
  for (const path of ['/readyz', '/healthz', '/metrics', '/v1/openapi.json', '/nothing']) {
    await rest('GET', path);
  }
  // From here on every statement on packs fails, and the driver's error names the statement and what is in it.
  await gateway.app.world.database.query(
    `alter table packs rename column display_name to ${canary.sql}`,
    [],
  );
  await reads();
  await graphql(deletePackDocument(), { id });

  const statuses = heard.filter((text) => /INTERNAL_ERROR|internal_error/.test(text));
  expect(statuses.length).toBeGreaterThanOrEqual(2);
  const everything = { answers: heard.join('\n'), logs: JSON.stringify(gateway.logs) };
  expect(everything.logs).toContain('registry call');
  for (const [where, text] of Object.entries(everything)) {
    for (const [what, secret] of Object.entries(canary)) {
      expect(text.includes(secret), `${what} in ${where}`).toBe(false);
    }
    const basic = btoa(`${canary.registryUser}:${canary.registryPassword}`);
    expect(text.includes(basic), `credentials in ${where}`).toBe(false);
    expect(text.includes(key), `key in ${where}`).toBe(false);
  }
  expect(everything.answers).not.toMatch(/select .* from|insert into|update packs|role_packs/i);
  expect(everything.answers).not.toMatch(/\/(?:src|node_modules|tmp|home|root|var)\/|\.ts:\d+/);
});

/** A pack whose image is in the registry that answers nothing but errors. */
async function plantPack(gateway: Gateway): Promise<string> {
  const { database } = gateway.app.world;
  const uuid = newUuid();
  await database.query(
    `insert into packs (id, org_id, name, version, display_name, tier, visibility, suggested_packs, image_origin,
       repository, image_ref, image_digest, size_bytes, status, cleanup_attempts, created_at, updated_at)
     select $1, id, 'planted', '1.0.0', 'Planted', 'COMMUNITY', 'ORG', '{}', 'UPLOAD',
       'packs/default/planted', 'packs/default/planted:1.0.0', $2, 1, 'ACTIVE', 0, now(), now() from orgs`,
    [uuid, `sha256:${'a'.repeat(64)}`],
  );
  return `pack_${uuid}`;
}
