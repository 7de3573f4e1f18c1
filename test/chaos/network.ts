import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { type Readable, Transform } from 'node:stream';

/** One connection through a network, to be broken by itself. */
export class Link {
  readonly #near: Socket;
  readonly #far: Socket;
  /** What flows towards whom: `far` is the edge. */
  readonly #up: Readable;
  readonly #down: Readable;

  constructor(near: Socket, far: Socket, delayMs: number) {
    this.#near = near;
    this.#far = far;
    this.#up = delayMs === 0 ? near : near.pipe(delayed(delayMs));
    this.#down = delayMs === 0 ? far : far.pipe(delayed(delayMs));
    near.on('error', () => far.resetAndDestroy());
    far.on('error', () => near.resetAndDestroy());
    this.resume();
  }

  /** FIN to both, in the middle of whatever they say. */
  end(): void {
    this.#near.end();
    this.#far.end();
  }

  /** RST to both. */
  reset(): void {
    this.#near.resetAndDestroy();
    this.#far.resetAndDestroy();
  }

  /** Nothing moves any more, and nobody is told. */
  stall(): void {
    this.#up.unpipe(this.#far);
    this.stallDown();
  }

  /** What the edge says piles up. */
  stallDown(): void {
    this.#down.unpipe(this.#near);
  }

  resume(): void {
    // What is piped twice arrives twice.
    this.stall();
    this.#up.pipe(this.#far);
    this.#down.pipe(this.#near);
  }

  destroy(): void {
    this.#near.destroy();
    this.#far.destroy();
  }
}

/** A network in front of an edge, each of whose connections can be broken by itself. */
export class Network implements AsyncDisposable {
  /** With the scheme http and no slash at its end. */
  readonly url: string;
  /** Every connection that there ever was, in the order in which they were made. */
  readonly links: Link[] = [];
  readonly #server: Server;

  /** Listens on a free port of 127.0.0.1. `delayMs`: how long bytes travel, each way. */
  static async start(target: string, delayMs = 0): Promise<Network> {
    const server = createServer({ noDelay: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Network(server, target, delayMs);
  }

  private constructor(server: Server, target: string, delayMs: number) {
    const { hostname, port } = new URL(target);
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('connection', (near) => {
      const far = connect({ host: hostname, port: Number(port), noDelay: true });
      this.links.push(new Link(near, far, delayMs));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    for (const link of this.links) link.destroy();
    await once(this.#server, 'close');
  }
}

function delayed(delayMs: number): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      setTimeout(() => this.push(chunk), delayMs);
      done();
    },
    flush(done) {
      setTimeout(done, delayMs);
    },
  });
}
