/** A gateway on PostgreSQL whose statements are recorded, and the things that operations are tried on. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { change, packImage, pushImage } from '../packs/changes.ts';
import { samplePack } from '../support/archives.ts';
import { createDatabase } from '../support/databases.ts';
import { insertUnmanagedPack, role } from '../support/deletion.ts';
import { type Gateway, type Json, startGateway } from '../support/gateway.ts';
import { recordPostgres, type SentStatement } from './recording-proxy.ts';

export interface World {
  readonly gateway: Gateway;
  /** Whose org is asked. */
  readonly key: string;
  readonly slug: string;
  readonly sent: SentStatement[];
  /** A name that nothing has yet. */
  name(): string;
  /** Uploads a pack; answers its id. */
  pack(options?: { readonly visibility?: 'ORG' | 'COMMUNITY' }): Promise<string>;
  /** Writes the row of a pack whose image is not ours. */
  unmanagedPack(): Promise<string>;
  role(packIds?: string[]): Promise<string>;
  apiKey(): Promise<string>;
  /** Pushes the image of a pack past the gateway, into `repository`; answers its reference. */
  image(name: string, repository: string): Promise<string>;
  graphql(query: string, variables?: object): Promise<Json>;
  rest(
    method: string,
    path: string,
    options?: { json?: unknown; body?: FormData | string },
  ): Promise<Json>;
  archive(): FormData;
}

/** @param template a PostgreSQL database to start on a copy of; else an empty one */
export async function startRecordedGateway(template?: string) {
  const url = await createDatabase(template);
  const proxy = await recordPostgres(url);
  // The template's packs have no images; without its mark the empty registry would be taken for one that was lost.
  const dataDirectory = mkdtempSync(join(tmpdir(), 'recorded-'));
  onTestFinished(() => rmSync(dataDirectory, { recursive: true, force: true }));
  mkdirSync(join(dataDirectory, 'registry', '.pack-gateway'), { recursive: true });
  writeFileSync(join(dataDirectory, 'registry', '.pack-gateway', 'layout'), '');
  const environment = { DATABASE_URL: proxy.url, DATA_DIR: dataDirectory };
  const gateway = await startGateway({ environment });
  return { gateway, url, sent: proxy.sent };
}

let names = 0;

/** What operations need, as the org of `key`. Each answers an error by throwing it. */
export function worldOf(
  { gateway, sent }: { readonly gateway: Gateway; readonly sent: SentStatement[] },
  key: string,
  slug: string,
): World {
  const name = () => `made-${names++}`;
  return {
    gateway,
    key,
    slug,
    sent,
    name,
    pack: async (options = {}) => (await gateway.pack(name(), { key, ...options })).id,
    unmanagedPack: () => insertUnmanagedPack(gateway, { name: name(), orgSlug: slug }),
    role: (packIds = []) => role(gateway, name(), packIds, key),
    apiKey: async () => {
      const variables = { label: 'scale', permissionSet: 'READ_ONLY' };
      return (await change(gateway, 'createApiKey', variables, key)).key.id;
    },
    async image(packName, repository) {
      await pushImage(gateway, repository, packName, packImage({ name: packName }));
      return `${repository}:${packName}`;
    },
    async graphql(query, variables) {
      const { data, errors } = await gateway.graphql(query, variables, key);
      if (errors !== undefined) throw new Error(JSON.stringify(errors));
      return data;
    },
    async rest(method, path, options = {}) {
      const { status, body } = await gateway.rest(method, path, { key, ...options });
      return { ...body, status };
    },
    archive() {
      const form = new FormData();
      form.set('archive', new File([new Uint8Array(samplePack({ name: name() }))], 'pack.tar.gz'));
      return form;
    },
  };
}
