import type { ServiceMessage } from '@trunkline/protocol';
import {
  ConnectionDataView,
  decodeServiceMessage,
  frameBodyStart,
  MAX_SERVICE_MESSAGE_BYTES,
  MessageType,
  readConnectionData,
  RecordBuffer,
} from '@trunkline/protocol';
import type { Served } from '../served.ts';
import { isFew, isSlight } from './commands.ts';
import { handleMessage } from './handlers.ts';
import type { ServerContext } from './server-context.ts';
import type { ServerSession } from './server-session.ts';
import { readMessage } from './unreadable.ts';

/** So many frames of clients' data are passed on between two looks at the clock. */
const SLICE_FRAMES = 32;
/** A send to few, or a change of one's groups, costs as much as so many of those. */
const SLIGHT_FRAMES = 2;
/** A longer message may name very many whom it leaves out. */
const BRIEF_BYTES = 1024;
/** A longer frame of a client's data is a slice of its own: it may be one of many for other edges. */
const BRIEF_DATA_BYTES = 8 * 1024;

const view = new ConnectionDataView();

/**
 * The incoming half of a server connection, as `Trunk` is the outgoing one: the stream is cut into
 * frames, and each goes to the client it is for, or to whoever handles what the app server asks.
 * Frames are handled strictly in order, without waiting.
 */
export class Inbound {
  readonly #server: ServerSession;
  readonly #context: ServerContext;
  readonly #shakeHands: (message: ServiceMessage | undefined) => void;
  readonly #frames: RecordBuffer;
  readonly #takeFrame = (bytes: Uint8Array, start: number, end: number): boolean => {
    this.#inSlice += this.#frame(bytes, start, end);
    return this.#inSlice < SLICE_FRAMES;
  };
  /** What has been worked off since the clock was last looked at, in frames of clients' data. */
  #inSlice = 0;
  #waits = false;
  /** Frames passed on to clients since that was measured. */
  #relayed = 0;

  /** `shakeHands` is given what comes first. */
  constructor(
    server: ServerSession,
    context: ServerContext,
    shakeHands: (message: ServiceMessage | undefined) => void,
  ) {
    this.#server = server;
    this.#context = context;
    this.#shakeHands = shakeHands;
    const { outbox } = context;
    const release = (memory: Uint8Array): void => outbox.release(memory);
    this.#frames = new RecordBuffer(true, MAX_SERVICE_MESSAGE_BYTES, release);
  }

  /** Bytes kept of a frame that has begun and not ended. */
  get kept(): number {
    return this.#frames.reserved;
  }

  /**
   * Works off some frames, and answers how many bytes that was: 0 while other edges can be said no more for
   * its hub. Throws ProtocolError for what is no frame.
   */
  work(bytes: Buffer): number {
    if (this.#mustWait()) return 0;
    this.#inSlice = 0;
    return this.#frames.push(bytes, this.#takeFrame);
  }

  #mustWait(): boolean {
    const { isShakingHands, hub, serverId } = this.#server;
    const mustWait = !isShakingHands && !hub.others.haveRoom;
    if (mustWait && !this.#waits) {
      const details = { hub: hub.name, serverId };
      this.#context.digest.warn(details, 'app server waits: the bus is behind');
    }
    this.#waits = mustWait;
    return mustWait;
  }

  /** How long ago, in milliseconds, what has been worked off now had come. */
  worked(ms: number): void {
    if (this.#relayed === 0) return;
    this.#context.counters.serverToClientSeconds.observe(ms / 1000, this.#relayed);
    this.#relayed = 0;
  }

  /** Its peer has gone: a frame that has begun will not end. */
  drop(): void {
    this.#frames.drop();
  }

  /** Handles a frame, and answers what that has cost: `SLICE_FRAMES` if it may have been much. */
  #frame(bytes: Uint8Array, start: number, end: number): number {
    const server = this.#server;
    if (!server.listens) return 1;
    const { counters, clients, guests } = this.#context;
    counters.messagesFromServers++;
    const { isShakingHands } = server;
    if (!isShakingHands && readConnectionData(bytes, start, end, view)) {
      const { idStart, idEnd } = view;
      const client = clients.find(bytes, idStart, idEnd) ?? guests.find(bytes, idStart, idEnd);
      this.#relay(client, bytes.subarray(view.payloadStart, view.payloadEnd));
      return end - start <= BRIEF_DATA_BYTES ? 1 : SLICE_FRAMES;
    }
    const body = frameBodyStart(bytes, start);
    if (isShakingHands) {
      this.#shakeHands(decodeServiceMessage(bytes, body, end));
      return SLICE_FRAMES;
    }
    const message = readMessage(bytes, body, end, server, this.#context);
    if (message?.type === MessageType.ConnectionData) {
      const { connectionId, payload } = message;
      this.#relay(clients.get(connectionId) ?? guests.get(connectionId), payload);
    } else if (message !== undefined) {
      const { sum: recipients } = counters.fanoutRecipients;
      handleMessage(message, bytes.subarray(body, end), server, this.#context);
      const isToFew = isFew(counters.fanoutRecipients.sum - recipients);
      const isBrief = end - start <= BRIEF_BYTES;
      if (isToFew && isBrief && isSlight(message, server.hub)) return SLIGHT_FRAMES;
    }
    return SLICE_FRAMES;
  }

  /** A frame for a connection that is gone, or that another server has, is dropped: section 8.3. */
  #relay(client: Served | undefined, payload: Uint8Array): void {
    if (client?.host !== this.#server) {
      this.#context.counters.unknownConnections++;
      return;
    }
    this.#relayed++;
    client.fromHost(payload);
  }
}
