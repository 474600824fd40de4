/** Relay as it is published: its compiler reads `api.graphql`, its runtime keeps a store of records by id. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import {
  type ConcreteRequest,
  createOperationDescriptor,
  Environment,
  Network,
  RecordSource,
  Store,
} from 'relay-runtime';
import type { Gateway, Json } from './gateway.ts';

const extension = '.graphql.js';
/** Relay demands that operations are named so. */
const isRequest = /(?:Query|Mutation|Subscription)\.graphql\.js$/;
const compiler = fileURLToPath(import.meta.resolve('relay-compiler/cli.js'));

/**
 * Compiles documents by relay-compiler, as an app of the name `App` would have them in `App.js`.
 * @throws with the compiler's own words, where one does not fit the schema
 */
export async function compileForRelay(
  documents: string,
): Promise<ReadonlyMap<string, ConcreteRequest>> {
  const directory = mkdtempSync(join(tmpdir(), 'relay-'));
  try {
    const artifacts = join(directory, 'artifacts');
    for (const path of [join(directory, 'src'), artifacts]) mkdirSync(path);
    writeFileSync(join(directory, 'src', 'App.js'), `graphql\`${documents}\`;\n`);
    copyFileSync('api.graphql', join(directory, 'api.graphql'));
    writeFileSync(join(directory, 'package.json'), '{ "type": "module" }');
    const config = {
      src: './src',
      schema: './api.graphql',
      artifactDirectory: './artifacts',
      language: 'javascript',
      eagerEsModules: true,
    };
    writeFileSync(join(directory, 'relay.config.json'), JSON.stringify(config));
    execFileSync(process.execPath, [compiler], { cwd: directory, stdio: 'pipe' });
    const requests = new Map<string, ConcreteRequest>();
    for (const file of readdirSync(artifacts).filter((name) => isRequest.test(name))) {
      const written = await import(pathToFileURL(join(artifacts, file)).href);
      requests.set(basename(file, extension), written.default);
    }
    return requests;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** A store that is filled from the gateway. */
export function relayEnvironment(gateway: Gateway, key?: string): Environment {
  return new Environment({
    network: Network.create(({ text }, variables) => gateway.graphql(text ?? '', variables, key)),
    store: new Store(new RecordSource()),
  });
}

/** What the store knows of an operation's answer now. */
export const readFromStore = (
  environment: Environment,
  request: ConcreteRequest,
  variables: object,
): Json => environment.lookup(createOperationDescriptor(request, { ...variables }).fragment).data;
