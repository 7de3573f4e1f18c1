import type { MessageFromServer, MessageFromService } from '@trunkline/protocol';
import {
  decodeServiceMessage,
  encodeServiceMessage,
  frameBodyStart,
  MAX_SERVICE_MESSAGE_BYTES,
  MessageType,
  RecordBuffer,
} from '@trunkline/protocol';
import { FakeSocket } from './fake-socket.test-support.ts';
import type { ServerSession } from './server/server-session.ts';
import { readable, turn, wire } from './wire.test-support.ts';

/** A service message in a short form that tests can compare. */
function brief(message: MessageFromService): unknown[] {
  switch (message.type) {
    case MessageType.HandshakeResponse:
      return ['handshake', message.errorMessage];
    case MessageType.Ping:
      return ['ping', ...message.entries];
    case MessageType.OpenConnection:
      return ['open', message.connectionId, message.protocol];
    case MessageType.ConnectionData:
      return ['data', message.connectionId, readable(message.payload)];
    case MessageType.CloseConnection:
      return ['close', message.connectionId, message.errorMessage];
    case MessageType.Ack:
      return ['ack', message.ackId, message.status];
    default:
      return [message.type];
  }
}

/** An app server's end of a server connection. */
export class FakeServer {
  readonly socket = new FakeSocket();
  readonly session: ServerSession;
  readonly #frames = new RecordBuffer(true, MAX_SERVICE_MESSAGE_BYTES);
  #read = 0;

  constructor(session: ServerSession) {
    this.session = session;
    this.socket.open(session);
  }

  says(...messages: readonly MessageFromServer[]): void {
    this.socket.receive(Buffer.concat(messages.map(encodeServiceMessage)));
  }

  /** The same in WebSocket messages of so many bytes, wherever that cuts. */
  saysInPieces(messages: readonly MessageFromServer[], bytes: number): void {
    const all = Buffer.concat(messages.map(encodeServiceMessage));
    for (let start = 0; start < all.length; start += bytes) {
      this.socket.receive(all.subarray(start, start + bytes));
    }
  }

  /** ConnectionData for a client. */
  data(client: { readonly id: string }, text: string): void {
    this.says({
      type: MessageType.ConnectionData,
      connectionId: client.id,
      payload: wire(text),
    });
  }

  closes(client: { readonly id: string }, errorMessage = ''): void {
    const { id: connectionId } = client;
    this.says({
      type: MessageType.CloseConnection,
      connectionId,
      errorMessage,
      headers: new Map(),
    });
  }

  shakesHands(connectionType = 0, version = 1, migrationLevel = 0): void {
    this.says({
      type: MessageType.HandshakeRequest,
      version,
      connectionType,
      target: '',
      migrationLevel,
    });
  }

  /** The messages that have come since this was last asked, this turn's included. */
  async messages(): Promise<MessageFromService[]> {
    await turn();
    return this.read();
  }

  /** Those that have come so far. */
  read(): MessageFromService[] {
    const messages: MessageFromService[] = [];
    for (const frame of this.socket.bytes.slice(this.#read)) {
      this.#frames.push(frame, (bytes, start, end) => {
        const copy = Buffer.from(bytes.subarray(frameBodyStart(bytes, start), end));
        messages.push(decodeServiceMessage(copy) as MessageFromService);
      });
    }
    this.#read = this.socket.bytes.length;
    return messages;
  }

  /** The same, in short forms. */
  async heard(): Promise<unknown[][]> {
    return (await this.messages()).map(brief);
  }
}
