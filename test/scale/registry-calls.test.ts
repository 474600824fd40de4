import { expect, test } from 'vitest';
import { emptyDockerRegistry } from '../support/empty-docker-registry.ts';
import { startGateway } from '../support/gateway.ts';
import { installed } from '../support/installed.ts';
import { OWNER_KEY } from '../support/owner-key.ts';
import { type Operation, operations } from './operations.ts';
import { worldOf } from './world.ts';

const uploaded = [
  'HEAD blob 404',
  'HEAD blob 404',
  'POST upload 202',
  'POST upload 202',
  'PUT blob 201',
  'PUT blob 201',
  'PUT manifest 201',
];
const purged = ['DELETE manifest 202', 'GET manifest 200', 'GET tags 200'];
const edited = [
  ...uploaded,
  ...purged,
  'GET blob 200',
  'GET manifest 200',
  'GET manifest 200',
  'GET manifest 200',
  'PUT manifest 201',
].sort();

/** What each operation asks of a docker-registry; the table to change when one gets cheaper. */
const callsOf: Readonly<Record<string, readonly string[]>> = {
  // Two layers at once, then what names them.
  'Mutation.uploadPack': uploaded,
  'Mutation.createPackFromImage': ['GET blob 200', 'GET blob 200', 'GET manifest 200'],
  // Reads the new image, then purges the old one.
  'Mutation.replacePackImage': [
    'DELETE manifest 202',
    'GET blob 200',
    'GET blob 200',
    'GET manifest 200',
    'GET manifest 200',
    'GET manifest 200',
    'GET tags 200',
  ],
  'Mutation.clonePack': [
    'GET manifest 200',
    'POST mount 201',
    'POST mount 201',
    'PUT manifest 201',
  ],
  // Uploads the new image, then purges the old one.
  'Mutation.replacePackArchive': [...uploaded, ...purged, 'GET manifest 200'].sort(),
  // The same, and reads the image that is edited; its tag moves.
  'Mutation.replacePackFile': edited,
  'Mutation.deletePackFile': edited,
  // The tags are read for those of its signatures and attestations.
  'Mutation.deletePack with its image': purged,
};

test.skipIf(!installed('docker-registry'))(
  'each operation makes exactly the registry calls that its table says, and the others none',
  async () => {
    const docker = await emptyDockerRegistry();
    const gateway = await startGateway({
      database: 'postgres',
      environment: { REGISTRY_URL: docker.url.href },
    });
    const world = worldOf({ gateway, sent: [] }, OWNER_KEY, 'default');
    // The first deletion finds out, once for the process, that this registry has no referrers API.
    const deletion = operations.find(({ name }) => name === 'Mutation.deletePack with its image');
    if (deletion === undefined) throw new Error('no deletion in the table');
    expect(await callsMade(deletion)).toContain('GET referrers 404');
    const made: Record<string, string[]> = {};
    const mutations = operations.filter(({ name }) => name.startsWith('Mutation.'));
    for (const operation of mutations) made[operation.name] = await callsMade(operation);
    expect(made).toEqual(
      Object.fromEntries(mutations.map(({ name }) => [name, callsOf[name] ?? []])),
    );

    async function callsMade({ name, prepare }: Operation): Promise<string[]> {
      const operation = await prepare(world);
      gateway.logs.length = 0;
      if (!(await operation())) throw new Error(`${name} did not answer as expected`);
      return gateway.logs
        .filter(({ msg }) => msg === 'registry call')
        .map(({ operation, status }) => `${operation} ${status}`)
        .sort();
    }
  },
);
