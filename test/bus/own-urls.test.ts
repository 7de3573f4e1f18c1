import { FakeAppServer, freePort, NATS, startEdge, startNats } from '@trunkline/testing';
import { expect, it } from 'vitest';

import { metric } from '../edge/support/metrics.ts';
import { officialClient } from '../traps/support/official-client.ts';
import { knows } from './engines.ts';

it.skipIf(NATS === undefined)(
  'clients of an edge that drains are sent on to another one, which has a URL of its own',
  async () => {
    await using nats = await startNats();
    const start = async () => {
      const port = await freePort();
      const url = `http://127.0.0.1:${port}`;
      const args = ['--bus', `nats://${nats.host}`, '--port', `${port}`, '--public-url', url];
      return startEdge({ args: [...args, '--drain-timeout', '60'] });
    };
    await using a = await start();
    await using b = await start();
    for (const edge of [a, b]) await knows(edge, 2);
    await using _server = await FakeAppServer.connect(a.url);
    await using _other = await FakeAppServer.connect(b.url);
    const clients = async (edge: typeof a): Promise<number> =>
      metric(edge, 'trunkline_client_connections', { hub: 'chat', transport: 'webSockets' });

    const client = officialClient(`${a.url}/client/?hub=chat`, {}, (builder) =>
      builder.withAutomaticReconnect([0, 100, 200, 500, 1_000, 2_000]),
    );
    const reconnected = new Promise((resolve) => client.onreconnected(resolve));
    await client.start();
    expect(await clients(a)).toBe(1);

    expect((await fetch(`${a.adminUrl}/admin/drain`, { method: 'POST' })).status).toBe(202);
    await reconnected;
    expect(await client.invoke('echo', 'there')).toBe('there');
    expect([await clients(a), await clients(b)]).toEqual([0, 1]);
    expect(await metric(a, 'trunkline_negotiates_total', { result: 'redirected' })).toBe(1);
    await client.stop();
  },
);
