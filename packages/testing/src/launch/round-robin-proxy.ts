import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A load balancer for TCP that nobody sticks to. Disposing of it resets every connection. */
export interface RoundRobinProxy extends AsyncDisposable {
  /** With the scheme http and no slash at its end. */
  readonly url: string;
  /** How many connections each target has been given so far, in their order. */
  readonly counts: readonly number[];
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Gives each new connection to the next one of these http URLs, or to the one after it where nobody
 * listens. Whoever keeps connections alive stays where it is for as long as it does.
 */
export async function startRoundRobinProxy(targets: readonly string[]): Promise<RoundRobinProxy> {
  const hosts = targets.map((target) => new URL(target));
  const counts = hosts.map(() => 0);
  const sockets = new Set<Socket>();
  let turn = 0;

  const keep = (socket: Socket, peer: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => peer.resetAndDestroy());
    socket.once('close', () => sockets.delete(socket));
    socket.pipe(peer);
  };
  const join = (near: Socket, triesLeft: number): void => {
    const at = turn++ % hosts.length;
    const { hostname, port } = hosts[at]!;
    const far = connect({ host: hostname, port: Number(port), noDelay: true });
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
    join(near, hosts.length - 1);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    counts,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.resetAndDestroy();
      await once(server, 'close');
    },
  };
}
