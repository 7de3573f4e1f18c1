import { CLIENT_CLOSE_REASONS as REASONS } from '../close-reason.ts';
import type { MigrationOutcome } from '../counters.ts';
import type { Host } from '../host.ts';
import type { Closable } from '../intake.ts';
import { mayMove } from '../migration-policy.ts';
import { QUIET_SECONDS } from '../served.ts';
import type { ClientContext } from './client-context.ts';
import type { ClientSession } from './client-session.ts';
import { MovingQueue } from './moving-queue.ts';
import type { RecordRelay } from './record-relay.ts';

/** The error by which calls are answered that end with their app server, not by its answer. */
const CALL_LOST =
  'The app server was lost while it worked on this call, which may have run or not.';
const CALL_CUT_SHORT = 'The app server is stopping, and this call did not end in time.';

/** The client is with its old server; with none; offered to the next; being handed to it; the move is over. */
const Stage = { Settling: 0, Between: 1, Offered: 2, HandingOver: 3, Over: 4 } as const;

/**
 * The way of an open client from one app server to another (service protocol reference, sections
 * 8.6 and 20.10). While its server still lives it settles: calls that run are waited for, new ones
 * held back. Then it is between servers, and all that it says is held. What was held goes to the
 * next server, in order. A client that may not be moved settles too, and is closed then.
 */
export class Move {
  /** The server id that the client leaves. */
  readonly #from: string;
  /** May be given to another app server. A client that may not is closed when it has settled. */
  readonly #mayGo: boolean;
  readonly #client: ClientSession;
  readonly #relay: RecordRelay;
  readonly #context: ClientContext;
  readonly #held: MovingQueue<Closable>;
  #stage: number = Stage.Settling;
  /** When the client has to be one stage further, on the edge's clock (ms). */
  #deadline = Infinity;
  /** The old server goes on: the client leaves it for one that has fewer. */
  readonly #isRebalance: boolean;
  /** The old server was lost with the calls that ran there, rather than left. */
  #lost = false;

  constructor(client: ClientSession, relay: RecordRelay, from: Host, context: ClientContext) {
    this.#client = client;
    this.#relay = relay;
    this.#from = from.serverId;
    this.#mayGo = mayMove(client, from);
    this.#isRebalance = !from.isDeparting;
    this.#context = context;
    this.#held = new MovingQueue(relay.binary, client, context.intake.movingClients);
    context.unsettled.add(client);
  }

  /** The server goes: the client leaves it when its calls there are answered, at `by` at the latest. */
  settle(by: number): void {
    this.#deadline = by;
    this.goOn();
  }

  /** The server is gone: what it was doing for the client is answered, the rest goes on elsewhere. */
  hostLost(): void {
    // The lost one is the next server: it may have got part of what was held.
    if (this.#stage === Stage.HandingOver) return this.#close('not_possible');
    if (!this.#mayGo) return this.#context.pacedCloses.add(this.#client);
    // The next server had not taken the client yet: nothing has been said to it.
    if (this.#stage === Stage.Offered) return this.#findAnother();
    if (!this.#isKnown) return this.#close('not_possible');
    this.#lost = true;
    this.#dropWhatRuns(CALL_LOST);
    this.#findServer();
  }

  /** Leaves the old server as soon as nothing of the client's runs there. */
  goOn(): void {
    if (this.#stage !== Stage.Settling || !this.#client.ready) return;
    // Client or hub has said Close: the connection is about to end anyway.
    if (this.#relay.sawClose || this.#relay.isAtWork(this.#held.calls)) return;
    if (!this.#context.results.awaits(this.#client)) this.#leave();
  }

  /** What the client says meanwhile. */
  fromClient(bytes: Uint8Array, count: number): void {
    const client = this.#client;
    const pass = (record: Uint8Array): boolean => {
      client.host?.forward(client, record, 1);
      return client.ready;
    };
    const settling = this.#stage === Stage.Settling;
    const room = settling ? this.#held.sift(bytes, pass) : this.#held.hold(bytes, count);
    if (!room) client.close(REASONS.slowAppServer);
    else this.goOn();
  }

  /** `late`: how long this edge itself slept, for which nobody is to blame. */
  check(now: number, late: number): void {
    this.#deadline += late;
    // No event says that the client's last owed result has been passed on, so it is looked at here.
    this.goOn();
    const isBetween = this.#stage === Stage.Between || this.#stage === Stage.Offered;
    if (isBetween) this.#pingIfQuiet();
    if (this.#stage === Stage.Over || now < this.#deadline) return;
    if (isBetween) return this.#close('no_server');
    if (!this.#mayGo) return this.#leave();
    if (!this.#isKnown) return this.#close('not_possible');
    this.#dropWhatRuns(CALL_CUT_SHORT);
    if (this.#client.ready) this.#leave();
  }

  /** The next server takes the client on: it learns of it, then what the client has said. */
  serveFrom(host: Host): void {
    this.#stage = host.mayRefuse ? Stage.Offered : Stage.HandingOver;
    this.#client.openAt(host, this.#from);
    if (!host.mayRefuse) this.#handOver(host);
  }

  /** It takes the client. */
  hostTook(host: Host): void {
    this.#stage = Stage.HandingOver;
    this.#handOver(host);
  }

  /** The next server gets what the client has said. */
  #handOver(host: Host): void {
    const client = this.#client;
    this.#held.release((bytes, count) => client.host?.forward(client, bytes, count));
    // What was held may have overflowed the new server, or overdrawn the client's allowance there.
    if (!client.ready) return;
    this.end();
    const left = this.#isRebalance ? 'rebalanced' : 'moved';
    this.#count(this.#lost ? 'moved_after_loss' : left, host.serverId);
    client.moved();
    // Its next server counts its own pings from now on.
    this.#pingIfQuiet();
  }

  /** Over, one way or another: nothing is kept. */
  end(): void {
    this.#stage = Stage.Over;
    this.#context.unsettled.delete(this.#client);
    this.#held.release(() => {});
  }

  /** Whether it is known which calls run. Where somebody has said Close it is not. */
  get #isKnown(): boolean {
    const { calls, sawClose } = this.#relay;
    return !sawClose && (calls?.missed ?? 0) === 0;
  }

  /** The old server lets go of the client, told which one has it next if that is known. */
  #leave(): void {
    const { hub, host } = this.#client;
    if (!this.#mayGo) return this.#context.pacedCloses.add(this.#client);
    const next = hub.choose(this.#client)?.serverId;
    host?.handOver(this.#client, next ?? '');
    this.#findServer();
  }

  /** Another server takes the client on now, or as soon as there is one. */
  #findServer(): void {
    if (!this.#client.ready) return;
    this.#deadline = this.#context.time.now() + this.#context.limits.serverWaitMs;
    this.#findAnother();
  }

  /** Before the deadline that there is. */
  #findAnother(): void {
    this.#stage = Stage.Between;
    this.#client.hub.assign(this.#client);
  }

  /** Answers the calls that the server will not, so that nobody waits for ever, on either side. */
  #dropWhatRuns(error: string): void {
    const { counters, results } = this.#context;
    this.#relay.dropUnfinished();
    this.#context.intake.unfinishedToClients.forget(this.#client);
    const held = (id: string): boolean => this.#held.hasCall(id);
    counters.failedCalls += this.#relay.failCalls(error, held, this.#client);
    results.clientGone(this.#client);
  }

  #pingIfQuiet(): void {
    this.#client.pingIfQuietSince(this.#context.tick - QUIET_SECONDS);
  }

  #close(outcome: MigrationOutcome): void {
    this.#count(outcome);
    this.#client.close(REASONS.serverConnectionClosed);
  }

  #count(outcome: MigrationOutcome, to?: string): void {
    const { counters, log } = this.#context;
    const { id: connectionId, hub } = this.#client;
    counters.migrations.add(outcome);
    log.debug({ connectionId, hub: hub.name, from: this.#from, to, outcome }, 'client migration');
  }
}
