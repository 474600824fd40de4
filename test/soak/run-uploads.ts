import { randomBytes } from 'node:crypto';
import { createReadStream, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { Pool } from 'undici';
import { gzipped, samplePackEntries, tarOf } from '../support/archives.ts';
import { OWNER_KEY } from '../support/owner-key.ts';
import { BOUNDARY, Client, MULTIPART } from './client.ts';
import { SoakedServer } from './soaked-server.ts';

export interface UploadsOptions {
  readonly count: number;
  /** MiB of content that no compression makes smaller, in each archive. */
  readonly mebibytes: number;
  /**
   * What is watched: the resident memory, as a container's limit sees it, or what is still referenced after a
   * collection of garbage, which hardly depends on how busy the machine is.
   */
  readonly watch: 'rss' | 'held';
  readonly environment: Readonly<Record<string, string>>;
}

export interface UploadsReport {
  readonly uploads: number;
  /** Bytes of all archives together. */
  readonly bytes: number;
  readonly seconds: number;
  /** HTTP statuses, of those that were not accepted. */
  readonly refused: readonly number[];
  /** Bytes of what is watched: before, and at most (looked at every 50 ms). */
  readonly baseline: number;
  readonly peak: number;
  readonly temporaryFiles: readonly string[];
}

const LOOK_EVERY_MS = 50;

/** Uploads large archives, all at once, and watches the server's memory meanwhile. */
export async function runUploads({
  count,
  mebibytes,
  watch,
  environment,
}: UploadsOptions): Promise<UploadsReport> {
  const directory = mkdtempSync(join(tmpdir(), 'soak-archives-'));
  await using server = await SoakedServer.start(environment);
  const pool = new Pool(server.url, { connections: count, headersTimeout: 0, bodyTimeout: 0 });
  try {
    const archives = Array.from({ length: count }, (_, index) =>
      writeArchive(join(directory, String(index)), `large-${index}`, mebibytes),
    );
    await uploadOne(server.url);
    await server.memory();
    const look = async () => (watch === 'rss' ? server.rss() : server.held());
    const baseline = await look();
    let peak = baseline;
    let isOver = false;
    const watching = (async () => {
      for (; !isOver; await pause(LOOK_EVERY_MS)) peak = Math.max(peak, await look());
    })();
    const startedAt = performance.now();
    const statuses = await Promise.all(archives.map((path) => send(pool, path)));
    const seconds = (performance.now() - startedAt) / 1_000;
    isOver = true;
    await watching;
    // Files are removed beside the answer.
    for (let tries = 0; tries < 50 && server.temporaryFiles().length > 0; tries++) await pause(20);
    return {
      uploads: statuses.length,
      bytes: archives.reduce((sum, path) => sum + statSync(path).size, 0),
      seconds,
      refused: statuses.filter((status) => status !== 201),
      baseline,
      peak,
      temporaryFiles: server.temporaryFiles(),
    };
  } finally {
    await pool.destroy();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** What a first upload loads is none of the archives. */
async function uploadOne(url: string): Promise<void> {
  const client = new Client(url, 1);
  const query = 'mutation ($archive: File!) { uploadPack(archive: $archive) { __typename } }';
  await client.upload(OWNER_KEY, query, 'small');
  await client.close();
}

function writeArchive(path: string, name: string, mebibytes: number): string {
  const files = { 'data/noise.bin': randomBytes(mebibytes * 1024 ** 2) };
  writeFileSync(path, gzipped(tarOf(samplePackEntries({ name, files })), 0));
  return path;
}

async function send(pool: Pool, path: string): Promise<number> {
  async function* body() {
    yield `--${BOUNDARY}\r\ncontent-disposition: form-data; name="archive"; filename="a.tar.gz"\r\n\r\n`;
    yield* createReadStream(path);
    yield `\r\n--${BOUNDARY}--\r\n`;
  }
  const answer = await pool.request({
    method: 'POST',
    path: '/v1/packs/upload',
    headers: { authorization: `Bearer ${OWNER_KEY}`, 'content-type': MULTIPART },
    body: Readable.from(body()),
  });
  await answer.body.dump();
  return answer.statusCode;
}
