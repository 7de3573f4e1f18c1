import {
  DefaultHttpClient,
  type HttpRequest,
  type HttpResponse,
  type HubConnection,
  NullLogger,
} from '@microsoft/signalr';
import { FakeAppServer, type RoundRobinProxy, startRoundRobinProxy } from '@trunkline/testing';
import { MessageType } from '@trunkline/protocol';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { scrape } from '../edge/support/metrics.ts';
import { called, officialClient, TRANSPORTS } from '../traps/support/official-client.ts';
import { type Cluster, NATS_ENGINE, startCluster } from './engines.ts';

/** One request on each connection, so that each goes to the next edge. */
class OneByOne extends DefaultHttpClient {
  constructor() {
    super(NullLogger.instance);
  }

  override send(request: HttpRequest): Promise<HttpResponse> {
    return super.send({ ...request, headers: { ...request.headers, connection: 'close' } });
  }
}

const CLIENTS = 4;
const CALLS = 10;
const LONG = 'long '.repeat(80_000);

describe.skipIf(!NATS_ENGINE.isHere)('behind a load balancer that nobody sticks to', () => {
  let cluster: Cluster;
  let proxy: RoundRobinProxy;
  let servers: FakeAppServer[];

  beforeAll(async () => {
    cluster = await startCluster(NATS_ENGINE, 2);
    proxy = await startRoundRobinProxy(cluster.edges.map(({ url }) => url));
    servers = await Promise.all(cluster.edges.map(({ url }) => FakeAppServer.connect(url)));
  });
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.close()));
    await proxy[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  });

  async function connect(transport: 'longPolling' | 'serverSentEvents'): Promise<HubConnection> {
    const client = officialClient(`${proxy.url}/client/?hub=chat`, {
      transport: TRANSPORTS[transport],
      httpClient: new OneByOne(),
    });
    onTestFinished(() => client.stop());
    await client.start();
    return client;
  }

  const relays = async (kind: string, outcome: string): Promise<number> => {
    const all = await Promise.all(cluster.edges.map((edge) => scrape(edge)));
    const labels = { kind, outcome };
    return all
      .map((metrics) => metrics.value('trunkline_cluster_relays_total', labels) ?? 0)
      .reduce((sum, count) => sum + count, 0);
  };

  const open = async (): Promise<number> => {
    const all = await Promise.all(cluster.edges.map((edge) => scrape(edge)));
    return all
      .flatMap((metrics) =>
        ['poll', 'stream', 'post', 'leave'].map(
          (kind) => metrics.value('trunkline_cluster_relays', { kind }) ?? 0,
        ),
      )
      .reduce((sum, count) => sum + count, 0);
  };

  it.each([
    ['longPolling', 'poll'],
    ['serverSentEvents', 'stream'],
  ] as const)(
    'clients by %s call and hear, wherever their requests land',
    async (transport, kind) => {
      const before = [...proxy.counts];
      const ended = async (): Promise<number> =>
        (await relays(kind, 'answered')) + (await relays(kind, 'gone'));
      const [postsBefore, endedBefore] = [await relays('post', 'answered'), await ended()];
      const clients: HubConnection[] = [];
      for (let n = 0; n < CLIENTS; n++) clients.push(await connect(transport));
      await Promise.all(
        clients.map(async (client) => {
          for (let n = 0; n < CALLS; n++) expect(await client.invoke('echo', n)).toBe(n);
          expect(await client.invoke('echo', LONG)).toBe(LONG);
        }),
      );
      const news = clients.map((client) => called(client, 'news'));
      const body = `${JSON.stringify({ type: 1, target: 'news', arguments: ['all'] })}\x1e`;
      servers[0]!.write({
        type: MessageType.BroadcastData,
        excludedConnectionIds: [],
        payloads: new Map([['json', Buffer.from(body)]]),
      });
      expect(await Promise.all(news)).toEqual(clients.map(() => 'all'));
      await Promise.all(clients.map((client) => client.stop()));

      for (const [at, count] of proxy.counts.entries()) {
        expect(count - before[at]!).toBeGreaterThan(CLIENTS * 2);
      }
      expect((await relays('post', 'answered')) - postsBefore).toBeGreaterThan(CALLS);
      await expect.poll(open).toBe(0);
      expect((await ended()) - endedBefore).toBeGreaterThan(0);
      expect(await relays(kind, 'lost')).toBe(0);
    },
  );
});
