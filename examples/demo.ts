/**
 * `npm run demo`: the story of a deletion, played against a running server.
 *
 * GATEWAY_URL (http://127.0.0.1:4000) and API_KEY (needed, with the scope caps:write) name the server. What the demo
 * makes there has names of its own; the packs are gone at the end, the roles are left archived.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type Gateway } from './demo/gateway.ts';
import { startGateway } from './demo/own-gateway.ts';

const say = (line: string) => process.stdout.write(`${line}\n`);
const names = (roles: readonly { name: string; archivedAt: string | null }[]) =>
  roles
    .map(({ name, archivedAt }) => (archivedAt === null ? name : `${name} (archived)`))
    .join(', ');

async function tryToDelete(gateway: Gateway, packId: string): Promise<string> {
  const outcome = await gateway.run('delete-pack', { packId });
  switch (outcome.__typename) {
    case 'DeletedPack':
      say(`   deleted; its image: ${outcome.image}`);
      break;
    case 'PackInUse':
      say(`   refused, PackInUse: held by ${names(outcome.roles.nodes)}`);
      break;
    default:
      say(`   ${outcome.__typename}: ${outcome.message}`);
  }
  return outcome.__typename;
}

async function guardedDeletion(gateway: Gateway, suffix: string): Promise<void> {
  say('1. Upload examples/incident-triage as a pack.');
  const pack = await gateway.upload(`incident-triage-${suffix}`);
  say(`   ${pack.name} ${pack.version} is ${pack.id}`);

  say('2. Two agent roles use it.');
  const roles: { id: string; name: string }[] = [];
  for (const name of [`on-call-${suffix}`, `night-shift-${suffix}`]) {
    const { role } = await gateway.run('create-agent-role', { input: { name } });
    await gateway.run('attach-pack', { roleId: role.id, packId: pack.id });
    roles.push(role);
    say(`   ${name} has the pack`);
  }

  say('3. See what is in it, and ship the next version while they hold it.');
  const { files } = await gateway.run('pack-files', { packId: pack.id });
  say(`   ${files.nodes.map(({ path }: { path: string }) => path).join(', ')}`);
  const shipped = await gateway.ship(pack.id, pack.name, '9.0.0');
  say(`   ${shipped.__typename}: ${shipped.pack?.version ?? shipped.message}; the roles keep it`);

  say('4. Ask what a deletion would do, without doing it.');
  const { deletionPreview } = await gateway.run('preview-deletion', { packId: pack.id });
  say(`   deletable: ${deletionPreview.deletable}; roles: ${names(deletionPreview.roles.nodes)}`);

  say('5. Try it all the same.');
  await tryToDelete(gateway, pack.id);

  say(`6. Archive ${roles[0]?.name}. It can be brought back, so it still counts.`);
  await gateway.run('archive-agent-role', { roleId: roles[0]?.id });
  await tryToDelete(gateway, pack.id);

  say('7. Detach the pack from all roles at once, and delete it.');
  const { roleCount } = await gateway.run('detach-pack-from-roles', { packId: pack.id });
  say(`   detached from ${roleCount} roles`);
  for (const role of roles) await gateway.run('archive-agent-role', { roleId: role.id });
  await tryToDelete(gateway, pack.id);
  say('8. Delete it once more: there is nothing left to delete.');
  await tryToDelete(gateway, pack.id);
}

/** Your registry is not ours to break, so this act plays on a second gateway with an embedded registry. */
async function failingRegistry(suffix: string): Promise<void> {
  say(
    '9. What if the registry fails? For this the demo starts a gateway of its own, with an embedded',
  );
  say('   registry in a temporary directory, and takes away that registry’s index.json.');
  const directory = mkdtempSync(join(tmpdir(), 'pack-gateway-demo-'));
  try {
    await using own = await startGateway(directory);
    const pack = await own.gateway.upload(`incident-triage-${suffix}`);
    const index = join(directory, 'registry', 'index.json');
    await rename(index, `${index}.taken-away`);
    await tryToDelete(own.gateway, pack.id);
    say('   The pack is kept. Put index.json back and delete again: it resumes.');
    await rename(`${index}.taken-away`, index);
    if ((await tryToDelete(own.gateway, pack.id)) !== 'DeletedPack') process.exitCode = 1;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const { GATEWAY_URL: url = 'http://127.0.0.1:4000', API_KEY: key } = process.env;
if (key === undefined) {
  process.stderr.write('API_KEY: must be set; the first `npm start` prints the owner key once\n');
  process.exit(1);
}
const suffix = randomUUID().slice(0, 8);
try {
  await guardedDeletion(connect(url, key), suffix);
  await failingRegistry(suffix);
  say('That was the story.');
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
