/** The check of a large store: how much of it is under way at a moment, and where it goes on after a break. */
import { spawn } from 'node:child_process';
import { expect, onTestFinished, test } from 'vitest';
import { progressOn } from '../../src/commands/progress.ts';
import { checkConsistency } from '../../src/consistency/check-consistency.ts';
import { imageOf, repository, tag } from '../registry/distribution/images.ts';
import { createDatabase } from '../support/databases.ts';
import { startGateway } from '../support/gateway.ts';
import { startHostileRegistry } from '../support/hostile-registry.ts';
import { joined } from '../support/joined.ts';
import { nodeEnvironment } from '../support/node-environment.ts';
import { registryEnvironment, registryKinds } from '../support/registries.ts';

const REPOSITORIES = 620;

/** A registry of so many repositories with an image each, which nothing real could be filled with as fast. */
async function startLarge() {
  const image = imageOf('an orphan');
  const catalogue = Array.from({ length: REPOSITORIES }, (_, n) => `packs/default/p${1e5 + n}`);
  let [working, most] = [0, 0];
  const full = Promise.withResolvers<void>();
  const hostile = await startHostileRegistry(({ path }) => {
    const url = new URL(path, 'http://registry');
    if (url.pathname === '/v2/_catalog') {
      const from = catalogue.indexOf(url.searchParams.get('last') ?? '') + 1;
      const page = catalogue.slice(from, from + 500);
      const next = { link: `</v2/_catalog?n=500&last=${page.at(-1)}>; rel="next"` };
      const isLast = from + page.length === catalogue.length;
      return {
        status: 200,
        headers: isLast ? {} : next,
        body: JSON.stringify({ repositories: page }),
      };
    }
    if (!path.includes('/tags/list')) return { status: 200, body: image.manifest };
    return async (_request, response) => {
      most = Math.max(most, ++working);
      // The first ones wait for each other: fewer at once would never end.
      if (working === 8) full.resolve();
      await full.promise;
      working--;
      response.writeHead(200).end('{"tags":["1.0.0"]}');
    };
  });
  onTestFinished(() => hostile.stop());
  return { url: hostile.url, catalogue, most: () => most };
}

test('eight repositories are asked for at a time, and a broken check goes on where it was', async () => {
  const large = await startLarge();
  const gateway = await startGateway({ environment: { REGISTRY_URL: large.url.href } });
  const { world } = gateway.app;
  const found: string[] = [];
  const interruption = new AbortController();
  const onFinding = async ({ subject }: { subject: string }) => {
    found.push(subject.split('@')[0] ?? '');
    if (found.length === 300) interruption.abort();
  };
  const { signal } = interruption;
  const broken = await checkConsistency(world, { signal, onFinding });
  if (broken.kind !== 'interrupted') throw new Error(broken.kind);
  const { reached } = broken.progress;
  expect(large.catalogue.indexOf(reached ?? '')).toBeGreaterThan(300 - 1 - 8);
  const rest = await checkConsistency(world, { after: reached ?? '', onFinding });
  expect(rest).toMatchObject({ kind: 'checked' });
  expect(new Set(found)).toEqual(new Set(large.catalogue));
  // No more than what was under way at the break was looked at twice.
  expect(found.length - REPOSITORIES).toBeLessThanOrEqual(8);
  expect(large.most()).toBe(8);
});

test('Ctrl-C ends the command at once, and what it says so far is whole', async () => {
  const command = await joined('src/commands/check-consistency.ts');
  let interrupt = () => {};
  const hostile = await startHostileRegistry(({ path }) => {
    if (path.startsWith('/v2/_catalog')) {
      return { status: 200, body: '{"repositories":["packs/default/silent"]}' };
    }
    // No answer comes any more.
    if (path.includes('/tags/list')) return () => interrupt();
    return { status: 404, body: '{"errors":[{"code":"MANIFEST_UNKNOWN"}]}' };
  });
  onTestFinished(() => hostile.stop());
  const DATABASE_URL = await createDatabase();
  const env = { ...nodeEnvironment(), DATABASE_URL, REGISTRY_URL: hostile.url.href };
  const child = spawn(process.execPath, [command, '--json'], {
    env: { ...env, REGISTRY_DEADLINE_MS: '600000' },
  });
  interrupt = () => child.kill('SIGINT');
  const [stdout, stderr, code] = await Promise.all([
    child.stdout.setEncoding('utf8').toArray(),
    child.stderr.setEncoding('utf8').toArray(),
    new Promise((resolve) => child.once('close', resolve)),
  ]);
  expect({ code, stderr: stderr.join('') }).toEqual({ code: 2, stderr: 'interrupted\n' });
  expect(JSON.parse(stdout.join(''))).toMatchObject({
    findings: [],
    clean: false,
    complete: false,
  });
});

test.each(registryKinds)('%s goes on after a repository, and after a pack', async (kind) => {
  const gateway = await startGateway({
    database: 'postgres',
    environment: await registryEnvironment(kind),
  });
  const { world } = gateway.app;
  for (const name of ['a', 'b', 'c']) {
    await world.registry.push(repository(`packs/default/${name}`), tag('1.0.0'), imageOf(name));
  }
  const pack = await gateway.pack('lost');
  await world.registry.purge(repository('packs/default/lost'), pack.imageDigest);
  const after = async (place: string) => {
    const found: string[] = [];
    const onFinding = async ({ subject }: { subject: string }) => void found.push(subject);
    const { progress } = await checkConsistency(world, { after: place, onFinding });
    expect(progress.reached).toBe(pack.id);
    return found;
  };
  const orphan = expect.stringMatching(/^packs\/default\/c@/);
  expect(await after('packs/default/b')).toEqual([orphan, pack.id]);
  expect(await after(pack.id)).toEqual([]);
});

test('progress is for a terminal alone', () => {
  const shown = (isTTY: boolean) => {
    let text = '';
    const terminal = progressOn({ isTTY, write: (piece) => (text += piece) });
    for (let n = 1; n <= 250; n++) terminal.show(`${n} images`);
    terminal.clear();
    return text;
  };
  expect(shown(false)).toBe('');
  expect(shown(true)).toBe('\r\u001b[K1 images\r\u001b[K101 images\r\u001b[K201 images\r\u001b[K');
});
