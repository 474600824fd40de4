/** Reads what is in a pack, changes one file of it and ships its next version, through the REST twin. */
import createClient, { type Client } from 'openapi-fetch';
import type { paths } from './generated/openapi.ts';

export const connect = (url: string, apiKey: string): Client<paths> =>
  createClient<paths>({ baseUrl: url, headers: { authorization: `Bearer ${apiKey}` } });

/** @throws with the server's own words */
function answered<Data>({ data, error }: { data?: Data; error?: Problem }): Data {
  if (data === undefined) throw new Error(error?.error.message ?? 'no answer');
  return data;
}
interface Problem {
  readonly error: { readonly message: string };
}

export async function listFiles(client: Client<paths>, id: string): Promise<string[]> {
  const { files } = answered(
    await client.GET('/v1/packs/{id}/files', { params: { path: { id } } }),
  );
  return files.map(({ path }) => path);
}

/** Changes a text file of a pack. Where somebody else was faster, what he wrote is read and changed. */
export async function editFile(
  client: Client<paths>,
  { id, path }: { readonly id: string; readonly path: string },
  edit: (text: string) => string,
): Promise<void> {
  const place = '/v1/packs/{id}/files/{path}';
  for (;;) {
    const read = await client.GET(place, { params: { path: { id, path } }, parseAs: 'text' });
    const body = edit(answered(read));
    const etag = read.response.headers.get('etag') ?? '';
    const written = await client.PUT(place, {
      params: { path: { id, path }, header: { 'if-match': etag } },
      headers: { 'content-type': 'application/octet-stream' },
      body,
      bodySerializer: (text) => text,
    });
    if (written.response.status === 412) continue;
    answered(written);
    return;
  }
}

/** Gives a pack its next version, which has the same name; answers the version. */
export async function shipVersion(
  client: Client<paths>,
  id: string,
  archive: Blob,
): Promise<string> {
  const form = new FormData();
  form.set('archive', archive, 'pack.tar.gz');
  const pack = await client.PUT('/v1/packs/{id}/archive', {
    params: { path: { id } },
    // The document says of a part that it is text; what is sent is the form itself.
    body: { archive: '' },
    bodySerializer: () => form,
  });
  return answered(pack).version;
}

/** Takes a pack from all roles of the org; answers how many had it. */
export async function detachEverywhere(client: Client<paths>, id: string): Promise<number> {
  const path = '/v1/packs/{id}/detach';
  return answered(await client.POST(path, { params: { path: { id } } })).detached;
}
