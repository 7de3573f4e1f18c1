import type { ServiceMessage } from '@trunkline/protocol';
import { AckStatus, MessageType } from '@trunkline/protocol';
import { describe, expect, test } from 'vitest';

import type { FakeServerConnection } from '../fake-service.test-support.ts';
import { FakeService, until } from '../fake-service.test-support.ts';
import { atEnd, fakeService, Log, passing } from '../harness.test-support.ts';
import { Hub } from '../hubs/hub.ts';
import { ManualClock } from '../manual-clock.test-support.ts';
import { createServer, Server } from '../server.ts';
import type { EndpointType } from './endpoint.ts';
import type { EndpointRouter } from './router.ts';

class Chat extends Hub {
  async tell(): Promise<void> {
    await this.clients.all.send('told');
  }
}

const REFUSED = 'Endpoint=http://127.0.0.1;Port=1;AccessKey=k;Version=1.0;';

interface Options {
  readonly types?: readonly EndpointType[];
  readonly router?: EndpointRouter;
}

/** A started server at endpoints `a`, `b` …, one server connection to each. */
async function serveAt({ types = ['primary', 'primary'], router = {} }: Options = {}) {
  const clock = new ManualClock();
  const services = await Promise.all(types.map(() => fakeService()));
  const endpoints = services.map(({ connectionString }, at) => {
    return { name: 'abc'[at]!, connectionString, type: types[at]! };
  });
  const ports = services.map(({ port }) => port);
  const log = new Log();
  const server = new Server({ endpoints, router, connectionCount: 1, logger: log }, clock);
  atEnd(() => passing(clock, server.stop({ timeout: 0 })));
  const hub = server.hub('/chat', Chat);
  await server.start();
  const trunks = await Promise.all(services.map((service) => trunkOf(service)));
  const web = server.web({ userId: (request) => request.headers.get('x-user') ?? undefined });
  /** The service that a client is sent to; its status where it is sent nowhere. */
  const negotiate = async (user = 'u') => {
    const headers = { 'x-user': user };
    const request = new Request('http://app/chat/negotiate', { method: 'POST', headers });
    const response = await web(request);
    if (response.status !== 200) return response.status;
    const { url } = (await response.json()) as { url: string };
    return ports.findIndex((port) => url.includes(`:${port}/client/`));
  };
  return { clock, services, server, hub, trunks, negotiate, log };
}

function trunkOf(service: FakeService): Promise<FakeServerConnection> {
  return until(() => service.live[0], 'a server connection');
}

const pass = (message: ServiceMessage, from: FakeServerConnection) => from.send(message);

function ack(trunk: FakeServerConnection, ackId: number, status: number): void {
  pass({ type: MessageType.Ack, ackId, status, message: '' }, trunk);
}

describe('what cannot work is said at once', () => {
  test.each<[string, object, RegExp]>([
    ['both', { connectionString: REFUSED, endpoints: [] }, /connectionString or endpoints/],
    ['none', { endpoints: [] }, /none is primary/],
    [
      'only secondaries',
      { endpoints: [{ connectionString: REFUSED, type: 'secondary' }] },
      /none is primary/,
    ],
    [
      'one name twice',
      {
        endpoints: [
          { name: 'a', connectionString: REFUSED },
          { name: 'a', connectionString: REFUSED.replace('Port=1', 'Port=2') },
        ],
      },
      /'a' is the name of two/,
    ],
  ])('%s', (_what, options, why) => {
    expect(() => createServer(options)).toThrow(why);
  });
});

test('of two with the same URL the primary one remains, named by its host', () => {
  const secondary = { name: 's', connectionString: REFUSED, type: 'secondary' } as const;
  const server = createServer({ endpoints: [secondary, { connectionString: REFUSED }] });
  server.hub('/chat', Chat);
  expect(server.health.hubs[0]!.endpoints).toMatchObject([
    { name: '127.0.0.1:1', type: 'primary' },
  ]);
});

describe('start', () => {
  test('is not held up by an endpoint that is not there', async () => {
    const service = await fakeService();
    const log = new Log();
    const endpoints = [
      { connectionString: REFUSED },
      { name: 'there', connectionString: service.connectionString },
    ];
    const server = createServer({ endpoints, logger: log });
    atEnd(() => server.stop({ timeout: 0 }));
    server.hub('/chat', Chat);
    await server.start();
    expect(server.health.status).toBe('degraded');
    expect(log.lines[0]).toContain("hub 'chat' at endpoint '127.0.0.1:1' lacks");
  });

  test('rejects when one of them does not know its key', async () => {
    const [good, bad] = [await fakeService(), await fakeService()];
    bad.refuseWith = 401;
    const endpoints = [good, bad].map(({ connectionString }) => ({ connectionString }));
    const server = createServer({ endpoints, logger: new Log() });
    server.hub('/chat', Chat);
    await expect(server.start()).rejects.toMatchObject({ code: 'unauthorized' });
  });
});

describe('negotiate', () => {
  test('shares clients out among the primaries, then among who is left', async () => {
    const { negotiate, services, server } = await serveAt({
      types: ['primary', 'primary', 'secondary'],
    });
    const seen = new Set<number>();
    while (seen.size < 2) seen.add(await negotiate());
    expect(seen).toEqual(new Set([0, 1]));
    for (const [gone, left] of [
      [0, 1],
      [1, 2],
    ] as const) {
      await services[gone]!.stop();
      await until(() => !server.health.hubs[0]!.endpoints[gone]!.online, 'its end');
      expect(await negotiate()).toBe(left);
    }
    await services[2]!.stop();
    await until(() => server.health.status === 'down', 'the end of all');
    expect(await negotiate()).toBe(503);
  });

  test('goes by the capacity that pings report, for which it asks every 10 s', async () => {
    const { clock, negotiate, trunks } = await serveAt();
    const reports = ['100', '99'];
    for (const [at, trunk] of trunks.entries()) {
      const load = ['status', '1', 'clientcount', reports[at]!, 'servercount', '0'];
      pass({ type: MessageType.Ping, entries: [...load, 'capacity', '100'] }, trunk);
      pass({ type: MessageType.Ping, entries: ['echo', ''] }, trunk);
      await until(() => pings(trunk).includes('echo'), 'the echo');
    }
    for (let n = 0; n < 20; n++) expect(await negotiate()).toBe(1);
    for (let second = 0; second < 21; second++) clock.advance(1000);
    for (const trunk of trunks) {
      await until(() => pings(trunk).filter((key) => key === 'status').length === 3, 'status');
    }
  });

  test('asks the router, which gets those online', async () => {
    const seen: unknown[] = [];
    const { negotiate, server, services } = await serveAt({
      types: ['primary', 'primary', 'secondary'],
      router: {
        negotiate: async ({ hub, userId, request }, online) => {
          seen.push([hub, userId, (request as Request).method, online.map(({ name }) => name)]);
          return online.find(({ name }) => name === userId);
        },
      },
    });
    await services[0]!.stop();
    await until(() => server.health.status === 'degraded', 'its end');
    expect(await negotiate('c')).toBe(2);
    expect(await negotiate('a')).toBe(503);
    expect(seen).toEqual([
      ['chat', 'c', 'POST', ['b', 'c']],
      ['chat', 'a', 'POST', ['b', 'c']],
    ]);
  });
});

describe('what is sent', () => {
  const sent = (trunk: FakeServerConnection) =>
    trunk.received.filter(({ type }) => type !== MessageType.Ping).length - 1;

  test('goes to every endpoint that is online', async () => {
    const { hub, trunks, services, server } = await serveAt({
      types: ['primary', 'secondary'],
    });
    await hub.clients.all.send('m');
    for (const trunk of trunks) await trunk.next(MessageType.BroadcastData);
    await services[0]!.stop();
    await until(() => server.health.status === 'degraded', 'its end');
    await hub.clients.group('g').send('m');
    await trunks[1]!.next(MessageType.GroupBroadcastData);
    await services[1]!.stop();
    await until(() => server.health.status === 'down', 'the end of all');
    await expect(hub.clients.all.send('m')).rejects.toMatchObject({ code: 'not-connected' });
  });

  test('goes only to the endpoint of a client of this server', async () => {
    const { hub, trunks } = await serveAt();
    const client = trunks[1]!.open();
    await client.text(0);
    await hub.clients.client('c1').send('m');
    await hub.clients.all.send('m');
    await trunks[1]!.next(MessageType.MultiConnectionData);
    await trunks[0]!.next(MessageType.BroadcastData);
    expect(sent(trunks[0]!)).toBe(1);
  });

  test('by a hub method takes one server connection at each endpoint', async () => {
    const services = [await fakeService(), await fakeService()];
    const endpoints = services.map(({ connectionString }) => ({ connectionString }));
    const server = createServer({ endpoints, connectionCount: 3, logger: new Log() });
    atEnd(() => server.stop({ timeout: 0 }));
    server.hub('/chat', Chat);
    await server.start();
    const counts = () => server.health.hubs[0]!.endpoints.map((one) => one.serverConnections);
    await until(() => String(counts()) === '3,3', 'all connections');
    const own = services[0]!.live[1]!;
    const client = own.open();
    for (let n = 0; n < 20; n++) client.call('tell', [], String(n));
    const told = (trunk: FakeServerConnection) => trunk.ofType(MessageType.BroadcastData).length;
    await until(() => told(own) === 20, 'all at its own');
    const others = () => services[1]!.live.map(told).filter((count) => count > 0);
    await until(() => others().includes(20), 'all at the other');
    expect(others()).toEqual([20]);
  });

  test('goes where the router says', async () => {
    const targets: unknown[] = [];
    const { hub, trunks } = await serveAt({
      router: {
        send: (target, endpoints) => {
          targets.push(target);
          return target.kind === 'all' ? endpoints : endpoints.filter(({ name }) => name === 'b');
        },
      },
    });
    const { clients } = hub;
    await clients.group('g').send('m');
    await clients.groups(['g', 'h']).send('m');
    await clients.user('u').send('m');
    await clients.users(['u', 'v']).send('m');
    await clients.client('x').send('m');
    await clients.all.send('m');
    await trunks[0]!.next(MessageType.BroadcastData);
    await trunks[1]!.next(MessageType.BroadcastData);
    expect(sent(trunks[0]!)).toBe(1);
    expect(sent(trunks[1]!)).toBe(6);
    expect(targets).toEqual([
      { kind: 'groups', names: ['g'] },
      { kind: 'groups', names: ['g', 'h'] },
      { kind: 'users', names: ['u'] },
      { kind: 'users', names: ['u', 'v'] },
      { kind: 'connections', names: ['x'] },
      { kind: 'all' },
    ]);
  });

  test('is refused when the router names something else', async () => {
    const other = {
      name: 'a',
      type: 'primary',
      online: true,
      clients: 0,
      load: undefined,
    } as const;
    const { hub } = await serveAt({ router: { send: () => [other] } });
    await expect(hub.clients.all.send('m')).rejects.toMatchObject({ code: 'bad-options' });
  });
});

describe('joining a group', () => {
  test('is asked of the endpoint of a client of this server alone', async () => {
    const { hub, trunks } = await serveAt();
    await trunks[1]!.open().text(0);
    const joined = hub.groups.add('c1', 'g');
    const { ackId } = await trunks[1]!.next(MessageType.JoinGroupWithAck);
    ack(trunks[1]!, ackId, AckStatus.Ok);
    await joined;
    expect(trunks[0]!.ofType(MessageType.JoinGroupWithAck)).toEqual([]);
  });

  /** Joins a connection that is elsewhere; resolves with what each endpoint has been asked. */
  async function joining() {
    const { hub, trunks, clock } = await serveAt();
    const outcome = { settled: false };
    const joined = hub.groups.add('elsewhere', 'g');
    joined.then(
      () => (outcome.settled = true),
      () => (outcome.settled = true),
    );
    const asked = await Promise.all(
      trunks.map((trunk) => trunk.next(MessageType.JoinGroupWithAck)),
    );
    const answer = (at: number, status: number) => ack(trunks[at]!, asked[at]!.ackId, status);
    const turns = async () => {
      for (const trunk of trunks) {
        pass({ type: MessageType.Ping, entries: ['echo', ''] }, trunk);
        const count = pings(trunk).length;
        await until(() => pings(trunk).length > count, 'the echo');
      }
    };
    return { joined, outcome, answer, turns, clock };
  }

  test('is done when one endpoint says so', async () => {
    const { joined, answer, clock } = await joining();
    answer(0, AckStatus.Ok);
    expect(await joined).toBeUndefined();
    clock.advance(20_000);
  });

  test('is done when all say that it is not there, and not before', async () => {
    const { joined, outcome, answer, turns } = await joining();
    answer(0, AckStatus.NotFound);
    await turns();
    expect(outcome.settled).toBe(false);
    answer(1, AckStatus.NotFound);
    await joined;
  });

  test('fails when one fails and none has it', async () => {
    const { joined, outcome, answer, turns } = await joining();
    answer(0, AckStatus.InternalServerError);
    await turns();
    expect(outcome.settled).toBe(false);
    answer(1, AckStatus.NotFound);
    await expect(joined).rejects.toMatchObject({ code: 'ack-timeout' });
  });

  test('is done although one fails, when another has it', async () => {
    const { joined, answer } = await joining();
    answer(0, AckStatus.InternalServerError);
    answer(1, AckStatus.Ok);
    expect(await joined).toBeUndefined();
  });
});

test('a client is not there when every endpoint says so', async () => {
  const { hub, trunks } = await serveAt();
  const outcome = { settled: false };
  const answer = hub.clients.client('elsewhere').invoke().send('ask');
  answer.catch(() => (outcome.settled = true));
  const asked = await Promise.all(trunks.map((trunk) => trunk.next(MessageType.ClientInvocation)));
  const refuse = (at: number) => {
    const { invocationId, connectionId, callerServerId } = asked[at]!;
    const type = MessageType.ErrorCompletion;
    pass({ type, invocationId, connectionId, callerServerId, error: 'unknown' }, trunks[at]!);
    pass({ type: MessageType.Ping, entries: ['echo', ''] }, trunks[at]!);
  };
  refuse(0);
  await until(() => pings(trunks[0]!).includes('echo'), 'the echo');
  expect(outcome.settled).toBe(false);
  refuse(1);
  await expect(answer).rejects.toMatchObject({ code: 'client-gone' });
});

describe('a secondary endpoint', () => {
  const types = (service: FakeService) =>
    service.live.map((trunk) => trunk.ofType(MessageType.HandshakeRequest)[0]!.connectionType);

  test('carries clients while no primary can, and no longer than it has to', async () => {
    const { clock, services, server, hub } = await serveAt({ types: ['primary', 'secondary'] });
    const [primary, secondary] = services as [FakeService, FakeService];
    const { port } = primary;
    expect(types(secondary)).toEqual([2]);
    await primary.stop();
    await until(() => server.health.status === 'degraded', 'its end');
    clock.advance(1000);
    await until(() => String(types(secondary)) === '0', 'the promotion');
    const client = secondary.live[0]!.open();
    await client.text(0);
    const again = await serviceAt(port);
    const back = until(() => server.health.status === 'up', 'its return');
    await passing(clock, back);
    clock.advance(2000);
    expect(types(secondary)).toEqual([0]);
    client.close();
    await until(() => server.health.clients === 0, 'the client gone');
    clock.advance(1000);
    await until(() => String(types(secondary)) === '2', 'the demotion');
    await hub.clients.all.send('m');
    await again.live[0]!.next(MessageType.BroadcastData);
  });

  test('is sent to without a gap while it is promoted', async () => {
    const { clock, services, server, hub } = await serveAt({ types: ['primary', 'secondary'] });
    const [primary, secondary] = services as [FakeService, FakeService];
    await primary.stop();
    await until(() => server.health.status === 'degraded', 'its end');
    const failures: unknown[] = [];
    clock.advance(1000);
    await until(() => {
      hub.clients.all.send('m').catch((error: unknown) => failures.push(error));
      return String(types(secondary)) === '0';
    }, 'the promotion');
    expect(failures).toEqual([]);
  });

  test('says nothing when the server stops, unless it carries clients', async () => {
    const { clock, server, trunks } = await serveAt({ types: ['primary', 'secondary'] });
    await passing(clock, server.stop());
    expect(pings(trunks[0]!)).toContain('shutdown');
    expect(pings(trunks[1]!)).not.toContain('shutdown');
  });
});

function pings(trunk: FakeServerConnection): string[] {
  return trunk.ofType(MessageType.Ping).map(({ entries }) => entries[0]!);
}

async function serviceAt(port: number): Promise<FakeService> {
  const service = await FakeService.start(port);
  atEnd(() => service.stop());
  return service;
}
