import type { IncomingMessage } from 'node:http';

/** From the answer on; long enough for an upload of `MAX_ARCHIVE_BYTES` in most networks. */
const LONGEST_LINGER_MS = 10_000;

/**
 * Lets a client that is still sending read an answer that came before the end of its request, such as 401 or 413. Closing
 * the connection while bytes arrive resets it, and takes the answer away from whoever sends first and reads afterwards:
 * so its answer is ended, and what still comes is thrown away for a while (RFC 9112, section 9.6).
 */
export function linger(incoming: IncomingMessage): void {
  const { socket } = incoming;
  const { destroySoon } = socket;
  // By this the connection is closed, by Node after the answer and by the listener when it has read enough of the rest.
  socket.destroySoon = () => {
    if (incoming.complete || socket.destroyed) return destroySoon.call(socket);
    socket.end();
    // Whoever was reading it has given up, and would hold it back.
    incoming.removeAllListeners('data').resume();
    const gone = setTimeout(() => socket.destroy(), LONGEST_LINGER_MS);
    socket.once('close', () => clearTimeout(gone));
    incoming.once('end', () => socket.destroy());
  };
}
