import { connect, type Socket } from 'node:net';

/** How long an answer is waited for: most steps have none, or one that comes at once. */
const ANSWER_MS = 8;

export const ENDINGS = ['end', 'reset', 'destroy'] as const;

/** The TCP connections of one conversation, made when they are first written to. */
export class Sockets {
  readonly #host: string;
  readonly #port: number;
  readonly #piece: number;
  readonly #sockets = new Map<number, Socket>();

  /** `piece`: how many bytes go out at a time. */
  constructor(url: string, piece: number) {
    const { hostname, port } = new URL(url);
    this.#host = hostname;
    this.#port = Number(port);
    this.#piece = piece;
  }

  /** Resolves when something has come back, the connection has ended, or nothing comes. */
  async write(number: number, bytes: Buffer): Promise<void> {
    const socket = this.#sockets.get(number) ?? this.#open(number);
    if (socket.destroyed) return;
    const answered = new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        socket.off('data', done).off('close', done);
        resolve();
      };
      const timer = setTimeout(done, ANSWER_MS);
      socket.once('data', done).once('close', done);
    });
    const first = Math.min(this.#piece, bytes.length);
    socket.write(bytes.subarray(0, first));
    if (first < bytes.length) setImmediate(() => socket.write(bytes.subarray(first)));
    await answered;
  }

  end(how: (typeof ENDINGS)[number]): void {
    for (const socket of this.#sockets.values()) {
      if (how === 'reset') socket.resetAndDestroy();
      else if (how === 'end') socket.end(() => socket.destroy());
      else socket.destroy();
    }
  }

  #open(number: number): Socket {
    const socket = connect({ host: this.#host, port: this.#port, noDelay: true });
    // Whatever becomes of it is of no interest: it is the edge that is looked at.
    socket.on('error', () => {}).resume();
    this.#sockets.set(number, socket);
    return socket;
  }
}
