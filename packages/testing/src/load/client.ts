import { connect, type Socket } from 'node:net';

import { closeFrame, FrameReader } from './frames.ts';
import { HANDSHAKE_FRAME, RECORD_SEPARATOR } from './hub-messages.ts';

/** Where a client connects, and as whom. */
export interface ClientOptions {
  host: string;
  port: number;
  token: string;
  /** Distinguishes the client's cookie from the other clients' cookies. */
  number: number;
}

/** Who hears about a client. Bytes are lent for the call. */
export interface ClientOwner {
  /** The hub handshake is done. */
  opened(client: LoadClient): void;
  /** The connection ended, for whatever reason; after this nothing more is heard. */
  closed(client: LoadClient, reason: string): void;
  /** One hub message, without its record separator. */
  received(client: LoadClient, bytes: Buffer, start: number, end: number): void;
}

/**
 * Clients connect from 127.0.0.2 and those after it. The system looks for a free port one by one, in a
 * quarter of an address's 28,000 first: with few addresses the last clients wait long for theirs.
 */
const LOCAL_ADDRESSES = 128;

const OPCODE_TEXT = 1;
const OPCODE_BINARY = 2;
const OPCODE_CLOSE = 8;
const CLOSE_FRAME = closeFrame();
const HEADER_END = '\r\n\r\n';
/** Filled and emptied within one callback, so one is enough for all clients of the process. */
const READ_BUFFER = Buffer.allocUnsafeSlow(256 * 1024);

/**
 * One SignalR client on a bare socket, JSON protocol, straight to the WebSocket without negotiate.
 * Hand-made because a load generator has to cost far less than the server it measures.
 */
export class LoadClient {
  readonly #socket: Socket;
  readonly #owner: ClientOwner;
  readonly #frames = new FrameReader();
  readonly #onFrame = this.#frame.bind(this);
  #state: 'upgrading' | 'handshaking' | 'open' | 'closed' = 'upgrading';
  /** The beginning of the answer to the upgrade request. */
  #answer = '';
  #leaving = false;
  #reason = 'the connection ended without a close frame';
  /** The latest invocation's id: they count up over the whole connection, as every client's do. */
  lastId = 0;

  constructor(options: ClientOptions, owner: ClientOwner) {
    this.#owner = owner;
    const { host, port, number } = options;
    const callback = (size: number): boolean => {
      this.#read(size);
      return true;
    };
    this.#socket = connect({
      host,
      port,
      localAddress: `127.0.0.${2 + (number % LOCAL_ADDRESSES)}`,
      noDelay: true,
      onread: { buffer: READ_BUFFER, callback },
    });
    this.#socket.on('error', (error) => (this.#reason = error.message));
    this.#socket.once('close', () => owner.closed(this, `${this.#reason} (${this.#state})`));
    this.#socket.write(upgradeRequest(options), 'latin1');
  }

  /** Hands a whole frame to the socket. */
  write(frame: Buffer): void {
    this.#socket.write(frame);
  }

  /**
   * Leaves in good order; `closed` follows. The server is left to end the connection, because who
   * ends it first keeps its port in TIME_WAIT, and clients run out of ports where servers do not.
   */
  close(): void {
    this.#leaving = true;
    this.write(CLOSE_FRAME);
  }

  /** Leaves at once and without a trace; `closed` follows. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  #read(size: number): void {
    try {
      if (this.#state === 'upgrading') this.#upgrade(READ_BUFFER.toString('latin1', 0, size));
      else this.#frames.read(READ_BUFFER, size, this.#onFrame);
    } catch (error) {
      this.#fail((error as Error).message);
    }
  }

  #upgrade(text: string): void {
    this.#answer += text;
    const end = this.#answer.indexOf(HEADER_END);
    if (end < 0) return;
    if (!this.#answer.startsWith('HTTP/1.1 101')) {
      this.#fail(`the upgrade was refused: ${this.#answer.slice(0, 300)}`);
      return;
    }
    const early = Buffer.from(this.#answer.slice(end + HEADER_END.length), 'latin1');
    this.#answer = '';
    this.#state = 'handshaking';
    this.write(HANDSHAKE_FRAME);
    this.#frames.read(early, early.length, this.#onFrame);
  }

  #frame(opcode: number, bytes: Buffer, start: number, end: number): void {
    if (opcode === OPCODE_TEXT || opcode === OPCODE_BINARY) this.#records(bytes, start, end);
    else if (opcode === OPCODE_CLOSE && !this.#leaving) {
      const code = end - start >= 2 ? bytes.readUInt16BE(start) : 'no status';
      this.#fail(`closed with ${code} ${bytes.toString('utf8', start + 2, end)}`.trimEnd());
    }
  }

  /** A frame holds whole hub messages, one or more (client protocol reference, section 2.1). */
  #records(bytes: Buffer, start: number, end: number): void {
    if (bytes[end - 1] !== RECORD_SEPARATOR) throw new Error('a frame cuts a hub message');
    for (let at = start; at < end;) {
      const recordEnd = bytes.indexOf(RECORD_SEPARATOR, at);
      if (this.#state === 'open') this.#owner.received(this, bytes, at, recordEnd);
      else this.#handshake(bytes.toString('utf8', at, recordEnd));
      at = recordEnd + 1;
    }
  }

  #handshake(answer: string): void {
    if (this.#state !== 'handshaking') return;
    if (answer !== '{}') {
      this.#fail(`the hub handshake was answered with ${answer}`);
      return;
    }
    this.#state = 'open';
    this.#owner.opened(this);
  }

  #fail(reason: string): void {
    this.#state = 'closed';
    this.#reason = reason;
    this.#socket.destroy();
  }
}

/** The upgrade of a browser: about 300 bytes of headers besides those of WebSocket itself. */
function upgradeRequest({ host, port, token, number }: ClientOptions): string {
  const session = number.toString(16).padStart(32, '0');
  return [
    'GET /client/?hub=bench HTTP/1.1',
    `Host: ${host}:${port}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Origin: https://chat.example.com',
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) ' +
      'Chrome/126.0.0.0 Safari/537.36',
    'Accept-Language: en-GB,en;q=0.9,de;q=0.8',
    `Cookie: session=${session}; theme=dark; consent=all`,
    `Authorization: Bearer ${token}`,
    HEADER_END.slice(2),
  ].join('\r\n');
}
