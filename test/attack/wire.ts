import { randomUUID } from 'node:crypto';
import { connect, type Socket } from 'node:net';

import { ConnectionType, encodeServiceMessage, MessageType } from '@trunkline/protocol';
import { MigrationLevel, PROTOCOL_VERSION } from '@trunkline/protocol';
import { DEVELOPMENT_ACCESS_KEY, mintServerToken } from '@trunkline/tokens';

import { JSON_HANDSHAKE } from '../edge/support/hub-client.ts';
import { frame, Opcode, UPGRADE } from '../edge/support/raw-socket.ts';
import { userToken } from '../edge/support/tokens.ts';
import type { Target } from './attack.ts';
import { Line } from './line.ts';

/** All that an attacker sends goes through it. */
const LINE = new Line();
/** So much takes its turn on the line. */
const PACKET_BYTES = 64 * 1024;

/**
 * A TCP connection of an attacker: writes as fast as it is read and the attacker's line allows, drops
 * what it hears, and never throws, since to be cut is what an attacker expects.
 */
export class Wire {
  /** Resolves when the connection is over, whoever ended it. */
  readonly ended: Promise<void>;
  readonly #socket: Socket;
  #over = false;

  static async open(url: string): Promise<Wire> {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    const wire = new Wire(socket);
    await Promise.race([new Promise((resolve) => socket.once('connect', resolve)), wire.ended]);
    return wire;
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', () => {}).on('error', () => {});
    this.ended = new Promise((resolve) => {
      socket.once('close', () => {
        this.#over = true;
        resolve();
      });
    });
  }

  get over(): boolean {
    return this.#over;
  }

  /**
   * Resolves when the bytes have left this process, or the connection is over; in a later turn of
   * the event loop, so that who sends without end can still be told to end.
   */
  async send(bytes: Uint8Array | string): Promise<void> {
    const all = Buffer.from(bytes);
    for (let at = 0; at < all.length && !this.#over; at += PACKET_BYTES) {
      const packet = all.subarray(at, at + PACKET_BYTES);
      await LINE.carry(packet.length);
      const written = new Promise((resolve) => this.#socket.write(packet, resolve));
      await Promise.race([written, this.ended]);
    }
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Sends, and waits until something is heard, or the connection is over. */
  async ask(bytes: Uint8Array | string): Promise<void> {
    if (this.#over) return;
    const heard = new Promise((resolve) => this.#socket.once('data', resolve));
    await this.send(bytes);
    await Promise.race([heard, this.ended]);
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** The head of a request, whole. */
export function head(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\nHost: edge\r\n${lines.join('')}\r\n`;
}

/** A client on a WebSocket that has said its handshake, and waits for nothing. */
export async function greetingClient({ url, hub }: Target, userId?: string): Promise<Wire> {
  const wire = await Wire.open(url);
  const path = `/client/?hub=${hub}&access_token=${userToken(hub, userId)}`;
  await wire.ask(head('GET', path, UPGRADE));
  return wire;
}

/** A client on a WebSocket whose hub has let it in, or a connection that is over. */
export async function openClient(target: Target, userId?: string): Promise<Wire> {
  const wire = await greetingClient(target, userId);
  await wire.ask(frame(Opcode.Text, JSON_HANDSHAKE));
  return wire;
}

/** A server connection of the attacker's hub, which is given no clients of it. */
export async function openServer({ url, hub }: Target): Promise<Wire> {
  const wire = await Wire.open(url);
  const key = DEVELOPMENT_ACCESS_KEY;
  const token = mintServerToken({ audienceBase: `${url}/`, hub, serverId: 'attacker', key });
  const headers = { ...UPGRADE, Authorization: `Bearer ${token}` };
  await wire.ask(head('GET', `/server/?hub=${hub}&cid=${randomUUID()}`, headers));
  const request = encodeServiceMessage({
    type: MessageType.HandshakeRequest,
    version: PROTOCOL_VERSION,
    connectionType: ConnectionType.Weak,
    target: '',
    migrationLevel: MigrationLevel.Off,
  });
  await wire.ask(frame(Opcode.Binary, request));
  return wire;
}
