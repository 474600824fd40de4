import { onTestFinished } from 'vitest';
import { listen } from '../../src/server/server.ts';
import type { Gateway } from './gateway.ts';

/** Puts a gateway behind the listener of the real server, until the test finishes; answers its origin. */
export async function listening(gateway: Gateway): Promise<string> {
  const server = await listen(gateway.app, 0, '127.0.0.1');
  onTestFinished(() => server.close());
  return `http://127.0.0.1:${server.port}`;
}
