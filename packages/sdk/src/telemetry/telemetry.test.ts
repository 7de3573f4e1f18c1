import { MessageType } from '@trunkline/protocol';
import { Registry } from 'prom-client';
import { describe, expect, test } from 'vitest';

import { until } from '../fake-service.test-support.ts';
import { serve } from '../harness.test-support.ts';
import { HubError } from '../errors.ts';
import { Hub } from '../hubs/hub.ts';
import { ManualClock } from '../manual-clock.test-support.ts';
import { createServer } from '../server.ts';
import type { ClientEvent } from './events.ts';

class Chat extends Hub {
  hello(): string {
    return 'hello';
  }
  fail(): void {
    throw new HubError('no');
  }
}

describe('events', () => {
  test('tell of clients, once their hooks have succeeded or ended', async () => {
    const order: unknown[] = [];
    class Slow extends Hub {
      override async onConnected(): Promise<void> {
        await new Promise(setImmediate);
        if (this.context.connectionId === 'bad') throw new Error('not this one');
        order.push('onConnected');
      }
      override async onDisconnected(): Promise<void> {
        await new Promise(setImmediate);
        order.push('onDisconnected');
      }
    }
    const { server, trunk } = await serve(Slow, { hub: 'Talk' });
    server.on('connected', (client) => order.push(['connected', client]));
    server.on('disconnected', (client, error) => order.push(['disconnected', client, error]));
    const endpoint = server.health.hubs[0]!.endpoints[0]!.name;
    const event = { hub: 'talk', connectionId: 'c1', userIdentifier: 'u', endpoint };
    await trunk.open({ id: 'bad' }).released();
    const client = trunk.open({ claims: [['asrs.s.uid', 'u']] });
    await until(() => order.length === 2, 'connected');
    client.write(Buffer.from('junk\x1e'));
    await until(() => order.length === 4, 'disconnected');
    expect(order).toEqual([
      'onConnected',
      ['connected', event],
      'onDisconnected',
      ['disconnected', event, expect.objectContaining({ name: 'InvalidDataException' })],
    ]);
  });

  test('tell of server connections, and why they were lost', async () => {
    const clock = new ManualClock();
    const { server, trunk, service } = await serve(Chat, { clock });
    const endpoint = `127.0.0.1:${service.port}`;
    const order: unknown[] = [];
    server.on('serverConnectionUp', (connection) => order.push(['up', connection]));
    server.on('serverConnectionDown', (...args) => order.push(['down', ...args]));
    trunk.socket.close(1000);
    await until(() => service.live.length === 1 && order.length === 2, 'another one');
    for (let second = 0; second < 40; second++) clock.advance(1000);
    await until(() => order.length >= 3, 'its loss');
    expect(order.slice(0, 3)).toEqual([
      ['down', { hub: 'chat', endpoint, open: 0 }, undefined],
      ['up', { hub: 'chat', endpoint, open: 1 }],
      [
        'down',
        { hub: 'chat', endpoint, open: 0 },
        expect.objectContaining({ message: 'the service was silent for 30 s' }),
      ],
    ]);
  });

  test('break nothing when a listener throws or rejects, and the others hear of them', async () => {
    const { server, trunk, log } = await serve(Chat);
    const heard: string[] = [];
    server.once('connected', () => {
      throw new Error('boom');
    });
    const reject = async ({ connectionId }: ClientEvent) => {
      throw new Error(`not ${connectionId}`);
    };
    server.on('connected', reject as (client: ClientEvent) => unknown);
    server.on('connected', ({ connectionId }) => heard.push(connectionId));
    for (const id of ['c1', 'c2']) {
      const client = trunk.open({ id });
      client.call('hello');
      expect(await client.text(1)).toContain('hello');
    }
    expect(heard).toEqual(['c1', 'c2']);
    expect(log.lines).toEqual([
      "a listener of 'connected' threw: boom",
      "a listener of 'connected' threw: not c1",
      "a listener of 'connected' threw: not c2",
    ]);
  });
});

test('health is down, up, and stopped', async () => {
  const connectionString = 'Endpoint=http://127.0.0.1;Port=1;AccessKey=k;Version=1.0;';
  const idle = createServer({ connectionString });
  idle.hub('/chat', Chat);
  expect(idle.health.status).toBe('down');

  const { server, trunk, service } = await serve(Chat);
  await trunk.open().text(0);
  const endpoint = { name: `127.0.0.1:${service.port}`, type: 'primary', online: true };
  expect(server.health).toEqual({
    status: 'up',
    clients: 1,
    hubs: [
      { hub: 'chat', clients: 1, endpoints: [{ ...endpoint, serverConnections: 1, clients: 1 }] },
    ],
  });
  const stopping = server.stop({ timeout: 0 });
  expect(server.health.status).toBe('stopped');
  await stopping;
  expect(server.health.clients).toBe(0);
  expect(server.health.hubs[0]!.endpoints[0]).toMatchObject({ online: false, clients: 0 });
});

test('metrics are there for a registry of prom-client', async () => {
  const { server, trunk, hub, service } = await serve(Chat);
  const registry = new Registry();
  server.metrics(registry);
  registry.resetMetrics();
  const client = trunk.open();
  client.call('hello', [], '1');
  client.call('fail', [], '2');
  await client.text(2);
  await hub.clients.all.send('m');
  const gone = trunk.open({ id: 'c2' });
  await gone.text(0);
  gone.close();
  await until(() => server.health.clients === 1, 'its end');
  const text = await registry.metrics();
  const endpoint = `hub="chat",endpoint="127.0.0.1:${service.port}"`;
  const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  expect(samples).toEqual([
    `trunkline_sdk_clients{${endpoint}} 1`,
    `trunkline_sdk_server_connections{${endpoint}} 1`,
    `trunkline_sdk_server_connection_closes_total{${endpoint}} 0`,
    `trunkline_sdk_outbound_bytes{${endpoint}} 0`,
    'trunkline_sdk_client_connects_total{hub="chat"} 2',
    'trunkline_sdk_client_disconnects_total{hub="chat"} 1',
    'trunkline_sdk_calls_total{hub="chat"} 2',
    'trunkline_sdk_call_failures_total{hub="chat"} 1',
    'trunkline_sdk_sends_total{hub="chat"} 1',
    'trunkline_sdk_unreadable_messages_total{hub="chat"} 0',
  ]);
  expect(text).toContain('# TYPE trunkline_sdk_sends_total counter');
  await trunk.next(MessageType.BroadcastData);
  await server.stop({ timeout: 0 });
  const after = await registry.getMetricsAsJSON();
  const closes = after.find(({ name }) => name === 'trunkline_sdk_server_connection_closes_total');
  expect(closes?.values[0]?.value).toBe(1);
});
