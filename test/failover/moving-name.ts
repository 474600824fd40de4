/** A name that clients connect to and that can be moved: a TCP proxy, as a virtual address or a DNS record would be. */
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net';

export interface MovingName {
  readonly port: number;
  /** New connections lead to another port from now on; those there are stay where they lead to. */
  move(port: number): void;
  /** Those there are deliver nothing any more, and nobody is told: the machine behind them has lost its power. */
  silence(): void;
  close(): Promise<void>;
}

export async function startMovingName(port: number): Promise<MovingName> {
  let target = port;
  const pairs = new Set<readonly [Socket, Socket]>();
  const clients = new Set<Socket>();
  const server = createServer({ noDelay: true }, (client) => {
    const onward = createConnection({ host: '127.0.0.1', port: target, noDelay: true });
    const pair = [client, onward] as const;
    pairs.add(pair);
    clients.add(client);
    client.once('close', () => clients.delete(client));
    client.pipe(onward);
    onward.pipe(client);
    for (const socket of pair) {
      // Both ends die on purpose here.
      socket.on('error', () => undefined);
      socket.once('close', () => {
        if (!pairs.delete(pair)) return;
        for (const end of pair) end.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    // A TCP server that listens has an address with a port.
    port: (server.address() as AddressInfo).port,
    move(to) {
      target = to;
    },
    silence() {
      for (const pair of pairs) {
        const [client, onward] = pair;
        // Forgotten, so that the end of one end is no news to the other.
        pairs.delete(pair);
        client.unpipe(onward);
        onward.unpipe(client);
        client.resume();
        onward.destroy();
      }
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const client of clients) client.destroy();
      await closed;
    },
  };
}
