import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

import type { Step } from './corpus.ts';

const HEAD_END = '\r\n\r\n';

/** Forwards TCP connections to an http URL, and keeps what comes from the peers as steps. */
export class Tap implements AsyncDisposable {
  readonly url: string;
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  #steps: Step[] = [];
  #sockets = 0;

  /** Listens on a free port of 127.0.0.1. */
  static async start(target: string): Promise<Tap> {
    const server = createServer({ noDelay: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Tap(server, target);
  }

  private constructor(server: Server, target: string) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { hostname, port } = new URL(target);
    server.on('connection', (near) => {
      const far = connect({ host: hostname, port: Number(port), noDelay: true });
      const socket = this.#sockets++;
      const cutter = new Cutter((step) => this.#steps.push({ socket, ...step }));
      near.on('data', (chunk: Buffer) => cutter.push(chunk));
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#open.add(from);
        from.pipe(to);
        from.on('error', () => to.destroy()).once('close', () => this.#open.delete(from));
      }
    });
  }

  /** What has been said since the last call, sockets numbered from 0. */
  take(): Step[] {
    const numbers = [...new Set(this.#steps.map(({ socket }) => socket))];
    const steps = this.#steps.map((step) => ({ ...step, socket: numbers.indexOf(step.socket) }));
    this.#steps = [];
    return steps;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    for (const socket of this.#open) socket.destroy();
    await once(this.#server, 'close');
  }
}

type Piece = { head: string; body: string } | { opcode: number; payload: string };

/** Cuts the bytes of a peer into requests and, after an upgrade, into frames. */
class Cutter {
  readonly #take: (piece: Piece) => void;
  #rest = Buffer.alloc(0);
  #upgraded = false;

  constructor(take: (piece: Piece) => void) {
    this.#take = take;
  }

  push(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    while (this.#upgraded ? this.#frame() : this.#request());
  }

  #request(): boolean {
    const end = this.#rest.indexOf(HEAD_END);
    if (end < 0) return false;
    const head = this.#rest.toString('latin1', 0, end + HEAD_END.length);
    const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
    const next = head.length + length;
    if (this.#rest.length < next) return false;
    const body = this.#rest.toString('latin1', head.length, next);
    this.#upgraded = /^upgrade: websocket/im.test(head);
    this.#rest = this.#rest.subarray(next);
    this.#take({ head: generalized(head), body });
    return true;
  }

  /** Peers mask all they say; the frames that are recorded are shorter than 64 KiB. */
  #frame(): boolean {
    const bytes = this.#rest;
    if (bytes.length < 2) return false;
    const short = bytes[1]! & 0x7f;
    const mask = short < 126 ? 2 : 4;
    if (bytes.length < mask + 4) return false;
    const start = mask + 4;
    const end = start + (short < 126 ? short : bytes.readUInt16BE(2));
    if (bytes.length < end) return false;
    const payload = Buffer.from(bytes.subarray(start, end));
    for (let i = 0; i < payload.length; i++) payload[i]! ^= bytes[mask + (i & 3)]!;
    this.#rest = bytes.subarray(end);
    this.#take({ opcode: bytes[0]! & 0x0f, payload: payload.toString('latin1') });
    return true;
  }
}

function generalized(head: string): string {
  return head
    .replace(/^(host): .*$/im, '$1: edge')
    .replace(/^(x-asrs-server-id): .*$/im, '$1: recorded')
    .replace(/^(content-length): \d+/im, '$1: {length}')
    .replace(/^(authorization): Bearer \S+/im, '$1: Bearer {token}')
    .replace(/([?&]access_token)=[^&\s]+/, '$1={token}')
    .replace(/([?&]id)=[^&\s]+/, '$1={id}')
    .replace(/([?&]hub)=[^&\s]+/, '$1={hub}')
    .replace(/([?&](?:_|cid))=[^&\s]+/, '$1=0');
}
