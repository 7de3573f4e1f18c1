import type { OpenConnection } from '@trunkline/protocol';
import {
  DataType,
  encodeClose,
  encodeHandshakeError,
  encodePing,
  HANDSHAKE_SUCCESS,
  handshakeErrors,
  MessageType,
} from '@trunkline/protocol';

import { settledWithin } from '../clock.ts';
import { deferred } from '../deferred.ts';
import type { Deferred } from '../deferred.ts';
import {
  clientErrorText,
  errorMessage,
  HubError,
  InvalidDataException,
  OperationCanceledException,
} from '../errors.ts';
import { LazySignal } from '../lazy-signal.ts';
import type { HubProtocol } from '../protocols/index.ts';
import type { ServerConnection } from '../trunk/server-connection.ts';
import { callErrors } from './call-errors.ts';
import { HubContext, replaceClaims } from './context.ts';
import { Dispatcher } from './dispatcher.ts';
import { Handshake } from './handshake.ts';
import type { HandshakeOutcome } from './handshake.ts';
import type { ClientHost, HubRoute } from './host.ts';
import { Heartbeat } from './heartbeat.ts';
import { Inbox } from './inbox.ts';
import { Lifetime } from './lifetime.ts';
import { PendingBytes, TOO_MUCH_PENDING } from './pending-bytes.ts';
import { StreamFlow } from './stream-flow.ts';

/** How long `onDisconnected` may hold back the word to the service that the client can go. */
const FAREWELL_TIMEOUT_MS = 10_000;

/** The hub close message that ends a connection from this side. */
interface Closing {
  readonly error?: string;
  readonly allowReconnect: boolean;
}

export interface ClientConnectionOptions {
  readonly open: OpenConnection;
  readonly route: HubRoute;
  readonly host: ClientHost;
  /** The server connection that carries it. */
  readonly trunk: ServerConnection;
  /** Moved here from another server: its client has long had its handshake response. */
  readonly migrated: boolean;
}

/**
 * One client of a hub, from its handshake to `onDisconnected` (client protocols reference, section
 * 6.1; what is sent at which end: service protocol reference, section 20.6).
 */
export class ClientConnection {
  readonly id: string;
  readonly route: HubRoute;
  readonly host: ClientHost;
  readonly trunk: ServerConnection;
  readonly context: HubContext;
  readonly streams: StreamFlow;
  readonly pending = new PendingBytes(this);
  /** Set by the handshake. */
  protocol: HubProtocol | undefined;
  readonly #migrated: boolean;
  readonly #aborted = new LazySignal();
  readonly #lifetime = new Lifetime(this, this.#aborted);
  readonly #dispatcher = new Dispatcher(this);
  readonly #heartbeat: Heartbeat;
  #handshake: Handshake | undefined;
  /** Made by the handshake, as the protocol is. */
  #inbox: Inbox | undefined;
  /** Whether `onConnected` has succeeded; undefined before the handshake. */
  #connected: Deferred<boolean> | undefined;
  #ended = false;

  constructor(options: ClientConnectionOptions) {
    const { open, route, host, trunk, migrated } = options;
    this.id = open.connectionId;
    this.route = route;
    this.host = host;
    this.trunk = trunk;
    this.streams = new StreamFlow(trunk, () => host.caughtUp(this));
    this.#migrated = migrated;
    this.context = new HubContext(open, this.#aborted, () => this.#end({ allowReconnect: false }));
    this.#heartbeat = new Heartbeat(route.settings, host.clock.now());
  }

  /** Takes bytes that the client sent, in whatever pieces. */
  receive(bytes: Uint8Array): void {
    if (this.#ended) return;
    if (this.#inbox === undefined) (this.#handshake ??= this.#newHandshake()).push(bytes);
    else this.#inbox.push(bytes);
  }

  /** Writes one whole hub message. Dropped after the end. */
  write(bytes: Uint8Array, dataType: number): void {
    if (!this.#ended) this.trunk.sendData(this.id, bytes, dataType);
  }

  /** From its first ping on, a client that falls silent is closed (section 3.6). */
  armTimeout(): void {
    this.#heartbeat.pings();
  }

  closedByClient(error: string | undefined): void {
    this.#end({ allowReconnect: false }, error === undefined ? undefined : new HubError(error));
  }

  /** A new sign-in: calls that start from now on see its claims, and the hub is told. */
  signedInAnew(claims: OpenConnection['claims']): void {
    if (this.#ended) return;
    replaceClaims(this.context, claims);
    this.host.started();
    void this.#tellOfSignIn().finally(() => this.host.finished());
  }

  /** The service has closed it or moved it away or is about to, or the server connection is lost. */
  gone(): void {
    this.#end();
  }

  /** It has the most waiting of all clients, and there is no more room. */
  makeRoom(): void {
    if (this.protocol === undefined) this.#refuse(handshakeErrors.canceled());
    else this.#broken(new InvalidDataException(TOO_MUCH_PENDING));
  }

  /** To be called about every second: pings, and ends what is overdue. */
  tick(now: number): void {
    const heartbeat = this.#heartbeat;
    if (this.#inbox?.waiting === true) heartbeat.received(now);
    if (this.protocol === undefined) {
      if (heartbeat.handshakeIsLate(now)) this.#refuse(handshakeErrors.canceled());
      return;
    }
    const due = heartbeat.due(now);
    if (due === 'timeout') {
      const why = "Client hasn't sent a message/ping within the configured ClientTimeoutInterval.";
      this.#broken(new OperationCanceledException(why));
    } else if (due === 'ping' && !this.trunk.full) {
      heartbeat.pinged(now);
      this.write(encodePing(this.protocol.binary), DataType.Other);
    }
  }

  #newHandshake(): Handshake {
    const { route, context, pending } = this;
    const { logger } = this.host;
    const done = (outcome: HandshakeOutcome) => this.#shakenHands(outcome);
    return new Handshake({ route, context, logger, pending, done });
  }

  #shakenHands(outcome: HandshakeOutcome): void {
    if (this.#ended) return;
    this.#handshake = undefined;
    if ('refusal' in outcome) {
      this.#refuse(outcome.refusal);
      return;
    }
    const { protocol, rest } = outcome;
    this.protocol = protocol;
    const inbox = this.#newInbox(protocol);
    this.#inbox = inbox;
    if (!this.#migrated) this.write(HANDSHAKE_SUCCESS, DataType.Handshake);
    // It is there before `onConnected` runs, which may end the connection in its first step.
    const connected = deferred<boolean>();
    this.#connected = connected;
    void this.#connect().then(connected.resolve);
    inbox.holdFor(connected.promise.then(() => {}));
    inbox.push(rest);
  }

  #newInbox({ binary }: HubProtocol): Inbox {
    const { maximumReceiveMessageSize, maximumPendingBytes } = this.route.settings;
    return new Inbox({
      binary,
      step: (bytes, start, end) => {
        this.#heartbeat.received(this.host.clock.now());
        return this.#dispatcher.dispatch(bytes, start, end);
      },
      room: () => this.trunk.roomForAnswers() ?? this.#dispatcher.room(),
      now: () => this.host.clock.now(),
      recordLimit: maximumReceiveMessageSize,
      limit: maximumPendingBytes,
      pending: this.pending,
      fail: (error) => this.#broken(error),
    });
  }

  #refuse(text: string): void {
    if (!this.#migrated) this.write(encodeHandshakeError(text), DataType.Handshake);
    this.#end();
    this.#release();
  }

  async #connect(): Promise<boolean> {
    try {
      await this.#lifetime.connect();
      this.host.connected(this);
      return true;
    } catch (error) {
      this.host.logger.error(`${this.route.hubClass.name}.onConnected threw`, error);
      this.#end({ error: this.#closeText(error), allowReconnect: false });
      return false;
    }
  }

  /** Behind `onConnected`, and only where that has succeeded. */
  async #tellOfSignIn(): Promise<void> {
    if ((await this.#connected?.promise) !== true) return;
    try {
      await this.#lifetime.refreshed();
    } catch (thrown) {
      this.host.logger.error(`${this.route.hubClass.name}.onAuthenticationRefresh threw`, thrown);
    }
  }

  #broken(error: unknown): void {
    const cause = error instanceof Error ? error : new Error(errorMessage(error));
    this.host.logger.info(`client ${this.id} is closed: ${cause.message}`);
    this.#end({ error: this.#closeText(error), allowReconnect: true }, cause);
  }

  #closeText(error: unknown): string {
    return clientErrorText(callErrors.closed, error, this.route.settings.enableDetailedErrors);
  }

  /** Ends it, once. With a `closing` the client hears of it, and the service last of all. */
  #end(closing?: Closing, error?: Error): void {
    if (this.#ended) return;
    if (closing !== undefined && this.protocol !== undefined) {
      const { binary } = this.protocol;
      this.write(encodeClose(binary, closing.error, closing.allowReconnect), DataType.Close);
    }
    this.#ended = true;
    this.host.forget(this);
    this.#handshake?.close();
    this.#inbox?.close();
    this.pending.close();
    this.#aborted.abort();
    this.#dispatcher.abandon();
    this.host.started();
    const farewell = this.#disconnect(error);
    void farewell.finally(() => this.host.finished());
    if (closing === undefined) return;
    void settledWithin(this.host.clock, farewell, FAREWELL_TIMEOUT_MS).then(() => this.#release());
  }

  /** `onDisconnected` runs only where `onConnected` has succeeded, and after it. */
  async #disconnect(error: Error | undefined): Promise<void> {
    if ((await this.#connected?.promise) !== true) return;
    try {
      await this.#lifetime.disconnect(error);
    } catch (thrown) {
      this.host.logger.error(`${this.route.hubClass.name}.onDisconnected threw`, thrown);
    }
    this.host.disconnected(this, error);
  }

  #release(): void {
    this.trunk.post({
      type: MessageType.CloseConnection,
      connectionId: this.id,
      errorMessage: '',
      headers: new Map(),
    });
  }
}
