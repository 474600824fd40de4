import { mkdtempSync, rmSync } from 'node:fs';
import files from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { chromium, type Page } from 'playwright-core';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { tabs } from '../../src/graphql/graphiql-tabs.ts';
import { samplePack } from '../support/archives.ts';
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
    timeout: 0,
  });
  // Long for any machine, and shorter than the test's own time: what hangs is named.
  browser.setDefaultTimeout(120_000);
  onTestFinished(async () => {
    await browser.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  });
  return browser.newPage();
}

/** Runs an upload as a form sends it. */
async function uploadedWith(gateway: Gateway, query: string) {
  const form = new FormData();
  form.set('operations', JSON.stringify({ query, variables: { archive: null } }));
  form.set('map', JSON.stringify({ file: ['variables.archive'] }));
  form.set('file', new Blob([new Uint8Array(samplePack({ name: 'triage' }))]), 'triage.tar.gz');
  const headers = { authorization: `Bearer ${OWNER_KEY}` };
  const request = new Request('http://gateway/graphql', { method: 'POST', headers, body: form });
  return (await gateway.app.fetch(request)).json();
}

const visit = (gateway: Gateway, headers: Record<string, string> = {}) =>
  gateway.app.fetch(
    new Request('http://gateway/graphql', {
      headers: { accept: 'text/html,*/*;q=0.8', ...headers },
    }),
  );

/** What the page asks of the gateway, and what it should not ask of anybody. */
function watch(page: Page, origin: string) {
  const operations: { authorization: string | undefined; type: string | undefined }[] = [];
  const elsewhere: string[] = [];
  const complaints: string[] = [];
  page.context().on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(origin)) {
      if (!/^(?:blob|data):/.test(url)) elsewhere.push(url);
    } else if (request.resourceType() === 'fetch') {
      const { authorization, 'content-type': type } = request.headers();
      operations.push({ authorization, type });
    }
  });
  page.on('console', (message) => {
    if (/Content.Security.Policy/i.test(message.text())) complaints.push(message.text());
  });
  return { operations, elsewhere, complaints };
}

describe.skipIf(!installed('chromium'))('GraphiQL in a browser', () => {
  test('goes from an empty profile to a deleted pack with one key, typed once', async () => {
    const gateway = await startGateway({ database: 'postgres' });
    const origin = await listening(gateway);
    const page = await openPage();
    const { operations, elsewhere, complaints } = watch(page, origin);
    await page.goto(`${origin}/graphql`);

    await page.getByRole('tab', { name: 'WhoAmI' }).waitFor();
    await execute(page);
    await result(page).getByText('Type your API key first').waitFor();
    expect(operations).toEqual([]);

    const key = page.getByLabel('API key');
    await key.fill('sk_wrong');
    await key.press('Enter');
    await page.getByText('No such key.').waitFor();
    await key.fill(OWNER_KEY);
    await key.press('Enter');
    await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
    await page.locator('.graphiql-doc-explorer').getByText('Mutation', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Hide Documentation Explorer' }).click();
    await execute(page);
    await result(page).getByText('"default"').waitFor();

    await openTab(page, 'UploadPack');
    await execute(page);
    await result(page).getByText('Pick a file first').waitFor();
    await page.getByLabel('File').setInputFiles({
      name: 'incident-triage.tar.gz',
      mimeType: 'application/gzip',
      buffer: samplePack({ name: 'incident-triage' }),
    });
    await execute(page);
    await result(page).getByText('"UploadedPack"').waitFor();
    const [pack] = (await gateway.graphql(tabs[2].query)).data.packs.nodes;
    const variables = JSON.stringify({ packId: pack.id });

    await stored(page, 'UploadPack');
    await page.reload();
    await page.getByRole('tab', { name: 'PackEvents' }).waitFor();
    expect(await page.getByRole('tab').count()).toBe(tabs.length);
    expect(await selectedTab(page)).toBe('UploadPack');
    await page.locator('.graphiql-query-editor').getByText('UploadPack').first().waitFor();
    expect(await key.inputValue()).toBe(OWNER_KEY);

    await openTab(page, 'CreateRole');
    await typeVariables(page, variables);
    await execute(page);
    await result(page).getByText('"CreatedAgentRole"').waitFor();
    await openTab(page, 'DeletePack');
    await typeVariables(page, variables);
    await execute(page);
    await result(page).getByText('"PackInUse"').waitFor();
    expect(await result(page).textContent()).toContain('oncall');
    if (process.env.UPDATE_SCREENSHOT !== undefined) await page.screenshot({ path: SCREENSHOT });
    await openTab(page, 'DetachPackFromRoles');
    await typeVariables(page, variables);
    await execute(page);
    await result(page).getByText('"DetachedPackFromRoles"').waitFor();
    await openTab(page, 'DeletePack');
    await execute(page);
    await result(page).getByText('"DeletedPack"').waitFor();

    const sentWith = new Set(operations.map(({ authorization }) => authorization));
    expect([...sentWith]).toEqual(['Bearer sk_wrong', `Bearer ${OWNER_KEY}`]);
    expect(operations.filter(({ type }) => type?.startsWith('multipart/form-data'))).toHaveLength(
      1,
    );
    expect(await page.evaluate('JSON.stringify(localStorage)')).not.toContain(OWNER_KEY);
    expect(elsewhere).toEqual([]);
    expect(complaints).toEqual([]);

    // Another visit of the same browser, in a tab of its own: the story is there, the key is not.
    await stored(page, 'DeletePack');
    const second = await page.context().newPage();
    await second.goto(`${origin}/graphql`);
    await second.getByRole('tab', { name: 'PackEvents' }).waitFor();
    expect(await second.getByRole('tab').count()).toBe(tabs.length);
    expect(await selectedTab(second)).toBe('DeletePack');
    expect(await second.getByLabel('API key').inputValue()).toBe('');

    // A stream is asked for with the key as well.
    await second.getByLabel('API key').fill(OWNER_KEY);
    await second.getByLabel('API key').press('Enter');
    await openTab(second, 'PackEvents');
    const stream = second.waitForResponse((response) =>
      /event-stream/.test(response.headers()['content-type'] ?? ''),
    );
    await execute(second);
    await stream;
    await gateway.pack('watched');
    await result(second).getByText('"watched"').waitFor();
  }, 600_000);
});

const result = (page: Page) => page.locator('.result-window');
const selectedTab = (page: Page) =>
  page.getByRole('tab', { selected: true }).locator('button').first().textContent();

/** Runs the open tab. GraphiQL reads a tab a moment after it was opened, and refuses to run it before. */
async function execute(page: Page): Promise<void> {
  await until(async () => {
    await page.getByRole('button', { name: /Execute query/ }).click();
    // It refuses at once; two frames later, what is shown is the result of this click.
    await page.evaluate(
      'new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))',
    );
    return (await result(page).getByText('Cannot infer operation').count()) === 0;
  });
}

/** GraphiQL's bar of tabs still moves when the page has just opened, and a click may miss. */
async function openTab(page: Page, name: string): Promise<void> {
  const tab = page.getByRole('tab', { name });
  await until(async () => {
    await tab.locator('button').first().click();
    return (await tab.getAttribute('aria-selected')) === 'true';
  });
}

/** Replaces what stands in the editor of the variables. */
async function typeVariables(page: Page, text: string): Promise<void> {
  const editor = page.locator('.graphiql-editor-tool .graphiql-editor:not(.hidden)');
  // A suggestion of the editor's may come late, and take part in what is typed.
  await until(async () => {
    await editor.click();
    await page.keyboard.press('Control+A');
    await page.keyboard.type(text);
    // The editor has closed brackets and quotes by itself.
    await page.keyboard.press('Control+Shift+End');
    await page.keyboard.press('Delete');
    return (await editor.locator('.view-lines').textContent()) === text;
  });
}

/** GraphiQL writes down which tab is open half a second after it was opened. */
const stored = (page: Page, name: string): Promise<void> =>
  until(async () => {
    const state = await page.evaluate('localStorage.getItem("graphiql:tabState")');
    if (typeof state !== 'string') return false;
    const { tabs: known, activeTabIndex } = JSON.parse(state);
    return known[activeTabIndex].operationName === name;
  });

/** Tries again until it is so. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await pause(200);
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
    const gateway = await startGateway({ database: 'postgres', fresh: true });
    // A disk that fails once; a real one cannot be told to.
    const reading = vi.spyOn(files, 'readFile').mockRejectedValueOnce(new Error('EIO'));
    syncBuiltinESMExports();
    onTestFinished(() => {
      reading.mockRestore();
      syncBuiltinESMExports();
    });
    expect((await visit(gateway)).status).toBe(500);
    expect(await (await visit(gateway)).text()).toContain('<html');
  });

  test('opens with a story that works', async () => {
    const gateway = await startGateway({ database: 'postgres' });
    const [whoAmI, upload, list, create, remove, detach] = tabs;
    expect((await gateway.graphql(whoAmI.query)).data.viewer.org.slug).toBe('default');
    const uploaded = (await uploadedWith(gateway, upload.query)).data.uploadPack;
    expect(uploaded).toMatchObject({ __typename: 'UploadedPack', pack: { name: 'triage' } });
    expect(uploaded.pack.files.nodes.length).toBeGreaterThan(0);
    const packId = uploaded.pack.id;
    expect((await gateway.graphql(list.query)).data.packs.nodes).toMatchObject([
      { id: packId, deletionPreview: { deletable: true, image: 'PURGED' } },
    ]);
    const created = (await gateway.graphql(create.query, { packId })).data.createAgentRole;
    expect(created).toMatchObject({ __typename: 'CreatedAgentRole', role: { name: 'oncall' } });
    expect((await gateway.graphql(remove.query, { packId })).data.deletePack).toMatchObject({
      __typename: 'PackInUse',
      roles: { nodes: [{ name: 'oncall' }] },
    });
    const detached = await gateway.graphql(detach.query, { packId });
    expect(detached.data.detachPackFromRoles).toMatchObject({
      __typename: 'DetachedPackFromRoles',
      roleCount: 1,
      pack: { deletionPreview: { deletable: true } },
    });
    expect((await gateway.graphql(remove.query, { packId })).data.deletePack).toMatchObject({
      __typename: 'DeletedPack',
      deletedPackId: packId,
      image: 'PURGED',
    });
  });
});
