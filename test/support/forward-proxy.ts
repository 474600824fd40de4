import { createServer, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { onTestFinished } from 'vitest';

/** A proxy that leads every name to this machine, and notes what it was asked for. */
export async function startProxy(refuses = false) {
  const asked: string[] = [];
  const accounts: (string | undefined)[] = [];
  const proxy = createServer((incoming, outgoing) => {
    accounts.push(incoming.headers['proxy-authorization']);
    asked.push(`${incoming.method} ${incoming.url}`);
    const { port, pathname } = new URL(incoming.url ?? '');
    const { method, headers } = incoming;
    const on = request({ host: '127.0.0.1', port, path: pathname, method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 0, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(on);
  });
  proxy.on('connect', (incoming, socket) => {
    accounts.push(incoming.headers['proxy-authorization']);
    asked.push(`CONNECT ${incoming.url}`);
    if (refuses) return socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    const target = connect(Number(incoming.url?.split(':').at(-1)), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.pipe(target).pipe(socket);
    });
    socket.on('error', () => target.destroy());
    return target.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void proxy.close().closeAllConnections());
  // A TCP server that listens has an address with a port.
  return { url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, asked, accounts };
}
