import type { ConnectionData, OpenConnection } from '@trunkline/protocol';
import { MessageType } from '@trunkline/protocol';

import { pass } from '../clock.ts';
import type { Environment } from '../environment.ts';
import { CallerContext } from '../hub/caller-context.ts';
import type { HubCall } from '../hub/definition.ts';
import { HubConnection } from '../hub/hub-connection.ts';
import { hubProtocolNamed } from '../hub/hub-handshake.ts';
import type { HubProtocol } from '../hub/messages.ts';
import type { HubServer } from '../hub-server.ts';
import { Clients } from '../sending/clients.ts';
import { Groups } from '../sending/groups.ts';
import type { ServerConnection } from '../trunk/server-connection.ts';
import { Output } from './output.ts';

/**
 * One client connection: the pipe between the service's messages and its hub connection (service
 * protocol reference, section 8).
 */
export class ClientConnection {
  readonly id: string;
  readonly hub: HubServer;
  /** Its hub protocol by OpenConnection, which old services do not say. */
  readonly protocol: HubProtocol | undefined;
  readonly context: CallerContext;
  /** The connection it lives on. */
  server: ServerConnection;
  readonly #environment: Environment;
  readonly #output: Output;
  readonly #connection: HubConnection;
  /** Chunks of input that wait for the last of them. */
  #partial: Uint8Array[] = [];
  #protocolSpoken: HubProtocol | undefined;
  /** The service, or the loss of its connection, has ended it: nothing is to be said about that. */
  #endedFromOutside = false;
  #finished: Promise<void> = Promise.resolve();

  constructor(message: OpenConnection, server: ServerConnection, hub: HubServer) {
    const { profile, clock, serverId, log, results } = hub.environment;
    this.#environment = hub.environment;
    this.id = message.connectionId;
    this.hub = hub;
    this.server = server;
    this.protocol = hubProtocolNamed(message.protocol);
    this.context = new CallerContext(message, profile, serverId);
    this.#output = new Output({
      id: this.id,
      profile,
      server,
      migratedIn: this.context.migration !== undefined,
      readable: () => this.#protocolSpoken === undefined || this.#protocolSpoken === this.protocol,
      unwritable: () => this.#unwritable(),
    });
    this.#connection = new HubConnection({
      definition: hub.definition,
      options: hub.options,
      clock,
      context: this.context,
      call: (signal) => this.#call(signal),
      shaken: (protocol) => (this.#protocolSpoken = protocol),
      write: (bytes, kind) => this.#output.write(bytes, kind),
      completed: (completion, raw, protocol) => results.completed(this, completion, raw, protocol),
      log,
    });
  }

  /** Runs its hub until either side ends it, then tells the service if that does not know. */
  start(): void {
    this.#environment.clients.started(this);
    this.#finished = this.#run();
  }

  receive({ payload, partial }: ConnectionData): void {
    if (!this.#environment.profile.partialData) return this.#connection.receive(payload);
    this.#partial.push(payload);
    if (partial === true) return;
    const whole = Buffer.concat(this.#partial);
    this.#partial = [];
    this.#connection.receive(whole);
  }

  /** The client has come back: what it had begun to say, it says again (section 18.4). */
  reconnected(): void {
    this.#partial = [];
  }

  tick(): void {
    this.#connection.tick();
  }

  /**
   * The service has ended it, or the connection it lived on. Resolves when its hub has let go, or
   * when the package would wait no longer. One that has moved away gets not another byte.
   */
  async end(moved = false): Promise<void> {
    const { clock, profile, results } = this.#environment;
    this.#endedFromOutside = true;
    if (moved) this.#output.abandon();
    results.disconnected(this.id);
    this.#connection.endInput();
    await pass(clock, profile.closeWaitMs, this.#finished);
  }

  /** Holds its output back at a message's end (section 18.3). */
  pause(): void {
    this.#output.hold();
  }

  /** Goes on, and lives on this connection from now. */
  resume(server: ServerConnection): void {
    this.server.clients.delete(this.id);
    this.server = server;
    server.clients.set(this.id, undefined);
    this.#output.release(server);
  }

  async #run(): Promise<void> {
    const { clients } = this.#environment;
    await this.#connection.run();
    await this.#output.drained();
    clients.finished(this);
    if (clients.get(this.id) === undefined) this.server.clients.delete(this.id);
    if (this.#endedFromOutside || !this.server.isWritable) return;
    this.server.write({
      type: MessageType.CloseConnection,
      connectionId: this.id,
      errorMessage: '',
      headers: new Map(),
    });
  }

  #call(signal: AbortSignal): HubCall {
    const { context, hub } = this;
    return { context, clients: new Clients(hub, this), groups: new Groups(hub, this), signal };
  }

  #unwritable(): void {
    if (this.#environment.profile.dropsUnwritable) this.#environment.clients.remove(this.id);
  }
}
