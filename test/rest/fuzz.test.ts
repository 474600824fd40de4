/** Every route of the document, asked in every wrong way: the answer is always a coded envelope. */
import { describe, expect, test } from 'vitest';
import { errorCodes } from '../../src/outcomes.ts';
import { insertUnmanagedPack, role } from '../support/deletion.ts';
import { isSweep } from '../support/extent.ts';
import { type Json, type RestOptions, startGateway } from '../support/gateway.ts';
import { conformingClient } from './conforming-client.ts';

const long = 'x'.repeat(5_000);
const texts = [
  '',
  ' ',
  '0',
  '-1',
  '1e9',
  'null',
  'ü∆🎈',
  'a\u0000b',
  '\ud800',
  "'; drop table packs; --",
  '__proto__',
  '../..',
  '%',
  long,
];
const values: readonly unknown[] = [
  null,
  true,
  0,
  -1.5,
  1e308,
  [],
  [null],
  {},
  { $ne: 1 },
  [[[]]],
  ...texts,
];
const pathIds = texts.filter((text) => text !== '' && text !== '../..' && text.isWellFormed());
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** Query strings made of the documented parameters. */
function queries(operation: Json): string[] {
  const names: string[] = (operation.parameters ?? [])
    .filter((parameter: Json) => parameter.in === 'query')
    .map((parameter: Json) => parameter.name);
  return names.flatMap((name) =>
    texts.map((text) => `?${name}=${text.isWellFormed() ? encodeURIComponent(text) : '%ED%A0%80'}`),
  );
}

/** Bodies made of the documented fields, each of them wrong in turn. */
function bodies(operation: Json): RestOptions[] {
  const headers = { 'content-type': 'application/json' };
  const raw = ['', '{', 'nul', '[]', '7', '"x"', 'null', `{"a":${'['.repeat(9_000)}`].map(
    (body) => ({
      body,
      headers,
    }),
  );
  const content = operation.requestBody?.content ?? {};
  const fields = Object.keys(content['application/json']?.schema.properties ?? {});
  const wrong = fields.flatMap((field) => values.map((value) => ({ json: { [field]: value } })));
  const all = values.map((value) => ({
    json: Object.fromEntries(fields.map((field) => [field, value])),
  }));
  const parts = Object.keys(content['multipart/form-data']?.schema.properties ?? {});
  const forms = parts.flatMap((name) =>
    ['', 'ü∆🎈', long].flatMap((text) => {
      const asText = new FormData();
      asText.set(name, text);
      const asFile = new FormData();
      asFile.set(name, new File([text], text.slice(0, 50)));
      return [{ body: asText }, { body: asFile }];
    }),
  );
  return [...raw, ...wrong, ...all, ...forms];
}

describe('nothing that a caller sends is an error of ours', () => {
  test('on any route of the document', { timeout: 180_000 }, async () => {
    const gateway = await startGateway({ database: 'postgres' });
    const { call, document } = await conformingClient(gateway);
    const foreign = await gateway.org('foreign');
    const known = [
      // With an image: one that is not there is an error of the registry's to every reader.
      (await gateway.pack('mine')).id,
      await insertUnmanagedPack(gateway, { name: 'theirs', orgSlug: 'foreign' }),
      await role(gateway, 'mine'),
      await role(gateway, 'theirs', [], foreign),
    ];
    const ids = [...pathIds, ...known];
    const [pack = '', , ownRole = ''] = known;
    /** Bodies are tried on the caller's own thing that a route is for, and swept on all. */
    const bodiesFor = (template: string): string[] => {
      if (!template.includes('{id}')) return ['x'];
      if (isSweep) return known;
      return [template.startsWith('/v1/agent-roles/') ? ownRole : pack];
    };
    let requests = 0;
    const ask = async (method: string, path: string, options: RestOptions = {}) => {
      requests += 1;
      const answer =
        method === 'HEAD' ? await gateway.rest(method, path) : await call(method, path, options);
      const line = `${method} ${path.slice(0, 200)} ${JSON.stringify(options).slice(0, 200)}`;
      expect(answer.status, line).toBeLessThan(500);
      if (answer.status >= 400 && method !== 'HEAD') {
        expect(errorCodes, line).toContain(answer.body.error.code);
        expect(answer.body.error.message, line).not.toBe('');
      }
    };
    for (const [template, operations] of Object.entries<Json>(document.paths)) {
      const path = (id: string) => template.replace('{id}', encodeURIComponent(id));
      for (const method of methods) await ask(method, path('x'));
      if (template.includes('{id}')) {
        for (const id of ids) for (const method of ['GET', 'POST']) await ask(method, path(id));
      }
      for (const [name, operation] of Object.entries<Json>(operations)) {
        const method = name.toUpperCase();
        for (const query of queries(operation)) await ask(method, path('x') + query);
        if (operation.requestBody === undefined) continue;
        for (const body of bodies(operation)) {
          for (const id of bodiesFor(template)) {
            await ask(method, path(id), body);
          }
        }
      }
    }
    expect(requests).toBeGreaterThan(500);
    expect(gateway.logs.filter(({ msg }) => msg === 'request failed')).toEqual([]);
  });
});
