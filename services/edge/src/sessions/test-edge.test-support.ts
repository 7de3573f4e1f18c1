import { randomBytes } from 'node:crypto';
import { MessageType } from '@trunkline/protocol';
import { createLogger, LogDigest } from '@trunkline/telemetry';
import { AccessKeys } from '@trunkline/tokens';
import { ConnectionTable } from '../model/connection-table.ts';
import { ManualTime } from '../ports/manual-time.test-support.ts';
import type { ClientIdentity } from './client/client-session.ts';
import { ClientSession } from './client/client-session.ts';
import { HeldPosts } from './client/http/held-posts.ts';
import { TRANSPORTS } from './transport.ts';
import { Counters } from './counters.ts';
import type { CoreContext } from './core-context.ts';
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

/** Time that tests move, but for the ends of turns: those come by themselves, and tests await them. */
class TestTime extends ManualTime {
  override endOfTurn(run: () => void): void {
    setImmediate(run);
  }
}

/** The sessions of an edge without its listener, on a time that tests move. */
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
  readonly time = new TestTime();

  constructor(limits: Partial<CoreContext['limits']> = {}, pools = new Pools()) {
    const random = (bytes: number): Uint8Array => randomBytes(bytes);
    const write = (line: string): void =>
      void this.lines.push(JSON.parse(line) as Record<string, unknown>);
    const log = createLogger({ name: 'edge', level: 'info' }, { write });
    const { time } = this;
    const counters = new Counters();
    const outbox = new Outbox(counters.fanoutSeconds, time);
    this.context = {
      edgeId: 'edge-1',
      time,
      log,
      digest: new LogDigest(log, () => time.now()),
      limits: { ...LIMITS, ...limits },
      counters,
      pools,
      outbox,
      intake: new Intake(pools, outbox, time),
      tick: 0,
      clients: new ConnectionTable('test', random),
      servers: new Set(),
      results: new ClientResults(pools, time),
      tokens: new TokenVerifier(new AccessKeys(['newer key', KEY]), time, counters),
      flusher: new TurnFlusher(time),
      unsettled: new Set(),
      expiring: new Map(),
      pacedCloses: new PacedCloses(time, counters),
      heldPosts: new HeldPosts(),
      backlogged: new Set(),
    };
    this.hubs = new HubDirectory(this.context);
    this.watch = new Watch(this.context, this.expiring);
  }

  get now(): number {
    return this.time.now();
  }

  /** Lets seconds pass, in each of which the edge looks after its deadlines. */
  pass(seconds: number): void {
    this.time.pass(seconds * 1000);
  }

  /** Lets seconds pass while the app server keeps itself heard. */
  passWith(server: FakeServer, seconds: number): void {
    for (let i = 0; i < seconds; i++) {
      server.says({ type: MessageType.Ping, entries: [] });
      this.pass(1);
    }
  }

  /** Lets seconds pass without the edge noticing, as in a frozen machine. */
  sleep(seconds: number): void {
    this.time.sleep(seconds * 1000);
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
