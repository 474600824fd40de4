/** Deletes a pack: `PACK_GATEWAY_KEY=sk_… node examples/typed-client/delete-pack.ts pack_…` */
import { type ClientOptions, run } from './client.ts';
import { explainDeletion } from './explain-deletion.ts';
import { DeletePackDocument } from './generated/graphql.ts';

const [packId = ''] = process.argv.slice(2);
const options: ClientOptions = {
  url: process.env.PACK_GATEWAY_URL ?? 'http://127.0.0.1:4000/graphql',
  key: process.env.PACK_GATEWAY_KEY ?? '',
  byHash: process.env.PACK_GATEWAY_BY_HASH === 'yes',
};

const { deletePack } = await run(options, DeletePackDocument, { packId });
process.stdout.write(`${explainDeletion(deletePack)}\n`);
process.exitCode = deletePack.__typename === 'DeletedPack' ? 0 : 1;
