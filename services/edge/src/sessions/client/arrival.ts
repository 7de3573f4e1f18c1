import {
  encodeHandshakeError,
  handshakeErrors,
  ProtocolError,
  readHandshakeRequest,
  readHandshakeResponse,
} from '@trunkline/protocol';
import { CLIENT_CLOSE_REASONS as REASONS } from '../close-reason.ts';
import type { Host } from '../host.ts';
import type { ClientContext } from './client-context.ts';
import { clientProtocol } from './client-protocol.ts';
import type { ClientIdentity, ClientSession } from './client-session.ts';
import { ArrivalState } from './arrival-state.ts';
import type { HeldMessage } from './opening-queue.ts';

/** The longest hub handshake request; real ones have 40 bytes. */
const HANDSHAKE_BYTES = 4096;
/** A client says its handshake request at once; where that is a request of its own, it takes a moment. */
const GREETING_SECONDS = 2;
/** How long an app server may take to answer a handshake that it has been sent. */
const ANSWER_MS = 15_000;

/** The handshake request is awaited; an app server is; whether that takes the client; its answer. */
const Step = { Handshake: 0, Waiting: 1, Offered: 2, Opening: 3 } as const;

/**
 * The way of a client from its upgrade to its hub's answer (service protocol reference, section 8):
 * its hub handshake request is read, a server connection is found, the response is written. The
 * session drops its arrival when the client is open, and with it all that was kept until then.
 */
export class Arrival {
  readonly #client: ClientSession;
  readonly #context: ClientContext;
  readonly #state: ArrivalState;
  #step: number = Step.Handshake;

  constructor(client: ClientSession, identity: ClientIdentity, context: ClientContext) {
    this.#client = client;
    this.#context = context;
    this.#state = new ArrivalState(context.time.now(), identity);
  }

  get readsHandshake(): boolean {
    return this.#step === Step.Handshake;
  }

  /** An app server has it, and its messages go there. */
  get isServed(): boolean {
    return this.#step === Step.Opening;
  }

  /** It will be open in a moment, if nobody is in its way. */
  get isUnderWay(): boolean {
    if (this.readsHandshake) return this.#state.age(this.#context.time.now()) < GREETING_SECONDS;
    // An app server that has been found may have to wait for the bus before it is told.
    return this.#step >= Step.Offered || !this.#client.hub.waiting.has(this.#client);
  }

  /** What app servers send to the client is held, until its handshake response is out. */
  get holds(): boolean {
    return this.#step >= Step.Offered && !this.#state.answered;
  }

  /** Bytes held for the client; of messages that are held for several, its part. */
  get heldPart(): number {
    return this.#state.heldPart;
  }

  /** The connection is made. What the client has posted before that counts as the first it says. */
  begin(): void {
    const { unsettled, expiring } = this.#context;
    const { expiresAt } = this.#state;
    unsettled.add(this.#client);
    if (expiresAt !== undefined) expiring.set(this.#client, expiresAt);
    const posted = this.#takeEarly();
    if (posted !== undefined) this.#client.received(posted);
  }

  /** What the client says before an app server has it. Throws ProtocolError for what is no handshake. */
  fromClient(bytes: Buffer): void {
    if (this.#step === Step.Handshake) this.#readHandshake(bytes);
    else this.#keepEarly(bytes);
  }

  /** The client has said more than its handshake request, and an app server may have heard it. */
  forwarded(): void {
    this.#state.forwarded = true;
  }

  /**
   * The hub handshake request is read, and `host` takes the client on: it is told of the client, then
   * gets what the client has said. From now on the hub knows the client, which before that is in no
   * group and gets nothing; and other edges send here what is for its user and the groups of that.
   */
  serveFrom(host: Host): void {
    const { hub } = this.#client;
    hub.model.attach(this.#client, this.#context.time.now());
    hub.others.whenHeard(() => this.#openAt(host));
  }

  #openAt(host: Host): void {
    const client = this.#client;
    if (!client.isOpen) return;
    // It may be gone if this took a while.
    if (!host.carriesClients) return this.#startOver();
    if (host.mayRefuse) {
      this.#step = Step.Offered;
      return client.openAt(host);
    }
    this.#awaitAnswer();
    client.openAt(host);
    this.#passOn();
  }

  /** The app server that it was offered to takes the client. */
  hostTook(): void {
    this.#awaitAnswer();
    this.#passOn();
  }

  #awaitAnswer(): void {
    this.#step = Step.Opening;
    this.#state.deadline = this.#context.time.now() + ANSWER_MS;
  }

  /** The app server gets what the client has said. */
  #passOn(): void {
    // A host whose queue overflows by this is lost at once, and a client that requires it is closed.
    const said = this.#client.isOpen ? this.#takeEarly() : undefined;
    // Its bytes have been counted when they came.
    if (said !== undefined) this.#context.intake.clients.received(this.#client, said);
  }

  /** Keeps a message until the handshake response is out. False when too many wait. */
  hold(message: HeldMessage): boolean {
    this.#context.counters.heldMessages++;
    return this.#state.hold(message, this.#context.intake.openingClients);
  }

  /** The hub's answer, and what comes with it. Throws ProtocolError for what is no answer. */
  fromHost(payload: Uint8Array): void {
    if (this.#state.answered) return;
    const response = readHandshakeResponse(payload);
    if (response === undefined) {
      throw new ProtocolError('truncated', payload.length, 'half a handshake response');
    }
    if (response.error !== undefined) {
      // The hub refuses the client, which is told so; the app server's CloseConnection follows.
      this.#state.answered = true;
      this.#client.send(payload, 0);
      return;
    }
    this.#welcome(payload.subarray(0, response.length), payload.subarray(response.length));
  }

  /**
   * Its server connection is gone. A client that has neither been answered nor said anything beyond
   * its handshake has lost nothing: another server takes it on. One that was offered, and not taken, has
   * that done before the deadline that it had.
   */
  hostLost(): void {
    if (this.#step === Step.Offered) this.#startOver(this.#state.deadline);
    else if (this.#step === Step.Opening && this.#state.isFresh) this.#startOver();
    else this.#client.close(REASONS.serverConnectionClosed);
  }

  /** `late`: how long this edge itself slept, for which no client is to blame. */
  check(now: number, late: number): void {
    this.#state.deadline += late;
    if (now < this.#state.deadline) return;
    if (this.#step === Step.Waiting || this.#step === Step.Offered) this.#client.turnAway();
    else this.#client.close(REASONS.handshakeError, handshakeErrors.canceled());
  }

  /** What a client that is closed before it is open is told in place of a handshake response. */
  partingMessage(error: string | undefined): Uint8Array | undefined {
    if (this.#state.answered) return undefined;
    return encodeHandshakeError(error ?? handshakeErrors.canceled());
  }

  /** Over, one way or another: nothing is kept. */
  end(): void {
    this.#context.unsettled.delete(this.#client);
    this.#state.drop();
  }

  #readHandshake(bytes: Buffer): void {
    const client = this.#client;
    const early = this.#takeEarly();
    const all = early === undefined ? bytes : Buffer.concat([early, bytes]);
    const request = readHandshakeRequest(all, HANDSHAKE_BYTES);
    if (request === undefined) return this.#keepEarly(all);
    const protocol = clientProtocol(request.protocol);
    if (protocol.binary && !client.transport.binary) {
      const error = handshakeErrors.textOnlyTransport(request.protocol);
      return client.close(REASONS.handshakeError, error);
    }
    client.agree(protocol, all.subarray(0, request.length));
    this.#step = Step.Waiting;
    if (all.length > request.length) this.#keepEarly(all.subarray(request.length));
    // `#keepEarly` closes a client that has said more than may wait.
    if (client.isOpen) this.#await();
  }

  /** The next app server is told of the client as the first was; its hub says all again. */
  #startOver(deadline?: number): void {
    this.#state.dropHeld();
    this.#client.hub.model.detach(this.#client);
    this.#await(deadline);
  }

  /** Waits for a server connection, for as long as --server-wait says where no deadline is given. */
  #await(deadline = this.#context.time.now() + this.#context.limits.serverWaitMs): void {
    this.#step = Step.Waiting;
    this.#state.deadline = deadline;
    this.#client.hub.assign(this.#client);
  }

  #welcome(response: Uint8Array, rest: Uint8Array): void {
    const client = this.#client;
    const { counters, time } = this.#context;
    const held = this.#state.takeHeld();
    client.arrived();
    counters.connectSeconds.observe(this.#state.age(time.now()));
    client.send(response, 0);
    // Alone, as every hub writes it: not every client that is about reads on behind it.
    this.#context.outbox.flush(client);
    if (held !== undefined) client.toClient(held.bytes, held.count);
    if (rest.length > 0) client.fromHost(rest);
    client.host?.welcomed(client);
  }

  #keepEarly(bytes: Uint8Array): void {
    const { waitingClients } = this.#context.intake;
    const kept = this.#state.keepEarly(bytes);
    if (!kept || !waitingClients.take(this.#client, bytes.length))
      this.#client.close(REASONS.badRequest);
  }

  #takeEarly(): Buffer | undefined {
    this.#context.intake.waitingClients.giveAll(this.#client);
    return this.#state.takeEarly();
  }
}
