/**
 * A TCP proxy in front of a real server: the network between the two, which can be slow, trickle, cut answers and be
 * away. It knows nothing of HTTP; links in answers lead through it, because the `Host` stays as the client wrote it.
 */
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** What the network does until it is told otherwise; each function is asked once for each piece that arrives. */
export interface Trouble {
  /** Milliseconds that a piece of a request is held back. What its sender no longer waits for is not delivered. */
  readonly requestDelay?: () => number;
  /** Told of each piece of a request, once it has been passed on. */
  readonly requestPassed?: (piece: Buffer) => void;
  /** Milliseconds that a piece of an answer is held back. */
  readonly answerDelay?: () => number;
  /** Answers come in pieces of so many bytes, one every 10 ms. */
  readonly trickle?: number;
  /** How many bytes of a piece of an answer still pass before the connection is reset; null: all, and no reset. */
  readonly cutAfter?: (piece: Buffer) => number | null;
}

export interface UnsteadyLink {
  readonly url: URL;
  /** How many connections have been cut so far. */
  readonly cuts: number;
  /** `null`: the network is well again. */
  trouble: Trouble | null;
  /** Refuses connections and ends those there are, as a dead host does. */
  goAway(): Promise<void>;
  comeBack(): Promise<void>;
  stop(): Promise<void>;
}

/** @param port where to listen; any free one unless told */
export async function startUnsteadyLink(target: URL, port = 0): Promise<UnsteadyLink> {
  const sockets = new Set<Socket>();
  const link = { trouble: null as Trouble | null, cuts: 0 };
  const server = createServer({ noDelay: true }, (client) => {
    const onward = createConnection({
      host: target.hostname,
      port: Number(target.port),
      noDelay: true,
    });
    for (const socket of [client, onward]) {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      // Both sides die on purpose here.
      socket.on('error', () => undefined);
    }
    const cut = () => {
      client.resetAndDestroy();
      onward.destroy();
    };
    client.once('close', () => onward.destroy());
    onward.once('close', () => client.destroy());
    carry(client, onward, async (piece) => {
      await held(link.trouble?.requestDelay);
      onward.write(piece);
      link.trouble?.requestPassed?.(piece);
    });
    carry(onward, client, async (piece) => {
      await held(link.trouble?.answerDelay);
      const passing = link.trouble?.cutAfter?.(piece) ?? null;
      if (passing !== null) {
        link.cuts++;
        return void client.write(piece.subarray(0, passing), cut);
      }
      const step = link.trouble?.trickle ?? piece.length;
      for (let at = 0; at < piece.length && !client.destroyed; at += step) {
        if (at > 0) await pause(10);
        client.write(piece.subarray(at, at + step));
      }
    });
  });
  const listen = (at: number) =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(at, '127.0.0.1', () => {
        server.off('error', reject);
        resolve();
      });
    });
  await listen(port);
  // A TCP server that listens has an address with a port.
  const { port: own } = server.address() as AddressInfo;
  const goAway = async () => {
    if (!server.listening) return;
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return Object.assign(link, {
    url: new URL(`${target.protocol}//127.0.0.1:${own}`),
    goAway,
    comeBack: () => listen(own),
    stop: goAway,
  });
}

const held = async (delay: (() => number) | undefined): Promise<void> => {
  const milliseconds = delay?.() ?? 0;
  if (milliseconds > 0) await pause(milliseconds);
};

/** One piece after the other, in order; a reader that is slow slows its writer down. */
function carry(from: Socket, to: Socket, deliver: (piece: Buffer) => Promise<void>): void {
  from.on('data', (piece: Buffer) => {
    from.pause();
    void deliver(piece).then(() => from.resume());
  });
  from.once('end', () => to.end());
}
