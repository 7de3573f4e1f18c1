import { FakeAppServer, startEdge } from '@trunkline/testing';
import { expect, it } from 'vitest';
import { RawSocket } from './support/raw-socket.ts';
import { metric } from './support/metrics.ts';
import { HubClient } from './support/hub-client.ts';
import { userToken } from './support/tokens.ts';

/** Whoever has a token service can name hubs: that takes nothing from those that exist. */

it('clients name half of --max-hubs, and app servers still find room for theirs', async () => {
  await using edge = await startEdge({ args: ['--max-hubs', '20'] });
  const knock = async (hub: string): Promise<string> => {
    using socket = new RawSocket(edge.url);
    const headers = { Authorization: `Bearer ${userToken(hub, undefined)}` };
    return (await socket.upgrade(`/client/?hub=${hub}`, headers)).status;
  };
  const statuses = [];
  for (let n = 0; n < 15; n++) statuses.push(await knock(`made_up_${n}`));
  expect(statuses.filter((status) => status.includes('101'))).toHaveLength(10);
  expect(statuses.filter((status) => status.includes('503'))).toHaveLength(5);
  expect(await metric(edge, 'trunkline_refusals_total', { reason: 'hubs' })).toBe(5);
  await using _server = await FakeAppServer.connect(edge.url);
  await using client = await HubClient.connect(edge.url);
  expect(await client.call('echo', 'on')).toBe('on');
});
