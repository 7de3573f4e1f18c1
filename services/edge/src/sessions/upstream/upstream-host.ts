import type { MessageFromService } from '@trunkline/protocol';
import {
  classifyRecord,
  encodeErrorCompletion,
  encodeHandshakeError,
  HANDSHAKE_SUCCESS,
  handshakeErrors,
  hubProtocol,
  HubMessageType,
  MAX_HUB_PROTOCOL_VERSION,
  MAX_SERVICE_MESSAGE_BYTES,
  MessageType,
  MigrationLevel,
  readHandshakeRequest,
  readInvocationHead,
  recordEnd,
  RecordInfo,
  unframed,
} from '@trunkline/protocol';
import { DenseList } from '../../model/dense-list.ts';
import type { CloseReason } from '../close-reason.ts';
import { CLIENT_CLOSE_REASONS as REASONS } from '../close-reason.ts';
import type { PooledHost } from '../host.ts';
import { mayMove } from '../migration-policy.ts';
import type { Served } from '../served.ts';
import { QUIET_SECONDS } from '../served.ts';
import { ClientEvents } from './client-events.ts';
import type { UpstreamContext } from './upstream-context.ts';

/** A client that pings its hub is lost when nothing has come from it for so long (section 5.8). */
const SILENCE_SECONDS = 30;

/** How many clients that no app server takes are looked at in a row: it is the same with the next ones. */
const MOST_IN_VAIN = 100;
/** How many are looked at in all when some are to leave. */
const MOST_LOOKS = 5_000;

const STREAMS = 'Streams are served by app servers only, and no app server is connected.';

const CONNECTED = Buffer.from('{"type":10}');

const info = new RecordInfo();

/** A client in the care of an upstream. */
interface Ward {
  readonly binary: boolean;
  readonly protocol: string;
  readonly events: ClientEvents;
  /** When something last came from it, on the edge's tick; undefined until it has pinged. */
  heard: number | undefined;
  /** It goes to an app server as soon as its calls are answered. */
  isLeaving: boolean;
}

/**
 * Serves the clients of one hub without an app server: does for each what an app server would, and
 * tells upstreams what happens (REST and serverless reference, section 5).
 */
export class UpstreamHost implements PooledHost {
  readonly serverId = 'upstream';
  /** An upstream keeps nothing in a process for each connection. */
  readonly migrationLevel = MigrationLevel.Any;
  /** It gives way to app servers: who leaves it is moved, and not for the sake of equal shares. */
  readonly isDeparting = true;
  readonly isFull = false;
  readonly mayRefuse = false;
  readonly offer = undefined;
  readonly carriesClients = true;
  readonly takesClients = true;
  readonly wouldTakeClients = false;
  readonly software = {
    reopensClients: true,
    passesAnswers: true,
    losesEarlyAnswers: false,
    restsStreams: false,
    updatesClaims: false,
  };
  readonly #clients = new DenseList<'placeAtHost', Served>('placeAtHost');
  readonly #wards = new Map<Served, Ward>();
  readonly #context: UpstreamContext;
  /** Where in the list of clients it is looked next for one that may leave. */
  #nextLook = 0;

  constructor(context: UpstreamContext) {
    this.#context = context;
  }

  get clients(): readonly Served[] {
    return this.#clients.items;
  }

  /** Takes a client on. One that comes from an app server has had its handshake. */
  open(client: Served, protocol: string, handshake: Uint8Array, migratedFrom?: string): void {
    client.host = this;
    this.#clients.add(client);
    const isNew = migratedFrom === undefined;
    const refusal = isNew ? refusalOf(handshake) : undefined;
    // Later: who opens a client has more to do for it before it may be answered.
    if (isNew) this.#context.time.endOfTurn(() => this.#answer(client, refusal));
    if (refusal !== undefined) return;
    const binary = hubProtocol(protocol)?.binary ?? false;
    const events = new ClientEvents(client, binary, isNew, this.#context);
    this.#wards.set(client, { binary, protocol, events, heard: undefined, isLeaving: false });
    const event = 'connected';
    if (events.add({ category: 'connections', event, body: CONNECTED, binary: false })) return;
    // Its upstream would get calls of a client that it has not heard of. Later, for the same reason.
    this.#context.time.endOfTurn(() => client.close(REASONS.slowAppServer));
  }

  #answer(client: Served, refusal: string | undefined): void {
    if (client.host !== this) return;
    if (refusal === undefined) {
      client.fromHost(HANDSHAKE_SUCCESS);
      return this.#wards.get(client)?.events.welcomed();
    }
    client.fromHost(encodeHandshakeError(refusal));
    client.closedByHost('');
  }

  forward(client: Served, bytes: Uint8Array): void {
    const ward = this.#wards.get(client);
    if (ward === undefined) return;
    if (ward.heard !== undefined) ward.heard = this.#context.tick;
    for (let start = 0; start < bytes.length && client.host === this;) {
      const end = recordEnd(ward.binary, bytes, start, MAX_SERVICE_MESSAGE_BYTES);
      this.#take(client, ward, bytes.subarray(start, end));
      start = end;
    }
  }

  #take(client: Served, ward: Ward, record: Uint8Array): void {
    classifyRecord(ward.binary, record, 0, record.length, info);
    switch (info.type) {
      case 0:
        return client.close(REASONS.badRequest);
      case HubMessageType.Invocation:
        return this.#invoke(client, ward, record);
      case HubMessageType.StreamInvocation:
        return this.#refuse(ward, info.idText(record));
      case HubMessageType.Completion:
        return this.#complete(client, ward, record);
      case HubMessageType.Ping:
        ward.heard = this.#context.tick;
        return undefined;
      case HubMessageType.Close:
        return client.close(REASONS.normal);
      default:
        return undefined;
    }
  }

  #invoke(client: Served, ward: Ward, record: Uint8Array): void {
    const { binary, events } = ward;
    const invocationId = info.idText(record);
    const head = readInvocationHead(binary, record);
    if (head === undefined) return client.close(REASONS.badRequest);
    if (head.hasUploads) return this.#refuse(ward, invocationId);
    // A copy: the record is lent.
    const body = Uint8Array.from(unframed(binary, record));
    const event = { category: 'messages', event: head.target, body, binary, invocationId } as const;
    if (!events.add(event)) client.close(REASONS.slowAppServer);
  }

  #refuse({ binary, events }: Ward, invocationId: string | undefined): void {
    if (invocationId === undefined) return;
    events.reply(encodeErrorCompletion(binary, invocationId, STREAMS));
  }

  /** The client answers a question: of an app server that is elsewhere, or of a REST caller. */
  #complete(client: Served, { protocol }: Ward, record: Uint8Array): void {
    const invocationId = info.idText(record)!;
    const { id: connectionId } = client;
    const type = MessageType.ClientCompletion;
    const payload = Uint8Array.from(record);
    const message = { type, invocationId, connectionId, callerServerId: '', protocol, payload };
    this.#context.answered(message, this);
  }

  welcomed(): void {}

  clientGone(client: Served, reason?: CloseReason, error?: string): void {
    this.#disconnected(client, endingText(reason, error));
  }

  /** The client goes to an app server: for its upstream, that is the end of it. */
  handOver(client: Served): void {
    this.#disconnected(client, undefined);
  }

  release(client: Served): void {
    this.#forget(client);
  }

  /** What the service tells hosts beside, of questions and flow, an upstream has no use for. */
  write(_message: MessageFromService): void {}

  /** Lets clients that have heard nothing for long hear something, and ends those that are silent. */
  look(client: Served, tick: number): void {
    const ward = this.#wards.get(client);
    if (ward === undefined) return;
    if (ward.heard !== undefined && tick - ward.heard > SILENCE_SECONDS) {
      client.close(REASONS.pingTimeout);
    } else client.pingIfQuietSince(tick - QUIET_SECONDS);
  }

  /**
   * Has some clients leave for app servers that are there now: those that may and have one, when their
   * calls are answered. The next call goes on where this one has stopped.
   */
  sendAway(most: number, hasServer: (client: Served) => boolean): void {
    const { clients } = this;
    let left = most;
    let inVain = 0;
    for (let looks = Math.min(clients.length, MOST_LOOKS); looks > 0; looks--) {
      const client = clients[this.#nextLook] ?? clients[(this.#nextLook = 0)];
      if (client === undefined || left === 0 || inVain === MOST_IN_VAIN) return;
      if (this.#mayLeave(client)) {
        if (hasServer(client)) {
          left--;
          inVain = 0;
          this.#leaves(client);
        } else inVain++;
      }
      // Another one is in the place of a client that has left at once.
      if (clients[this.#nextLook] === client) this.#nextLook++;
    }
  }

  #mayLeave(client: Served): boolean {
    const isLeaving = this.#wards.get(client)?.isLeaving;
    return isLeaving === false && client.ready && mayMove(client, this);
  }

  #leaves(client: Served): void {
    this.#wards.get(client)!.isLeaving = true;
    // Every call is answered, by the upstream or at its deadline: none has to be cut short.
    client.moveAway(Infinity);
  }

  /** This edge itself slept: nobody can have been heard meanwhile. */
  slept(seconds: number): void {
    for (const ward of this.#wards.values()) {
      if (ward.heard !== undefined) ward.heard += seconds;
    }
  }

  #disconnected(client: Served, error: string | undefined): void {
    const events = this.#forget(client);
    const body = Buffer.from(JSON.stringify({ type: 11, error }));
    events?.add({ category: 'connections', event: 'disconnected', body, binary: false });
  }

  #forget(client: Served): ClientEvents | undefined {
    const ward = this.#wards.get(client);
    client.host = undefined;
    this.#clients.delete(client);
    this.#wards.delete(client);
    ward?.events.detach();
    return ward?.events;
  }
}

/** Why a hub handshake is refused, in ASP.NET Core's words; undefined where it is not. */
function refusalOf(handshake: Uint8Array): string | undefined {
  const request = readHandshakeRequest(handshake, handshake.length);
  if (request === undefined) return handshakeErrors.unexpected();
  const known = hubProtocol(request.protocol);
  if (known === undefined) return handshakeErrors.unknownProtocol(request.protocol);
  if (request.version <= MAX_HUB_PROTOCOL_VERSION) return undefined;
  return handshakeErrors.unsupportedVersion(known.name, request.version);
}

/** A clean end has no error: the client closed, or somebody closed it and gave no reason. */
function endingText(reason?: CloseReason, error?: string): string | undefined {
  if (reason === undefined || reason === REASONS.normal) return undefined;
  if (error !== undefined && error !== '') return error;
  return reason === REASONS.closedByAppServer ? undefined : (reason.text ?? reason.label);
}
