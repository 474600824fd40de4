import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, type Page } from 'playwright-core';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { tabs } from '../../src/graphql/graphiql-tabs.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { installed } from '../support/installed.ts';
import { listening } from '../support/listening.ts';
import { OWNER_KEY } from '../support/owner-key.ts';

const SCREENSHOT = fileURLToPath(new URL('../../docs/graphiql.png', import.meta.url));

const CHROMIUM = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A browser of the test's own, with a new profile. */
async function openPage(): Promise<Page> {
  const profile = mkdtempSync(join(tmpdir(), 'pack-gateway-chromium-'));
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath: '/usr/bin/chromium',
    args: CHROMIUM,
    headless: false,
    viewport: { width: 1280, height: 800 },
  });
  onTestFinished(async () => {
    await browser.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  });
  return browser.newPage();
}

const visit = (gateway: Gateway, headers: Record<string, string> = {}) =>
  gateway.app.fetch(
    new Request('http://gateway/graphql', {
      headers: { accept: 'text/html,*/*;q=0.8', ...headers },
    }),
  );

describe.skipIf(!installed('chromium'))('GraphiQL in a browser', () => {
  test('shows with a typed key that a pack in use is not deleted, and asks nobody else', async () => {
    const gateway = await startGateway({ database: 'postgres' });
    const origin = await listening(gateway);
    const { id } = await gateway.pack('incident-triage');
    await gateway.graphql(tabs[2].query, { packId: id });

    const page = await openPage();
    const elsewhere: string[] = [];
    page.context().on('request', (request) => {
      if (!request.url().startsWith(origin) && !/^(?:blob|data):/.test(request.url())) {
        elsewhere.push(request.url());
      }
    });
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (/Content.Security.Policy/i.test(message.text())) complaints.push(message.text());
    });
    await page.goto(`${origin}/graphql`);
    await openTab(page, 'DeletePack');
    await type(page, 'Variables', JSON.stringify({ id }));
    await type(page, 'Headers', JSON.stringify({ Authorization: `Bearer ${OWNER_KEY}` }));
    await page.getByRole('button', { name: /Execute query/ }).click();
    const result = page.locator('.result-window');
    await result.getByText('"PackInUse"').waitFor();
    expect(await result.textContent()).toContain('oncall');
    if (process.env.UPDATE_SCREENSHOT !== undefined) {
      await page.getByRole('button', { name: 'Variables', exact: true }).click();
      await page.screenshot({ path: SCREENSHOT });
    }
    expect(elsewhere).toEqual([]);
    expect(complaints).toEqual([]);
  }, 60_000);
});

/** GraphiQL's bar of tabs still moves when the page has just opened, and a click may miss. */
async function openTab(page: Page, name: string): Promise<void> {
  const tab = page.getByRole('tab', { name });
  await expect
    .poll(
      async () => {
        await tab.locator('button').first().click();
        return tab.getAttribute('aria-selected');
      },
      { timeout: 10_000, interval: 300 },
    )
    .toBe('true');
}

/** Replaces what stands in one of the two editors below the query. */
async function type(page: Page, editor: 'Variables' | 'Headers', text: string): Promise<void> {
  await page.getByRole('button', { name: editor, exact: true }).click();
  await page.locator('.graphiql-editor-tool .graphiql-editor:not(.hidden)').click();
  await page.keyboard.press('Control+A');
  await page.keyboard.type(text);
  // The editor has closed brackets and quotes by itself.
  await page.keyboard.press('Control+Shift+End');
  await page.keyboard.press('Delete');
}

describe('the page at /graphql', () => {
  test('is served once: a browser that has it is told so', async () => {
    const gateway = await startGateway({ database: 'postgres' });
    const first = await visit(gateway, { 'accept-encoding': 'gzip, br' });
    expect(first.status).toBe(200);
    expect(first.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(first.headers.get('content-encoding')).toBe('gzip');
    expect(first.headers.get('vary')).toContain('accept-encoding');
    expect((await first.arrayBuffer()).byteLength).toBeLessThan(4_000_000);
    const etag = first.headers.get('etag') ?? '';
    const second = await visit(gateway, { 'accept-encoding': 'gzip', 'if-none-match': etag });
    expect(second.status).toBe(304);
    expect(await second.text()).toBe('');
    const plain = await visit(gateway, { 'if-none-match': etag });
    expect(plain.status).toBe(200);
    expect(plain.headers.get('content-encoding')).toBeNull();
    expect(await plain.text()).toContain('</html>');
  });

  test('is not for programs', async () => {
    const gateway = await startGateway({ database: 'postgres' });
    const response = await gateway.app.fetch(new Request('http://gateway/graphql'));
    expect(response.status).toBe(401);
    expect(response.headers.get('content-type')).toContain('application/json');
  });

  test('is not there with GRAPHIQL=off, which breaks no query by GET', async () => {
    const gateway = await startGateway({ database: 'postgres', environment: { GRAPHIQL: 'off' } });
    const response = await visit(gateway);
    expect(response.status).toBe(406);
    expect((await response.json()).errors[0].extensions.code).toBe('NOT_ACCEPTABLE');
    const query = await gateway.app.fetch(
      new Request('http://gateway/graphql?query={__typename}', {
        headers: { accept: 'text/html,*/*;q=0.8', authorization: `Bearer ${OWNER_KEY}` },
      }),
    );
    expect(await query.json()).toEqual({ data: { __typename: 'Query' } });
  });

  test('is made again for whoever asks after it could not be made', async () => {
    const renderGraphiQL = vi.fn(() => '<html>');
    renderGraphiQL.mockImplementationOnce(() => {
      throw new Error('no memory for it');
    });
    vi.doMock('@graphql-yoga/render-graphiql', () => ({ renderGraphiQL }));
    onTestFinished(() => void vi.doUnmock('@graphql-yoga/render-graphiql'));
    const gateway = await startGateway({ database: 'postgres' });
    expect((await visit(gateway)).status).toBe(500);
    expect(await (await visit(gateway)).text()).toBe('<html>');
  });

  test('opens with a story that works', async () => {
    const gateway = await startGateway({ database: 'postgres' });
    const { id } = await gateway.pack('triage');
    const [whoAmI, list, create, remove, detach] = tabs;
    expect((await gateway.graphql(whoAmI.query)).data.viewer.org.slug).toBe('default');
    expect((await gateway.graphql(list.query)).data.packs.nodes).toMatchObject([
      { id, deletionPreview: { deletable: true, image: 'PURGED' } },
    ]);
    const created = (await gateway.graphql(create.query, { packId: id })).data.createAgentRole;
    expect(created).toMatchObject({ __typename: 'CreatedAgentRole', role: { name: 'oncall' } });
    expect((await gateway.graphql(remove.query, { id })).data.deletePack).toMatchObject({
      __typename: 'PackInUse',
      roles: { nodes: [{ name: 'oncall' }] },
    });
    const detached = await gateway.graphql(detach.query, { roleId: created.role.id, packId: id });
    expect(detached.data.detachPack).toMatchObject({
      __typename: 'DetachedPack',
      pack: { deletionPreview: { deletable: true } },
    });
    expect((await gateway.graphql(remove.query, { id })).data.deletePack).toMatchObject({
      __typename: 'DeletedPack',
      image: 'PURGED',
    });
  });
});
