import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, test } from 'vitest';
import { errorCodes } from '../../src/outcomes.ts';
import { type Json, startGateway } from '../support/gateway.ts';

/** Every route that the contract names. */
const contract: Record<string, readonly string[]> = {
  'DELETE /v1/packs/{id}': ['200', '401', '403', '404', '409', '502'],
  'GET /v1/packs': ['200', '401'],
  'GET /v1/packs/{id}': ['200', '401', '404'],
  'POST /v1/packs': ['201', '400', '401', '403', '409', '502'],
  'POST /v1/packs/upload': ['201', '400', '401', '403', '409', '413', '502'],
  'PUT /v1/packs/{id}': ['200', '400', '401', '403', '404', '409', '502'],
  'PATCH /v1/packs/{id}': ['200', '400', '401', '403', '404', '409'],
  'POST /v1/packs/{id}/clone': ['201', '400', '401', '403', '404', '409'],
  'GET /v1/packs/{id}/files': ['200', '401', '404', '502'],
  'GET /v1/packs/{id}/files/{path}': ['200', '304', '401', '404', '502'],
  'PUT /v1/packs/{id}/files/{path}': [
    '200',
    '400',
    '401',
    '403',
    '404',
    '409',
    '412',
    '413',
    '502',
  ],
  'DELETE /v1/packs/{id}/files/{path}': ['200', '400', '401', '403', '404', '409', '412', '502'],
  'GET /v1/packs/{id}/archive': ['200', '304', '401', '404', '502'],
  'PUT /v1/packs/{id}/archive': ['200', '400', '401', '403', '404', '409', '412', '413', '502'],
  'POST /v1/packs/{id}/detach': ['200', '400', '401', '403', '404'],
  'GET /v1/agent-roles': ['200', '401'],
  'POST /v1/agent-roles': ['201', '400', '401', '403', '404', '409'],
  'GET /v1/agent-roles/{id}': ['200', '401', '404'],
  'PATCH /v1/agent-roles/{id}': ['200', '400', '401', '403', '404', '409'],
  'POST /v1/agent-roles/{id}/archive': ['200', '401', '403', '404'],
  'POST /v1/agent-roles/{id}/unarchive': ['200', '401', '403', '404', '409'],
  'GET /v1/audit': ['200', '401', '403'],
};

async function readDocument(): Promise<Json> {
  const gateway = await startGateway({ database: 'postgres' });
  const { status, body } = await gateway.rest('GET', '/v1/openapi.json', { key: null });
  expect(status).toBe(200);
  return body;
}

const operationsOf = (document: Json): [string, Json][] =>
  Object.entries<Json>(document.paths).flatMap(([path, methods]) =>
    Object.entries<Json>(methods).map(([method, operation]): [string, Json] => [
      `${method.toUpperCase()} ${path}`,
      operation,
    ]),
  );

describe('the OpenAPI document', () => {
  test('is valid OpenAPI 3.1, and needs no caller', async () => {
    const validator = new Validator();
    const result = await validator.validate(structuredClone(await readDocument()));
    expect(result).toMatchObject({ valid: true });
    expect(validator.version).toBe('3.1');
  });

  test('documents exactly the routes of the contract, with at least its statuses', async () => {
    const operations = new Map(operationsOf(await readDocument()));
    expect([...operations.keys()].sort()).toEqual(Object.keys(contract).sort());
    for (const [route, statuses] of Object.entries(contract)) {
      expect(Object.keys(operations.get(route).responses), route).toEqual(
        expect.arrayContaining([...statuses]),
      );
    }
  });

  test('gives every operation a name of its own, a summary, and says which scope it needs', async () => {
    const operations = operationsOf(await readDocument());
    const names = operations.map(([, { operationId }]) => operationId);
    expect(new Set(names).size).toBe(names.length);
    for (const [route, { summary, security, responses }] of operations) {
      expect(summary, route).toMatch(/\.$/);
      const changes = !route.startsWith('GET ');
      const scopes = changes ? ['caps:write'] : route === 'GET /v1/audit' ? ['audit:read'] : [];
      expect(security, route).toEqual([{ bearer: scopes }]);
      expect('403' in responses, route).toBe(scopes.length > 0);
    }
  });

  test('names no code that is not in the catalogue', async () => {
    const document = JSON.stringify(await readDocument());
    const enums = [...document.matchAll(/"code":\{"type":"string","enum":(\[[^\]]*\])/g)];
    expect(enums.length).toBeGreaterThan(8);
    const codes = enums.flatMap(([, list = '']) => JSON.parse(list));
    expect(errorCodes).toEqual(expect.arrayContaining(codes));
  });
});
