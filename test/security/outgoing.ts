/** Watches what this process sends out: every connection that it begins, every name that it looks up. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import dns from 'node:dns';
import { onTestFinished, vi } from 'vitest';
import { type HostileRegistry, startHostileRegistry } from '../support/hostile-registry.ts';

export interface Outgoing {
  /** `host:port` of each connection that an HTTP client began, whether or not anybody answered. */
  readonly connections: string[];
  readonly lookups: string[];
  /** Addresses that a socket tried to reach. */
  readonly attempts: string[];
}

/** From here to the end of the test; `resolved` gives names an address that no real DNS would. */
export function watchOutgoing(resolved: Readonly<Record<string, string>> = {}): Outgoing {
  const outgoing: Outgoing = { connections: [], lookups: [], attempts: [] };
  // undici publishes before it resolves or connects; Node's `fetch` is undici as well.
  const onConnect = (message: unknown) => {
    const { connectParams } = Object(message);
    outgoing.connections.push(String(connectParams.host));
  };
  const onSocket = (message: unknown) => {
    const { socket } = Object(message);
    socket.on('connectionAttempt', (address: string) => outgoing.attempts.push(address));
  };
  subscribe('net.client.socket', onSocket);
  subscribe('undici:client:beforeConnect', onConnect);
  const real = dns.lookup;
  // Its overloads are more than a function type can say; whatever came is handed on as it came.
  const watched: unknown = (...args: unknown[]) => {
    const [name] = args;
    outgoing.lookups.push(String(name));
    const address = resolved[String(name)];
    return Reflect.apply(real, dns, address === undefined ? args : [address, ...args.slice(1)]);
  };
  const spy = vi.spyOn(dns, 'lookup').mockImplementation(watched as typeof real);
  onTestFinished(() => {
    unsubscribe('net.client.socket', onSocket);
    unsubscribe('undici:client:beforeConnect', onConnect);
    spy.mockRestore();
  });
  return outgoing;
}

/** A server that nobody may reach; it would answer whatever it is asked. */
export async function startTrap(): Promise<HostileRegistry> {
  const trap = await startHostileRegistry(() => ({ status: 200, body: '{"token":"trap"}' }));
  onTestFinished(() => trap.stop());
  return trap;
}
