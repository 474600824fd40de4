/** Sends the operations of `examples/operations` to a gateway. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// biome-ignore lint/suspicious/noExplicitAny: the demo reads answers by hand; examples/typed-client has the types
type Answer = any;

export interface Gateway {
  /** Runs one operation, named by its file, and answers the value of its only field. */
  run(operation: string, variables: object): Promise<Answer>;
  /** Uploads `examples/incident-triage` under another name and answers the pack. */
  upload(name: string): Promise<Answer>;
  /** Ships it as another version of a pack and answers the outcome. */
  ship(packId: string, name: string, version: string): Promise<Answer>;
}

const here = (path: string) => new URL(`../${path}`, import.meta.url);

export function connect(url: string, key: string): Gateway {
  const documentOf = (operation: string) =>
    readFileSync(here(`operations/${operation}.graphql`), 'utf8');
  async function send(body: FormData | string): Promise<Answer> {
    const answer = await post(body);
    // What is no outcome of the business: no key, no scope, a bug.
    if (answer.errors !== undefined) throw new Error(answer.errors[0].message);
    return Object.values(answer.data)[0];
  }
  async function post(body: FormData | string): Promise<Answer> {
    try {
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${key}`,
          ...(typeof body === 'string' && { 'content-type': 'application/json' }),
        },
        body,
      });
      return await response.json();
    } catch (error) {
      throw new Error(
        `GATEWAY_URL: no gateway answers at ${url}; start one with \`npm start\`, or name where it listens`,
        { cause: error },
      );
    }
  }
  return {
    run: (operation, variables) =>
      send(JSON.stringify({ query: documentOf(operation), variables })),
    async upload(name) {
      const outcome = await sendArchive('upload-pack', {}, archiveOf({ name }));
      if (outcome.__typename !== 'UploadedPack') throw new Error(outcome.message);
      return outcome.pack;
    },
    ship: (packId, name, version) =>
      sendArchive('replace-pack-archive', { packId }, archiveOf({ name, version })),
  };

  /** By the GraphQL multipart request specification. */
  function sendArchive(operation: string, variables: object, archive: Uint8Array<ArrayBuffer>) {
    const form = new FormData();
    const query = documentOf(operation);
    form.set('operations', JSON.stringify({ query, variables: { ...variables, archive: null } }));
    form.set('map', JSON.stringify({ file: ['variables.archive'] }));
    form.set('file', new File([archive], 'pack.tar.gz'));
    return send(form);
  }
}

/** The sample pack as `tar -czf` makes it, with other fields in pack.yaml. */
function archiveOf(fields: Readonly<Record<string, string>>): Uint8Array<ArrayBuffer> {
  const directory = mkdtempSync(join(tmpdir(), 'pack-'));
  try {
    cpSync(here('incident-triage'), directory, { recursive: true });
    const file = join(directory, 'pack.yaml');
    let yaml = readFileSync(file, 'utf8');
    for (const [field, value] of Object.entries(fields)) {
      yaml = yaml.replace(new RegExp(`^${field}: .*$`, 'm'), `${field}: ${value}`);
    }
    writeFileSync(file, yaml);
    return new Uint8Array(execFileSync('tar', ['-czf', '-', '-C', directory, '.']));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
