import type { Budget, SharedBudget } from '@trunkline/protocol';
import type { Pools } from '../pools.ts';
import type { ClientSession } from './client/client-session.ts';
import type { CloseReason } from './close-reason.ts';
import { CLIENT_CLOSE_REASONS, SERVER_CLOSE_REASONS } from './close-reason.ts';
import type { ServerSession } from './server/server-session.ts';
import { TurnClock, Turns } from './turns.ts';
import { Unfinished } from './unfinished.ts';

/** Messages that no client sends, of one client in ten seconds: real ones send a few, by mistake. */
const STRAYS = 1000;
const STRAYS_MS = 10_000;

/**
 * What bounds the work and the memory that incoming bytes cost: who works when, who holds half
 * messages, what waits for whom, who sends what nobody sends. Whoever passes a bound is closed.
 */
export class Intake {
  readonly clients: Turns<ClientSession>;
  readonly servers: Turns<ServerSession>;
  readonly unfinishedFromClients: Unfinished<ClientSession>;
  readonly unfinishedToClients: Unfinished<ClientSession>;
  readonly unfinishedFromServers: Unfinished<ServerSession>;
  /** Bytes of clients that have no app server yet. */
  readonly waiting: Budget<ClientSession>;
  /** Bytes of clients on the move. */
  readonly moving: Budget<ClientSession>;
  /** Bytes for clients whose handshake response is not out. */
  readonly opening: SharedBudget<ClientSession>;
  readonly #strays = new Map<ClientSession, number>();
  #straysSince = 0;

  constructor(pools: Pools, clock = new TurnClock()) {
    const { flood, badServerData, slowAppServer, slowClient } = CLIENT_CLOSE_REASONS;
    const closeClient = closing(flood);
    const closeServer = (server: ServerSession): void => server.close(SERVER_CLOSE_REASONS.flood);
    const badHub = closing(badServerData);
    this.clients = new Turns(clock, 'backlog_from_clients', pools, { giveUp: closeClient });
    this.servers = new Turns(clock, 'backlog_from_servers', pools, {
      giveUp: closeServer,
      worked: (server, ms) => server.worked(ms),
    });
    this.waiting = pools.open('waiting_clients', closeClient);
    this.moving = pools.open('moving_clients', closing(slowAppServer));
    this.opening = pools.openShared('opening_clients', closing(slowClient));
    this.unfinishedFromClients = new Unfinished('unfinished_from_clients', pools, closeClient);
    this.unfinishedToClients = new Unfinished('unfinished_to_clients', pools, badHub);
    this.unfinishedFromServers = new Unfinished('unfinished_from_servers', pools, closeServer);
  }

  /** The client has sent what no client sends. */
  stray(client: ClientSession): void {
    const strays = (this.#strays.get(client) ?? 0) + 1;
    this.#strays.set(client, strays);
    if (strays > STRAYS) client.close(CLIENT_CLOSE_REASONS.flood);
  }

  clientGone(client: ClientSession): void {
    this.clients.drop(client);
    this.waiting.giveAll(client);
    this.unfinishedFromClients.forget(client);
    this.unfinishedToClients.forget(client);
    this.#strays.delete(client);
  }

  /** `leavesWork`: what it has sent is still to be worked off. */
  serverGone(server: ServerSession, leavesWork: boolean): void {
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
    if (now - this.#straysSince < STRAYS_MS) return;
    this.#straysSince = now;
    this.#strays.clear();
  }
}

function closing(reason: CloseReason): (client: ClientSession) => void {
  return (client) => client.close(reason);
}
