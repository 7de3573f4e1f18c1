import type { Budget, SharedBudget } from '@trunkline/protocol';
import type { Pools } from '../pools.ts';
import type { Time } from '../ports/time.ts';
import type { CloseReason } from './close-reason.ts';
import { CLIENT_CLOSE_REASONS, SERVER_CLOSE_REASONS } from './close-reason.ts';
import type { Leaver } from './hub-client.ts';
import type { Outbox } from './outbox.ts';
import type { Worker } from './turns.ts';
import { TurnClock, Turns } from './turns.ts';
import { Unfinished } from './unfinished.ts';

/** So many messages of kinds that clients send never, or once in some seconds, end one within ten seconds. */
const IDLE_TALK = 250;
const IDLE_TALK_MS = 10_000;

export interface Closable {
  close(reason: CloseReason): void;
}

/** Whose bytes come in: a client, or a server connection. */
interface Sender extends Worker, Closable {}

/** A client that is not open yet, or on the move. */
export interface Unsettled extends Leaver {
  /** Bytes that are held for it, of shared ones its part. */
  readonly heldPart: number;
  /** `late`: how long this edge itself slept, for which no client is to blame. */
  checkDeadline(now: number, late: number): void;
}

/** One whose messages are passed on as they are worked off. */
interface MeasuredSender extends Sender {
  /** What has been worked off now had come `ms` milliseconds ago. */
  worked(ms: number): void;
}

/**
 * What bounds the work and the memory that incoming bytes cost: who works when, who holds half
 * messages, what waits for whom, who says nothing all the time. Whoever passes a bound is closed.
 */
export class Intake {
  readonly clients: Turns<Sender>;
  readonly servers: Turns<MeasuredSender>;
  readonly unfinishedFromClients: Unfinished<Sender>;
  readonly unfinishedToClients: Unfinished<Sender>;
  readonly unfinishedFromServers: Unfinished<MeasuredSender>;
  /** Bytes of clients that have no app server yet. */
  readonly waitingClients: Budget<Closable>;
  /** Bytes of clients on the move. */
  readonly movingClients: Budget<Closable>;
  /** Bytes of clients on their way to app servers of other edges. */
  readonly remoteClients: Budget<Closable>;
  /** Bytes for clients whose handshake response is not out. */
  readonly openingClients: SharedBudget<Unsettled>;
  /** Messages that say nothing, by who has sent them of late. */
  readonly #idleTalk = new Map<Sender, number>();
  #idleTalkSince = 0;

  constructor(pools: Pools, outbox: Outbox, time: Time) {
    const clock = new TurnClock(time);
    const { flood, badServerData, slowAppServer, slowClient } = CLIENT_CLOSE_REASONS;
    const closeClient = closing(flood);
    const closeServer = closing(SERVER_CLOSE_REASONS.flood);
    const badHub = closing(badServerData);
    this.clients = new Turns<Sender>(clock, 'backlog_from_clients', pools, { giveUp: closeClient });
    this.servers = new Turns<MeasuredSender>(clock, 'backlog_from_servers', pools, {
      giveUp: closeServer,
      worked: (server, ms) => server.worked(ms),
      begin: () => outbox.begin(),
      ease: () => outbox.ease(),
      end: () => outbox.end(),
    });
    this.waitingClients = pools.open('waiting_clients', closeClient);
    this.movingClients = pools.open('moving_clients', closing(slowAppServer));
    this.remoteClients = pools.open('remote_clients', closing(slowAppServer));
    this.openingClients = pools.openShared<Unsettled>('opening_clients', closing(slowClient));
    this.unfinishedFromClients = new Unfinished<Sender>(
      'unfinished_from_clients',
      pools,
      closeClient,
    );
    this.unfinishedToClients = new Unfinished<Sender>('unfinished_to_clients', pools, badHub);
    this.unfinishedFromServers = new Unfinished<MeasuredSender>(
      'unfinished_from_servers',
      pools,
      closeServer,
    );
  }

  /** The client has sent a message that says nothing: a ping, or what no client sends. */
  idleTalk(client: Sender): void {
    const count = (this.#idleTalk.get(client) ?? 0) + 1;
    this.#idleTalk.set(client, count);
    if (count > IDLE_TALK) client.close(CLIENT_CLOSE_REASONS.flood);
  }

  clientGone(client: Sender): void {
    this.clients.drop(client);
    this.waitingClients.giveAll(client);
    this.unfinishedFromClients.forget(client);
    this.unfinishedToClients.forget(client);
    this.#idleTalk.delete(client);
  }

  /** `leavesWork`: what it has sent is still to be worked off. */
  serverGone(server: MeasuredSender, leavesWork: boolean): void {
    this.unfinishedFromServers.forget(server);
    if (!leavesWork) this.servers.drop(server);
  }

  /** `late`: how long this edge itself slept, in milliseconds. */
  expire(now: number, late: number): void {
    const tick = Math.floor(now / 1000);
    const lateTicks = Math.ceil(late / 1000);
    this.unfinishedFromClients.expire(tick, lateTicks);
    this.unfinishedToClients.expire(tick, lateTicks);
    this.unfinishedFromServers.expire(tick, lateTicks);
    if (now - this.#idleTalkSince < IDLE_TALK_MS) return;
    this.#idleTalkSince = now;
    this.#idleTalk.clear();
  }
}

function closing(reason: CloseReason): (peer: Closable) => void {
  return (peer) => peer.close(reason);
}
