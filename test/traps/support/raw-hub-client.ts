import { negotiate } from '../../edge/support/negotiate.ts';
import { type Frame, frame, Opcode, RawSocket } from '../../edge/support/raw-socket.ts';

export interface RawHubClientOptions {
  /** `chat` when not given. */
  hub?: string;
  /** After `hub` and `id`. */
  query?: string;
}

/**
 * A WebSocket client of no particular library: sends whatever a test has it send, in frames of any
 * opcode, and shows the frames that come.
 */
export class RawHubClient implements Disposable {
  readonly connectionId: string;
  readonly socket: RawSocket;
  #taken = 0;

  /** Negotiates and upgrades, and says nothing. */
  static async open(edgeUrl: string, options: RawHubClientOptions = {}): Promise<RawHubClient> {
    const { hub = 'chat', query = '' } = options;
    const { connectionId, connectionToken, accessToken } = await negotiate(edgeUrl, { hub });
    const socket = new RawSocket(edgeUrl);
    const path = `/client/?hub=${hub}&id=${connectionToken}${query}`;
    const { status } = await socket.upgrade(path, { Authorization: `Bearer ${accessToken}` });
    if (!status.startsWith('HTTP/1.1 101')) throw new Error(status);
    return new RawHubClient(socket, connectionId);
  }

  /** `open`, then the handshake for `protocol`, in a Text frame, its answer read. */
  static async connect(
    edgeUrl: string,
    { protocol = 'json', ...options }: RawHubClientOptions & { protocol?: string } = {},
  ): Promise<RawHubClient> {
    const client = await RawHubClient.open(edgeUrl, options);
    client.text(`{"protocol":"${protocol}","version":1}`);
    const { payload } = await client.next();
    if (payload.toString() !== '{}\x1e') throw new Error(payload.toString());
    return client;
  }

  private constructor(socket: RawSocket, connectionId: string) {
    this.socket = socket;
    this.connectionId = connectionId;
  }

  /** Sends texts, a record each, as one Text frame. */
  text(...records: readonly string[]): void {
    this.send(Opcode.Text, records.map((record) => `${record}\x1e`).join(''));
  }

  /** Sends MessagePack, in hex digits with spaces among them, as one record in a Binary frame. */
  packed(digits: string): void {
    const body = Buffer.from(digits.replaceAll(' ', ''), 'hex');
    this.send(Opcode.Binary, Buffer.concat([Buffer.of(body.length), body]));
  }

  send(opcode: number, payload: Uint8Array | string): void {
    this.socket.write(frame(opcode, payload));
  }

  /** The next frame that this was not asked for yet, of whatever opcode. */
  async next(): Promise<Frame> {
    const at = this.#taken++;
    const { frames } = this.socket;
    await frames.first(() => frames.all.length > at, `frame ${at}`);
    return frames.all[at]!;
  }

  /** The next frame, as hex digits. */
  async nextHex(): Promise<string> {
    return (await this.next()).payload.toString('hex');
  }

  /** The next frame, its records without their separators. */
  async nextTexts(): Promise<string[]> {
    return (await this.next()).payload.toString().split('\x1e').slice(0, -1);
  }

  [Symbol.dispose](): void {
    this.socket[Symbol.dispose]();
  }
}
