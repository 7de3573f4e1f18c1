import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { describe, expect, test } from 'vitest';

import { HubError } from '../errors.ts';
import { until } from '../fake-service.test-support.ts';
import { atEnd, serve } from '../harness.test-support.ts';
import { Hub } from '../hubs/hub.ts';
import type { HubMethods } from '../hubs/hub-methods.ts';
import { ManualClock } from '../manual-clock.test-support.ts';
import type { HubUser } from './authorization.ts';

const events: string[] = [];

class Chat extends Hub {
  override onConnected(): void {
    events.push('connected');
  }
  hello(): string {
    return 'hello';
  }
}

const admins = ({ claims }: HubUser) => [claims['role']].flat().includes('admin');
const admin: [string, string][] = [
  ['asrs.s.uid', 'ada'],
  ['http://schemas.microsoft.com/ws/2008/06/identity/claims/role', 'admin'],
];

describe('at negotiate', () => {
  async function negotiate(
    authorize: (user: HubUser) => boolean | Promise<boolean>,
    headers: Record<string, string>,
  ) {
    const { server } = await serve(Chat, { authorize });
    const handler = server.node({
      userId: (request) => request.headers['x-user'] as string | undefined,
      claims: ({ headers }) => ({ role: [String(headers['x-role']), 'b'] }),
    });
    const http = createHttpServer((request, response) => void handler(request, response));
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    atEnd(() => new Promise((resolve) => http.close(resolve)));
    const { port } = http.address() as AddressInfo;
    return fetch(`http://127.0.0.1:${port}/chat/negotiate`, { method: 'POST', headers });
  }

  test('who may gets a token', async () => {
    const response = await negotiate(admins, { 'x-user': 'ada', 'x-role': 'admin' });
    expect(response.status).toBe(200);
    expect(await response.json()).toHaveProperty('accessToken');
  });

  test('who is nobody gets 401', async () => {
    const response = await negotiate(admins, {});
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    expect(await response.text()).toBe('');
    expect(response.headers.get('content-type')).toBeNull();
  });

  test('who is somebody else gets 403', async () => {
    const response = await negotiate(admins, { 'x-user': 'bob', 'x-role': 'buyer' });
    expect([response.status, await response.text()]).toEqual([
      403,
      'This user may not use this hub.',
    ]);
  });

  test('an answer that is not true is a no', async () => {
    const vague = () => Promise.resolve(1 as unknown as boolean);
    expect((await negotiate(vague, { 'x-user': 'ada' })).status).toBe(403);
  });

  test('claims look as they will in a hub', async () => {
    let seen: HubUser | undefined;
    const { server } = await serve(Chat, {
      authorize: (user) => {
        seen = user;
        return true;
      },
    });
    const handler = server.node({
      claims: () => ({ sub: 'ada', roles: ['a', 'b'], age: 7, iss: 'me', 'asrs.s.uid': 'root' }),
    });
    const http = createHttpServer((request, response) => void handler(request, response));
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    atEnd(() => new Promise((resolve) => http.close(resolve)));
    const { port } = http.address() as AddressInfo;
    await fetch(`http://127.0.0.1:${port}/chat/negotiate`, { method: 'POST' });
    expect({ ...seen!.claims }).toEqual({ sub: 'ada', roles: ['a', 'b'], age: '7', iss: 'me' });
    expect(seen!.userIdentifier).toBe('ada');
  });
});

describe('when the connection opens', () => {
  const refused = '{"error":"Failed to connect because user is unauthorized"}';

  test('who may is served, in order', async () => {
    const { trunk } = await serve(Chat, { authorize: async (user) => admins(user) });
    const client = trunk.open({ claims: admin });
    client.call('hello', [], '1');
    client.call('hello', [], '2');
    await client.text(2);
    expect(client.texts).toEqual([
      '{}',
      '{"type":3,"invocationId":"1","result":"hello"}',
      '{"type":3,"invocationId":"2","result":"hello"}',
    ]);
  });

  test.each<[string, () => boolean | Promise<boolean>, string]>([
    ['who may not', () => false, refused],
    ['who may not, it turns out later', () => Promise.resolve(false), refused],
    ['who gets anything but true', () => 'yes' as unknown as boolean, refused],
    [
      'everybody, when it cannot be told',
      () => Promise.reject(new Error('no database')),
      '{"error":"An unexpected error occurred during connection handshake."}',
    ],
    [
      'with a HubError, which says why',
      () => {
        throw new HubError('banned');
      },
      '{"error":"An unexpected error occurred during connection handshake. HubException: banned"}',
    ],
  ])('%s is refused by the handshake', async (_who, authorize, answer) => {
    events.length = 0;
    const { trunk } = await serve(Chat, { authorize });
    const client = trunk.open();
    client.call('hello');
    await client.released();
    expect(client.texts).toEqual([answer]);
    expect(events).toEqual([]);
  });

  test('a client that was moved here is asked about, too', async () => {
    const { trunk } = await serve(Chat, { authorize: () => false });
    const client = trunk.open({ headers: new Map([['Asrs-Migrate-From', ['other']]]) });
    await client.released();
    expect(client.texts).toEqual([]);
  });

  test('one about which nothing is known in time is canceled', async () => {
    const clock = new ManualClock();
    let asked = false;
    const authorize = () => {
      asked = true;
      return new Promise<boolean>(() => {});
    };
    const { trunk } = await serve(Chat, { clock, authorize });
    const client = trunk.open();
    await until(() => asked, 'the question');
    clock.advance(15_000);
    await client.released();
    expect(client.texts).toEqual(['{"error":"Handshake was canceled."}']);
  });

  test('what comes before the answer is bounded', async () => {
    const authorize = () => new Promise<boolean>(() => {});
    const { trunk } = await serve(Chat, { authorize, maximumPendingBytes: 1000 });
    const client = trunk.open();
    for (let i = 0; i < 20; i++) client.call('hello', ['x'.repeat(100)]);
    await client.released();
    expect(client.texts).toEqual(['{"error":"Handshake was canceled."}']);
  });
});

describe('a method', () => {
  class Guarded extends Hub {
    static readonly methods = {
      open: {},
      admin: { authorize: async (context) => admins(context) },
      own: { authorize: ({ userIdentifier }, [user]) => userIdentifier === user },
      breaks: {
        authorize: () => {
          throw new Error('no database');
        },
      },
      streams: { authorize: () => false },
      vague: { authorize: () => 'yes' as unknown as boolean },
      slow: { authorize: () => Guarded.gate },
    } satisfies HubMethods<Guarded>;
    static gate: Promise<boolean> = Promise.resolve(true);
    static ran = 0;

    open(): string {
      return 'open';
    }
    admin(_text: string): string {
      return 'admin';
    }
    own(_user: string): string {
      return 'own';
    }
    breaks(): void {
      Guarded.ran++;
    }
    async *streams(): AsyncGenerator<number> {
      yield 1;
    }
    slow(): void {
      Guarded.ran++;
    }
    vague(): void {}
  }

  const unauthorized = (target: string) =>
    `{"type":3,"invocationId":"1","error":"Failed to invoke '${target}' because user is unauthorized"}`;

  test('is run for who may', async () => {
    const { trunk } = await serve(Guarded);
    const client = trunk.open({ claims: admin });
    client.call('admin', ['x'], '1');
    client.call('own', ['ada'], '2');
    client.call('open', [], '3');
    await client.text(3);
    expect(client.texts.slice(1).map((text) => (JSON.parse(text) as { result: 1 }).result)).toEqual(
      ['admin', 'own', 'open'],
    );
  });

  test.each([
    ['ADMIN', ['x'], 1],
    ['own', ['ada'], 1],
    ['vague', [], 1],
    // Before it is seen that this is the wrong mode.
    ['streams', [], 1],
    ['streams', [], 4],
  ] as const)('%s(%j) is refused to who may not', async (target, args, type) => {
    const { trunk } = await serve(Guarded);
    const client = trunk.open();
    client.json({ type, invocationId: '1', target, arguments: args });
    expect(await client.text(1)).toBe(unauthorized(target));
  });

  test('is bound first', async () => {
    const { trunk } = await serve(Guarded);
    const client = trunk.open();
    client.call('admin');
    expect(await client.text(1)).toContain(
      "Failed to invoke 'admin' due to an error on the server.",
    );
  });

  test('is not run when it cannot be told', async () => {
    Guarded.ran = 0;
    const { trunk, log } = await serve(Guarded);
    const client = trunk.open();
    client.call('breaks');
    expect(await client.text(1)).toBe(
      '{"type":3,"invocationId":"1","error":"An unexpected error occurred invoking \'breaks\' on the server."}',
    );
    expect(log.lines).toEqual(["the checks of a call of 'breaks' threw"]);
    expect(Guarded.ran).toBe(0);
  });

  test('refused without an id is not answered', async () => {
    const { trunk } = await serve(Guarded);
    const client = trunk.open();
    client.call('admin', ['x'], '');
    client.call('open');
    expect(await client.text(1)).toContain('"open"');
  });

  test('is not run for a client that has gone meanwhile', async () => {
    Guarded.ran = 0;
    let allow = (_may: boolean) => {};
    Guarded.gate = new Promise((resolve) => (allow = resolve));
    const { trunk } = await serve(Guarded);
    const client = trunk.open();
    client.call('slow');
    await client.text(0);
    client.close();
    const other = trunk.open({ id: 'c2' });
    other.call('open');
    await other.text(1);
    allow(true);
    other.call('open', [], '2');
    await other.text(2);
    expect(Guarded.ran).toBe(0);
  });
});
