import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A load balancer for TCP that nobody sticks to. */
export interface RoundRobinProxy {
  /** Of 127.0.0.1. */
  readonly port: number;
  /** How many connections each port has been given so far, in their order. */
  readonly counts: readonly number[];
  /** Resets every connection, and takes none any more. */
  stop(): Promise<void>;
}

/**
 * Gives each new connection to the next one of these ports of 127.0.0.1, or to the one after it where nobody
 * listens. Whoever keeps connections alive stays where it is for as long as it does.
 */
export async function startRoundRobinProxy(ports: readonly number[]): Promise<RoundRobinProxy> {
  const counts = ports.map(() => 0);
  const sockets = new Set<Socket>();
  let turn = 0;

  const keep = (socket: Socket, peer: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => peer.resetAndDestroy());
    socket.once('close', () => sockets.delete(socket));
    socket.pipe(peer);
  };
  const join = (near: Socket, triesLeft: number): void => {
    const at = turn++ % ports.length;
    const far = connect({ host: '127.0.0.1', port: ports[at]!, noDelay: true });
    const next = (): void => {
      if (triesLeft > 0 && !near.destroyed) join(near, triesLeft - 1);
      else near.resetAndDestroy();
    };
    far.once('error', next);
    far.once('connect', () => {
      far.off('error', next);
      counts[at]!++;
      keep(near, far);
      keep(far, near);
      near.resume();
      if (near.destroyed) far.resetAndDestroy();
    });
  };

  const server = createServer({ noDelay: true, pauseOnConnect: true, allowHalfOpen: true });
  server.on('connection', (near) => {
    // Until it is joined to somebody.
    near.on('error', () => {});
    join(near, ports.length - 1);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    counts,
    stop: async () => {
      server.close();
      for (const socket of sockets) socket.resetAndDestroy();
      await once(server, 'close');
    },
  };
}
