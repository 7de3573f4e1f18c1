import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { Transform } from 'node:stream';

/** A network to break: forwards TCP connections to a target that may change, or be absent. */
export class TcpProxy implements AsyncDisposable {
  /** Of the proxy, with the scheme http and no slash at its end. */
  readonly url: string;
  /** What each new connection carries in either direction, at most; as much as comes where it is undefined. */
  bytesPerSecond: number | undefined;
  /** The http URL that new connections go to; where there is none, they are reset. */
  target: string | undefined;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** The two halves of each connection, the oldest first. */
  readonly #links = new Set<readonly [near: Socket, far: Socket]>();

  /** Listens on a free port of 127.0.0.1. */
  static async start(target?: string): Promise<TcpProxy> {
    const server = createServer({ noDelay: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TcpProxy(server, target);
  }

  private constructor(server: Server, target: string | undefined) {
    this.#server = server;
    this.target = target;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('connection', (socket) => this.#forward(socket));
  }

  /** Resets every connection, on both sides. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Resets the oldest connection, on both sides. */
  cutOne(): void {
    const [oldest] = this.#links;
    for (const socket of oldest ?? []) socket.resetAndDestroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.cut();
    await once(this.#server, 'close');
  }

  #forward(near: Socket): void {
    if (this.target === undefined) {
      near.resetAndDestroy();
      return;
    }
    const { hostname, port } = new URL(this.target);
    const far = connect({ host: hostname, port: Number(port), noDelay: true });
    const link = [near, far] as const;
    this.#links.add(link);
    near.once('close', () => this.#links.delete(link));
    this.#join(near, far);
    this.#join(far, near);
  }

  /** What `from` says goes to `to`, its end and its failure included. */
  #join(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.on('error', () => to.resetAndDestroy());
    from.once('close', () => this.#sockets.delete(from));
    if (this.bytesPerSecond === undefined) from.pipe(to);
    else from.pipe(slowed(this.bytesPerSecond)).pipe(to);
  }
}

const MAKES_UP_MS = 50;

/** Passes on so many bytes a second, and takes no more than that. */
function slowed(bytesPerSecond: number): Transform {
  let freeAt = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, then) {
      const now = performance.now();
      // What a busy machine was late with is made up for.
      freeAt = Math.max(freeAt, now - MAKES_UP_MS) + (chunk.length * 1000) / bytesPerSecond;
      if (freeAt <= now) then(null, chunk);
      else setTimeout(() => then(null, chunk), freeAt - now);
    },
  });
}
