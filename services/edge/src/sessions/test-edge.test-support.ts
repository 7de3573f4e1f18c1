import { randomBytes } from 'node:crypto';
import { createLogger, LogDigest } from '@trunkline/telemetry';
import { AccessKeys } from '@trunkline/tokens';
import { ConnectionTable } from '../model/connection-table.ts';
import type { ClientIdentity } from './client/client-session.ts';
import { ClientSession } from './client/client-session.ts';
import { HeldPosts } from './client/http/held-posts.ts';
import { TRANSPORTS } from './transport.ts';
import { Counters } from './counters.ts';
import type { CoreContext } from './core-context.ts';
import type { Clock } from './clock.ts';
import { FakeClient } from './fake-client.test-support.ts';
import { FakeServer } from './fake-server.test-support.ts';
import { Intake } from './intake.ts';
import { HubDirectory } from './hub-directory.ts';
import { Outbox } from './outbox.ts';
import { PacedCloses } from './paced-closes.ts';
import type { ServerIdentity } from './server/server-session.ts';
import { ServerSession } from './server/server-session.ts';
import { ClientResults } from './server/client-results.ts';
import { Pools } from '../pools.ts';
import { TurnClock } from './turns.ts';
import { TurnFlusher } from './turn-flusher.ts';
import { TokenVerifier } from './token-verifier.ts';
import type { Expiring } from './watch.ts';
import { Watch } from './watch.ts';
import { counted, JSON_HANDSHAKE } from './wire.test-support.ts';

const LIMITS: CoreContext['limits'] = {
  hubMessageBytes: 64 * 1024,
  serverWaitMs: 10_000,
  clientQueueBytes: 64 * 1024,
  migration: 'app',
  pollMs: 90_000,
  transports: 7,
  connections: Infinity,
  hubs: 1000,
  openSockets: Infinity,
};

/** The older of the edge's two access keys. */
export const KEY = 'the key';

/** The sessions of an edge without its listener, on a clock that tests move. */
export class TestEdge {
  readonly context: CoreContext;
  readonly hubs: HubDirectory;
  readonly watch: Watch;
  /** Every server connection there has been. */
  readonly servers: FakeServer[] = [];
  /** Who else is to be swept. */
  readonly expiring: Expiring[] = [];
  /** What has been logged, info and above. */
  readonly lines: Record<string, unknown>[] = [];
  #now = 1_000_000;
  #due: { readonly at: number; readonly run: () => void }[] = [];
  #worked = 0;
  /** What each look at the clock of work has cost: nothing, so that all is done at once. */
  workMs = 0;

  constructor(
    limits: Partial<CoreContext['limits']> = {},
    pools = new Pools(),
    edgeId = 'edge-1',
    tag = 'test',
  ) {
    const random = (bytes: number): Uint8Array => randomBytes(bytes);
    const write = (line: string): void =>
      void this.lines.push(JSON.parse(line) as Record<string, unknown>);
    const log = createLogger({ name: 'edge', level: 'info' }, { write });
    const clock: Clock = {
      now: () => this.#now,
      unixSeconds: () => 1_700_000_000 + this.#now / 1000,
      after: (ms, run) => void this.#due.push({ at: this.#now + ms, run }),
    };
    const counters = new Counters();
    const outbox = new Outbox(counters.fanoutSeconds);
    this.context = {
      edgeId,
      clock,
      log,
      digest: new LogDigest(log, () => this.#now),
      limits: { ...LIMITS, ...limits },
      counters,
      pools,
      outbox,
      intake: new Intake(pools, outbox, new TurnClock(() => (this.#worked += this.workMs))),
      tick: 0,
      clients: new ConnectionTable(tag, random),
      servers: new Set(),
      results: new ClientResults(pools),
      tokens: new TokenVerifier(new AccessKeys(['newer key', KEY]), clock, counters),
      flusher: new TurnFlusher(),
      unsettled: new Set(),
      expiring: new Map(),
      pacedCloses: new PacedCloses(clock, counters),
      heldPosts: new HeldPosts(),
      backlogged: new Set(),
    };
    this.hubs = new HubDirectory(this.context);
    this.watch = new Watch(this.context, this.expiring);
    // Its timer is real: tests sweep by hand.
    this.watch.stop();
    this.watch.sweep();
  }

  get now(): number {
    return this.#now;
  }

  /** Lets time pass as it does for a live edge, which sweeps every second. */
  pass(seconds: number): void {
    for (let i = 0; i < seconds; i++) {
      this.passWithin(1000);
      this.watch.sweep();
    }
  }

  /** Lets milliseconds pass between two sweeps. */
  passWithin(ms: number): void {
    const end = this.#now + ms;
    for (let next = this.#takeDue(end); next !== undefined; next = this.#takeDue(end)) {
      this.#now = next.at;
      next.run();
    }
    this.#now = end;
  }

  #takeDue(end: number): { readonly at: number; readonly run: () => void } | undefined {
    const [first] = this.#due.filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at);
    this.#due = this.#due.filter((one) => one !== first);
    return first;
  }

  /** Lets time pass without the edge noticing, as in a frozen machine. */
  sleep(seconds: number): void {
    this.#now += seconds * 1000;
    this.watch.sweep();
  }

  /** A server connection that has not said anything yet. */
  strangeServer(
    identity: Partial<Omit<ServerIdentity, 'hub'>> & { hub?: string } = {},
  ): FakeServer {
    const { hub = 'chat', serverId = 'server-1' } = identity;
    const id = identity.id ?? `cid-${this.servers.length + 1}`;
    const { userAgent = 'trunkline-sdk/1', offer } = identity;
    const runtime = this.hubs.open(hub, 'server')!;
    const server = new FakeServer(
      new ServerSession({ id, serverId, userAgent, offer, hub: runtime }, this.context),
    );
    this.servers.push(server);
    return server;
  }

  /** A server connection that has shaken hands, and read the answer. */
  async server({
    level = 0,
    ...identity
  }: Parameters<TestEdge['strangeServer']>[0] & { level?: number } = {}): Promise<FakeServer> {
    const server = this.strangeServer(identity);
    server.shakesHands(0, 1, level);
    await server.messages();
    return server;
  }

  /** A client that has not said anything yet. */
  strangeClient(
    identity: Partial<Omit<ClientIdentity, 'hub'>> & { hub?: string } = {},
  ): FakeClient {
    const { hub = 'chat', ...rest } = identity;
    return new FakeClient(
      new ClientSession(
        {
          id: this.context.clients.reserve()!,
          userId: undefined,
          introduction: { tokenPayload: '{"sub":"ann"}', headers: [], queryString: '' },
          affinity: { sticky: 'Disabled', serverName: undefined },
          transport: TRANSPORTS.webSockets,
          handshakeMs: 15_000,
          expiresAt: undefined,
          early: undefined,
          ...rest,
          hub: this.hubs.open(hub, 'server')!,
        },
        this.context,
      ),
    );
  }

  /** A client that `server` serves and whose handshake is done; both have read what came. */
  async client(
    server: FakeServer,
    identity: Parameters<TestEdge['strangeClient']>[0] & { handshake?: string } = {},
  ): Promise<FakeClient> {
    const { handshake = JSON_HANDSHAKE, ...rest } = identity;
    const client = this.strangeClient(rest);
    client.says(handshake);
    server.data(client, '{}␞');
    await server.messages();
    client.socket.sent.length = 0;
    return client;
  }

  /** How many client connections ended for which reasons. */
  get closes(): Record<string, number> {
    return counted(this.context.counters.clientCloses);
  }
}
