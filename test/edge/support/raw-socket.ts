import { connect, type Socket } from 'node:net';

import { deadline, FrameReader, Mailbox } from '@trunkline/testing';

/** A WebSocket frame of the edge. */
export interface Frame {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** What an HTTP server answered, up to the end of the head. */
export interface Answer {
  /** `HTTP/1.1 401 Unauthorized` */
  readonly status: string;
  readonly headers: ReadonlyMap<string, string>;
  /** What has come of the body, or of what follows an upgrade. */
  readonly rest: Buffer;
}

export const Opcode = { Continuation: 0, Text: 1, Binary: 2, Close: 8, Ping: 9, Pong: 10 } as const;

const HEAD_END = '\r\n\r\n';
const ANSWER_MS = 5_000;

/**
 * A TCP connection to an edge, for everything that no HTTP or WebSocket library would send. Stays
 * open on its own side when the edge ends its half, as a peer does that has vanished.
 */
export class RawSocket implements Disposable {
  readonly frames = new Mailbox<Frame>();
  readonly connected: Promise<void>;
  /** Resolves when the edge has ended or reset the connection. */
  readonly ended: Promise<void>;
  readonly #socket: Socket;
  readonly #head: Promise<Answer>;
  #received = Buffer.alloc(0);
  #reader: FrameReader | undefined;

  constructor(url: string) {
    const { hostname, port } = new URL(url);
    const socket = connect({
      host: hostname,
      port: Number(port),
      allowHalfOpen: true,
      noDelay: true,
    });
    this.#socket = socket;
    this.connected = new Promise((resolve) => {
      socket.once('connect', resolve);
    });
    this.#head = new Promise((resolve) => {
      socket.on('data', (chunk: Buffer) => {
        if (this.#reader !== undefined) return this.#read(chunk);
        this.#received = Buffer.concat([this.#received, chunk]);
        if (this.#received.includes(HEAD_END)) resolve(parseHead(this.#received));
      });
    });
    this.ended = new Promise((resolve) => {
      const end = (): void => {
        this.frames.end('the edge has ended the connection');
        resolve();
      };
      socket.once('end', end).once('close', end).on('error', end);
    });
  }

  write(bytes: Uint8Array | string): void {
    this.#socket.write(bytes);
  }

  /** Everything that has come before an upgrade. */
  get text(): string {
    return this.#received.toString('latin1');
  }

  answer(): Promise<Answer> {
    return deadline(this.#head, ANSWER_MS, 'no HTTP answer came');
  }

  /** Sends a request without a body. */
  request(method: string, path: string, headers: Readonly<Record<string, string>> = {}): void {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    this.write(`${[`${method} ${path} HTTP/1.1`, 'Host: edge', ...lines].join('\r\n')}${HEAD_END}`);
  }

  /** Asks for a WebSocket; from a 101 on, `frames` is filled. */
  async upgrade(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    this.request('GET', path, { ...UPGRADE, ...headers });
    return await this.upgraded();
  }

  /** The same for a request that has been written otherwise. */
  async upgraded(): Promise<Answer> {
    const answer = await this.answer();
    if (answer.status.startsWith('HTTP/1.1 101')) {
      this.#reader = new FrameReader();
      this.#read(answer.rest);
    }
    return answer;
  }

  /** Reads no more, so that the edge's bytes pile up. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Reads once, at most 64 KB, and then no more. */
  async readOnce(): Promise<void> {
    const read = new Promise<void>((resolve) => {
      this.#socket.once('data', () => {
        this.#socket.pause();
        resolve();
      });
    });
    this.#socket.resume();
    await Promise.race([read, this.ended]);
  }

  /** Ends its own half; goes on reading. */
  end(): void {
    this.#socket.end();
  }

  /** Ends the connection with an RST. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    this.#reader!.read(chunk, chunk.length, (opcode, bytes, start, end) => {
      this.frames.add({ opcode, payload: Buffer.from(bytes.subarray(start, end)) });
    });
  }
}

/** What a request for a WebSocket says. */
export const UPGRADE = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
} as const;

/** A client's frame, masked by a key of zeros; of any opcode and any length. */
export function frame(opcode: number, payload: Uint8Array | string, fin = true): Buffer {
  const bytes = Buffer.from(payload);
  const header = Buffer.alloc(14);
  header[0] = (fin ? 0x80 : 0) | opcode;
  header[1] = 0x80 | 127;
  header.writeBigUInt64BE(BigInt(bytes.length), 2);
  if (bytes.length > 0xffff) return Buffer.concat([header, bytes]);
  const short = bytes.length < 126;
  header[1] = 0x80 | (short ? bytes.length : 126);
  if (!short) header.writeUInt16BE(bytes.length, 2);
  header.fill(0, short ? 2 : 4);
  return Buffer.concat([header.subarray(0, short ? 6 : 8), bytes]);
}

function parseHead(received: Buffer): Answer {
  const end = received.indexOf(HEAD_END);
  const [status = '', ...lines] = received.toString('latin1', 0, end).split('\r\n');
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
    }),
  );
  return { status, headers, rest: Buffer.from(received.subarray(end + HEAD_END.length)) };
}
