/**
 * Runs the real docker-registry (the `docker-registry` package of Debian, distribution 2.8) for tests.
 *
 * Each one has a free port and, unless told otherwise, a directory of its own that goes with it.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomUUID, sign } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const credentials = { username: 'gateway', password: 'right-password' } as const;
// docker-registry takes bcrypt only; this is `credentials.password`.
const HTPASSWD = 'gateway:$2y$04$abcdefghijklmnopqrstuuS80hwFD6gSIL20SCUGvmL7S939BjOHW\n';

export interface DockerRegistryOptions {
  /** Default true. */
  readonly deletes?: boolean;
  readonly auth?: 'none' | 'basic' | 'token';
  readonly readOnly?: boolean;
  readonly tls?: boolean;
  /** To start again on the data of another one, which must have been stopped; it is not removed then. */
  readonly directory?: string;
  readonly port?: number;
}

export interface DockerRegistry {
  readonly url: URL;
  /** PEM, with `tls`. */
  readonly certificate: string;
  readonly directory: string;
  /** With `auth: 'token'`. */
  readonly tokens: TokenService | undefined;
  running(): boolean;
  /** Stops answering, connections stay open. */
  freeze(): void;
  resume(): void;
  /** Dies at once; `stop` is still needed to remove the directory. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

export async function startDockerRegistry(
  options: DockerRegistryOptions = {},
): Promise<DockerRegistry> {
  const own = options.directory === undefined;
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'docker-registry-'));
  const pair = options.tls || options.auth === 'token' ? selfSigned(directory) : undefined;
  const tokens = options.auth === 'token' && pair ? await startTokenService(pair) : undefined;
  writeFileSync(join(directory, 'htpasswd'), HTPASSWD);
  const file = join(directory, 'config.json');
  // JSON is YAML.
  writeFileSync(file, JSON.stringify(configuration(options, directory, pair, tokens)));

  const child = spawn('docker-registry', ['serve', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  const killed = () => child.kill('SIGKILL');
  process.once('exit', killed);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const address = await listening(child);
  const end = async (signal: NodeJS.Signals) => {
    child.kill('SIGCONT');
    child.kill(signal);
    await exited;
    process.off('exit', killed);
  };
  const running = () => child.exitCode === null && child.signalCode === null;
  return {
    running,
    url: new URL(`${options.tls ? 'https' : 'http'}://${address}`),
    certificate: pair?.certificate ?? '',
    directory,
    tokens,
    freeze: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    kill: () => end('SIGKILL'),
    stop: async () => {
      if (running()) await end('SIGKILL');
      await tokens?.stop();
      if (own) rmSync(directory, { recursive: true, force: true });
    },
  };
}

function configuration(
  options: DockerRegistryOptions,
  directory: string,
  pair: KeyPair | undefined,
  tokens: TokenService | undefined,
) {
  const auth = {
    none: {},
    basic: { auth: { htpasswd: { realm: 'test', path: join(directory, 'htpasswd') } } },
    token: {
      auth: {
        token: {
          realm: tokens?.realm,
          service: SERVICE,
          issuer: ISSUER,
          rootcertbundle: pair?.certificateFile,
        },
      },
    },
  }[options.auth ?? 'none'];
  const data = join(directory, 'data');
  mkdirSync(data, { recursive: true });
  return {
    version: '0.1',
    log: { level: 'info', accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: data },
      delete: { enabled: options.deletes ?? true },
      maintenance: { readonly: { enabled: options.readOnly ?? false } },
    },
    http: {
      addr: `127.0.0.1:${options.port ?? 0}`,
      secret: 'test',
      ...(options.tls ? { tls: { certificate: pair?.certificateFile, key: pair?.keyFile } } : {}),
    },
    ...auth,
  };
}

/** The registry names the port it got in its log. */
function listening(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let log = '';
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`docker-registry did not start:\n${log}`)));
    child.stderr?.on('data', (chunk: Buffer) => {
      // Keeps draining after the start, or the registry would block on a full pipe.
      if (log.length > 100_000) return;
      log += chunk.toString();
      const address = /listening on (127\.0\.0\.1:\d+)/.exec(log)?.[1];
      if (address) resolve(address);
    });
  });
}

export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** A certificate for 127.0.0.1 that nobody trusts. */
export function selfSigned(directory: string): KeyPair {
  const certificateFile = join(directory, 'certificate.pem');
  const keyFile = join(directory, 'key.pem');
  // Not RSA, whose keys take a fifth of a second each to find.
  const key = '-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'.split(' ');
  const request = ['req', '-x509', ...key, '-days', '2', '-subj', '/CN=127.0.0.1'];
  const names = ['-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
  const out = ['-keyout', keyFile, '-out', certificateFile];
  execFileSync('openssl', [...request, ...names, ...out], { stdio: 'ignore' });
  const certificate = readFileSync(certificateFile, 'utf8');
  return { certificate, key: readFileSync(keyFile, 'utf8'), certificateFile, keyFile };
}

const SERVICE = 'test-registry';
const ISSUER = 'test-issuer';

export interface TokenService {
  readonly realm: string;
  /** The scopes of each token asked for, in order. */
  readonly asked: string[];
  /** What the account may do; tokens carry no more than this. */
  allowed: string[];
  /** While set, the service answers with this status and nothing else. */
  broken: number | undefined;
  stop(): Promise<void>;
}

async function startTokenService(pair: KeyPair): Promise<TokenService> {
  const expected = `Basic ${btoa(`${credentials.username}:${credentials.password}`)}`;
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://token.invalid');
    const scopes = url.searchParams.getAll('scope');
    service.asked.push(scopes.join(' '));
    const status = service.broken ?? (request.headers.authorization === expected ? 200 : 401);
    const access = scopes.map((scope) => {
      const [type = '', name = '', actions = ''] = scope.split(':');
      const granted = actions.split(',').filter((action) => service.allowed.includes(action));
      return { type, name, actions: granted };
    });
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(
      status === 200 ? JSON.stringify({ token: jwt(pair, access), expires_in: 300 }) : '',
    );
  });
  const service: TokenService = {
    realm: '',
    asked: [],
    allowed: ['pull', 'push', 'delete'],
    broken: undefined,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return Object.assign(service, { realm: `http://127.0.0.1:${port}/token` });
}

/** As docker-registry checks it: ES256, the signing certificate in the header, `access` in the claims. */
function jwt(pair: KeyPair, access: readonly object[]): string {
  const x5c = [pair.certificate.replace(/-----[^-]+-----|\s/g, '')];
  const now = Math.floor(Date.now() / 1_000);
  const claims = {
    iss: ISSUER,
    sub: credentials.username,
    aud: SERVICE,
    iat: now - 60,
    nbf: now - 60,
    exp: now + 300,
    jti: randomUUID(),
    access,
  };
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const content = `${encode({ typ: 'JWT', alg: 'ES256', x5c })}.${encode(claims)}`;
  const key = { key: pair.key, dsaEncoding: 'ieee-p1363' } as const;
  return `${content}.${sign('sha256', Buffer.from(content), key).toString('base64url')}`;
}
