import { describe, expect, test } from 'vitest';
import { type RestOptions, startGateway } from '../support/gateway.ts';
import { conformingClient } from './conforming-client.ts';

const start = async (environment: Record<string, string> = {}) => {
  const gateway = await startGateway({ database: 'postgres', environment });
  return { gateway, ...(await conformingClient(gateway)) };
};

describe('REST as HTTP', () => {
  test('nobody is answered but a caller, not even about what is not there', async () => {
    const { call, document } = await start();
    const paths = [...Object.keys(document.paths), '/v1/nothing'];
    for (const path of paths) {
      for (const key of [null, `sk_${'x'.repeat(40)}`, 'nonsense']) {
        for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
          const answer = await call(method, path.replace('{id}', 'x'), { key });
          expect(answer).toMatchObject({
            status: 401,
            body: { error: { code: 'unauthenticated' } },
          });
          expect(answer.headers.get('www-authenticate')).toBe('Bearer');
        }
      }
    }
  });

  test('every change needs caps:write, asked before anything is read', async () => {
    const { gateway, call, document } = await start();
    const key = await gateway.key('READ_ONLY');
    await call('GET', '/v1/packs', { key });
    gateway.statements.length = 0;
    let changes = 0;
    for (const [path, methods] of Object.entries<Record<string, unknown>>(document.paths)) {
      for (const method of Object.keys(methods).filter((name) => name !== 'get')) {
        changes += 1;
        const answer = await call(method.toUpperCase(), path.replace('{id}', 'x'), {
          key,
          body: '{',
        });
        expect(answer).toMatchObject({
          status: 403,
          body: {
            error: { code: 'permission_denied', details: { required_scopes: ['caps:write'] } },
          },
        });
      }
    }
    expect(changes).toBeGreaterThan(8);
    expect(gateway.statements.filter((sql) => !sql.includes('api_keys'))).toEqual([]);
  });

  test('unknown paths and methods', async () => {
    const { gateway, call } = await start();
    expect(await call('GET', '/v1/nothing')).toMatchObject({
      status: 404,
      body: { error: { code: 'route_not_found' } },
    });
    const allowed = {
      '/v1/packs': 'GET, POST, HEAD, OPTIONS',
      '/v1/packs/upload': 'POST, OPTIONS',
      '/v1/audit': 'GET, HEAD, OPTIONS',
      '/v1/openapi.json': 'GET, HEAD, OPTIONS',
    };
    for (const [path, allow] of Object.entries(allowed)) {
      const answer = await call('DELETE', path);
      expect(answer).toMatchObject({
        status: 405,
        body: { error: { code: 'method_not_allowed' } },
      });
      expect(answer.headers.get('allow')?.split(', ').sort()).toEqual(allow.split(', ').sort());
    }
    const head = await gateway.rest('HEAD', '/v1/packs');
    expect(head).toMatchObject({ status: 200, body: null });
    expect((await gateway.rest('HEAD', '/v1/packs/x')).status).toBe(404);
  });

  test('a parameter that is not known, or given twice, is refused by its name', async () => {
    const { gateway, call } = await start();
    const { id } = await gateway.pack('triage');
    const unknown = 'is not a parameter of this request';
    const refused: [line: string, fields: Record<string, string>][] = [
      ['GET /v1/packs?name_contain=x', { name_contain: unknown }],
      ['GET /v1/packs?nameContains=x&teir=y', { nameContains: unknown, teir: unknown }],
      ['GET /v1/packs?__proto__=x&constructor=y', { ['__proto__']: unknown, constructor: unknown }],
      ['GET /v1/packs?limit=1&limit=2', { limit: 'is given more than once' }],
      ['GET /v1/packs?=', { query: unknown }],
      ['GET /v1/audit?Type=pack_deleted', { Type: unknown }],
      ['GET /v1/agent-roles?archived=true', { archived: unknown }],
      [`GET /v1/packs/${id}/files?path=guides`, { path: unknown }],
      [`GET /v1/packs/${id}/archive?format=zip`, { format: unknown }],
      [`DELETE /v1/packs/${id}?dry_run=true`, { dry_run: unknown }],
    ];
    for (const [line, fields] of refused) {
      const [method = '', path = ''] = line.split(' ');
      const answer = await call(method, path);
      expect(answer, line).toMatchObject({
        status: 400,
        body: { error: { code: 'validation_error' } },
      });
      const told = Object.entries(answer.body.error.details.fields);
      expect(told, line).toEqual(Object.entries(fields));
    }
    const many = await call('GET', `/v1/packs?${'x=&'.repeat(3_000)}${'y'.repeat(3_000)}=`);
    expect(many.status).toBe(400);
    expect(JSON.stringify(many.body).length).toBeLessThan(4_000);
    expect((await call('GET', `/v1/packs/${id}`)).body.status).toBe('active');
  });

  test('a path or query whose percent-encoding is not UTF-8 is refused, and a bare "%" is one', async () => {
    const { call } = await start();
    const refused = (field: string) => ({
      status: 400,
      body: {
        error: {
          code: 'validation_error',
          details: { fields: { [field]: expect.stringContaining('UTF-8') } },
        },
      },
    });
    expect(await call('GET', '/v1/packs/pack_x/files/data/caf%E9.txt')).toMatchObject(
      refused('path'),
    );
    expect(await call('PUT', '/v1/packs/pack_x/files/data/caf%E9.txt')).toMatchObject(
      refused('path'),
    );
    expect(await call('GET', '/v1/packs?name_contains=%E9')).toMatchObject(refused('query'));
    expect((await call('GET', '/v1/packs?name_contains=%C3%A9')).status).toBe(200);
    expect((await call('GET', '/v1/packs?name_contains=100%')).status).toBe(200);
    expect(await call('GET', '/v1/packs/pack_x/files/data/100%.txt')).toMatchObject({
      status: 404,
      body: { error: { code: 'pack_not_found' } },
    });
  });

  test('all that is wrong with one field is told under its name', async () => {
    const { call } = await start();
    const json = { name: 'desk', display_name: '\u0007'.repeat(300) };
    const { status, body } = await call('POST', '/v1/agent-roles', { json });
    expect(status).toBe(400);
    expect(body.error.details.fields).toEqual({
      display_name: 'must have at most 255 characters; must be one line of visible text',
    });
  });

  test('bodies that are not what they should be', async () => {
    const { call } = await start();
    const post = (options: RestOptions, path = '/v1/packs') => call('POST', path, options);
    const json = { 'content-type': 'application/json' };
    const cases: readonly [RestOptions, number, string, string?][] = [
      [
        { body: 'image_ref=x', headers: { 'content-type': 'text/plain' } },
        415,
        'unsupported_media_type',
      ],
      [{ body: '{"image_ref":', headers: json }, 400, 'bad_request'],
      [{ body: '', headers: json }, 400, 'bad_request'],
      [{ body: '[]', headers: json }, 400, 'validation_error'],
      [{ body: '{"image_ref":7}', headers: json }, 400, 'validation_error'],
      [{ body: '{"image_ref":"a:b","__proto__":{}}', headers: json }, 400, 'validation_error'],
      [{ body: `"${'x'.repeat(1024 ** 2)}"`, headers: json }, 413, 'payload_too_large'],
      [{ body: `[${'[],'.repeat(300_000)}[]]`, headers: json }, 413, 'payload_too_large'],
      [{ json: {} }, 415, 'unsupported_media_type', '/v1/packs/upload'],
      [
        { body: 'junk', headers: { 'content-type': 'multipart/form-data; boundary=x' } },
        400,
        'bad_request',
        '/v1/packs/upload',
      ],
      [
        { body: 'junk', headers: { 'content-type': 'multipart/form-data' } },
        415,
        'unsupported_media_type',
        '/v1/packs/upload',
      ],
    ];
    for (const [options, status, code, path] of cases) {
      const answer = await post(options, path);
      expect(answer, JSON.stringify(options).slice(0, 100)).toMatchObject({
        status,
        body: { error: { code } },
      });
    }
  });

  test('an archive larger than allowed is refused', async () => {
    const { call } = await start({ MAX_ARCHIVE_BYTES: '2048' });
    const body = new FormData();
    body.set('archive', new File([new Uint8Array(4096)], 'pack.tar.gz'));
    expect(await call('POST', '/v1/packs/upload', { body })).toMatchObject({
      status: 413,
      body: { error: { code: 'payload_too_large' } },
    });
  });

  test('browsers of the configured origins only', async () => {
    const { gateway } = await start({ CORS_ORIGINS: 'https://app.example' });
    const from = (origin: string, method = 'GET') =>
      gateway.app.fetch(
        new Request('http://gateway/v1/packs/x', {
          method,
          headers: { origin, 'access-control-request-method': 'DELETE' },
        }),
      );
    const preflight = await from('https://app.example', 'OPTIONS');
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe('https://app.example');
    const methods = preflight.headers.get('access-control-allow-methods')?.split(',').sort();
    expect(methods).toEqual(['DELETE', 'GET', 'HEAD', 'PATCH', 'POST', 'PUT']);
    // A refusal can be read as well.
    const refused = await from('https://app.example');
    expect(refused.status).toBe(401);
    expect(refused.headers.get('access-control-allow-origin')).toBe('https://app.example');
    expect(refused.headers.get('access-control-expose-headers')).toContain('x-request-id');
    for (const method of ['OPTIONS', 'GET']) {
      const other = await from('https://evil.example', method);
      expect(other.headers.get('access-control-allow-origin')).toBeNull();
    }
  });

  test('the log names route, caller and outcome of each request', async () => {
    const { gateway, call } = await start();
    await call('GET', '/v1/packs/x');
    await call('GET', '/v1/packs');
    await call('POST', '/v1/packs', { body: '{' });
    const lines = gateway.logs.filter(({ msg, route }) => msg === 'request' && route === 'rest');
    const key = expect.stringMatching(/^key_/);
    expect(lines.slice(-3)).toMatchObject([
      { operation: 'GET /v1/packs/{id}', outcome: 'not_found', status: 404, key },
      { operation: 'GET /v1/packs', outcome: 'listed', status: 200, key },
      { operation: 'POST /v1/packs', outcome: 'unsupported_media_type', status: 415, key },
    ]);
  });
});
