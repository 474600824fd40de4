import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createDatabase } from '../support/databases.ts';
import type { Json } from '../support/gateway.ts';
import { OWNER_KEY } from '../support/owner-key.ts';
import { type ServerProcess, startServer } from '../support/server-process.ts';

interface Collected {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly attributes: Readonly<Record<string, Json>>;
}

/** An OpenTelemetry collector that keeps what it is sent. */
async function startCollector() {
  const spans: Collected[] = [];
  const services = new Set<string>();
  const flat = (attributes: Json[]) =>
    Object.fromEntries(
      attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue]),
    );
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      for (const resource of JSON.parse(Buffer.concat(chunks).toString()).resourceSpans) {
        services.add(flat(resource.resource.attributes)['service.name']);
        for (const scope of resource.scopeSpans) {
          for (const span of scope.spans) {
            spans.push({ ...span, attributes: flat(span.attributes) });
          }
        }
      }
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return { url: `http://127.0.0.1:${port}`, spans, services };
}

/** Prints a log line for each module of the SDK that is loaded; prom-client loads the bare API by itself. */
const watchLoading = `--import=data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  registerHooks({ resolve(specifier, context, next) {
    if (/^@opentelemetry.(sdk|exporter)/.test(specifier)) console.log(JSON.stringify({ loaded: specifier }));
    return next(specifier, context);
  } });`)}`;

async function start(environment: Record<string, string>, form?: 'sources') {
  const directory = mkdtempSync(join(tmpdir(), 'tracing-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const databaseUrl = await createDatabase();
  return startServer({ DATABASE_URL: databaseUrl, DATA_DIR: directory, ...environment }, form);
}

const post = ({ url }: ServerProcess, query: string, headers: Record<string, string>) =>
  fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${OWNER_KEY}`,
      ...headers,
    },
    body: JSON.stringify({ query }),
  });

const QUERY = `query Mine { packs(first: 1) { nodes { id } } }`;
const MUTATION = `mutation { deletePack(id: "pack_0198c0de-0000-7000-8000-000000000000") { __typename } }`;

test('a request is a span in its caller’s trace, with its statements below it and its log lines named, where the caller samples it', async () => {
  const collector = await startCollector();
  const server = await start({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_SERVICE_NAME: 'packs-of-acme',
  });
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  const parent = 'b7ad6b7169203331';
  const { headers } = await post(server, MUTATION, { traceparent: `00-${traceId}-${parent}-01` });
  await post(server, QUERY, { traceparent: 'garbage' });
  const notSampled = 'a'.repeat(32);
  await post(server, QUERY, { traceparent: `00-${notSampled}-${parent}-00` });
  server.interrupt();
  expect(await server.exited).toBe(0);

  expect([...collector.services]).toEqual(['packs-of-acme']);
  const mine = collector.spans.filter((span) => span.traceId === traceId);
  const root = mine.find((span) => span.parentSpanId === parent);
  expect(root).toMatchObject({
    name: 'mutation deletePack',
    attributes: {
      'pack_gateway.request_id': headers.get('x-request-id'),
      'pack_gateway.outcome': 'not_found',
      'http.response.status_code': expect.anything(),
    },
  });
  const statements = mine.filter((span) => span.parentSpanId === root?.spanId);
  expect(statements.length).toBeGreaterThanOrEqual(2);
  expect(statements.map(({ attributes }) => attributes['db.query.text'])).toContainEqual(
    expect.stringContaining('api_keys'),
  );
  const others = collector.spans.filter((span) => span.traceId !== traceId);
  expect(new Set(others.map((span) => span.traceId)).size).toBe(1);
  expect(others[0]?.traceId).not.toBe(notSampled);
  const line = server.logs.find((entry) => entry.msg === 'request' && entry.traceId === traceId);
  expect(line).toMatchObject({
    operation: 'mutation deletePack',
    requestId: headers.get('x-request-id'),
  });
});

test('each of the requests that a statement answers together has it among its spans', async () => {
  const collector = await startCollector();
  const server = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
  const query = '{ pack(id: "pack_0198c0de-0000-7000-8000-000000000000") { id } }';
  await Promise.all(Array.from({ length: 12 }, () => post(server, query, {})));
  server.interrupt();
  expect(await server.exited).toBe(0);

  const roots = collector.spans.filter(({ name }) => name === 'query pack');
  expect(roots).toHaveLength(12);
  for (const root of roots) {
    const below = collector.spans.filter((span) => span.parentSpanId === root.spanId);
    const texts = below.map(({ attributes }) => String(attributes['db.query.text']));
    expect(texts.filter((text) => text.includes('secret_hash = any'))).toHaveLength(1);
    expect(texts.filter((text) => text.includes('join packs p'))).toHaveLength(1);
  }
});

test('spans show the statements of a change, and nothing of what the caller wrote', async () => {
  const collector = await startCollector();
  const server = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
  const create = `mutation { createAgentRole(input: {
    name: "canary", displayName: "Canary's", description: "7 canaries" }) {
      ... on CreatedAgentRole { role { id name } } } }`;
  const { data } = JSON.parse(await (await post(server, create, {})).text());
  const { id } = data.createAgentRole.role;
  const update = `mutation { updateAgentRole(id: "${id}", input: { description: "canary" }) {
    ... on UpdatedAgentRole { role { description } } } }`;
  expect(await (await post(server, update, {})).text()).toContain('canary');
  server.interrupt();
  await server.exited;
  const texts = collector.spans.map(({ attributes }) => attributes['db.query.text'] ?? '');
  for (const shown of ['insert into "agent_roles"', 'update "agent_roles"', 'audit_events']) {
    expect(texts).toContainEqual(expect.stringContaining(shown));
  }
  const uuid = id.slice('role_'.length);
  for (const text of texts) expect(text).not.toMatch(new RegExp(`canar|${uuid}`, 'i'));
});

test('without its variables nothing of the SDK is loaded, and a dead collector harms nobody', async () => {
  const plain = await start({ NODE_OPTIONS: watchLoading }, 'sources');
  expect((await post(plain, QUERY, {})).status).toBe(200);
  expect(plain.logs.filter((line) => 'loaded' in line)).toEqual([]);
  const nobody = {
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
    // It tries again for so long.
    OTEL_EXPORTER_OTLP_TIMEOUT: '1000',
  };
  const dead = await start({ NODE_OPTIONS: watchLoading, ...nobody }, 'sources');
  expect((await post(dead, QUERY, {})).status).toBe(200);
  expect(dead.logs.filter((line) => 'loaded' in line)).not.toEqual([]);
  dead.interrupt();
  expect(await dead.exited).toBe(0);
});
