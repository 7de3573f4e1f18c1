import { setTimeout as sleep } from 'node:timers/promises';

import {
  DefaultHttpClient,
  type HttpRequest,
  type HttpResponse,
  HttpTransportType,
  NullLogger,
} from '@microsoft/signalr';
import type { Claims } from '@trunkline/protocol';
import type { DotnetStandIn } from '@trunkline/testing';
import { DEVELOPMENT_ACCESS_KEY, mintClientToken, NAME_IDENTIFIER } from '@trunkline/tokens';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Client } from '../../conformance/client.ts';
import type { About } from '../../conformance/contract.ts';
import { TEST_MS, World } from './world.ts';

const ROLE = 'http://schemas.microsoft.com/ws/2008/06/identity/claims/role';
const READER = { userId: 'ann', claims: { role: 'reader' } };
/** As the package has them of a user who signs in anew. */
const WRITER: Claims = [
  ['asrs.s.uid', 'ann'],
  [NAME_IDENTIFIER, 'ann'],
  [ROLE, 'writer'],
  [ROLE, 'admin'],
];
const ROLES = ['writer', 'admin'];
const SIGN_IN_SECONDS = 3;

const TRANSPORTS: [string, HttpTransportType][] = [
  ['WebSockets', HttpTransportType.WebSockets],
  ['server-sent events', HttpTransportType.ServerSentEvents],
  ['long polling', HttpTransportType.LongPolling],
];

/** Keeps the connection token that the edge has given, which the library shows to nobody. */
class TokenKeeper extends DefaultHttpClient {
  connectionToken = '';

  constructor() {
    super(NullLogger.instance);
  }

  override async send(request: HttpRequest): Promise<HttpResponse> {
    const response = await super.send(request);
    if (request.url!.includes('/negotiate')) {
      const answer = JSON.parse(response.content as string) as { connectionToken?: string };
      this.connectionToken = answer.connectionToken ?? '';
    }
    return response;
  }
}

interface Visit {
  readonly client: Client;
  readonly connectionToken: string;
}

/** Service protocol reference, section 18.6. */
describe.concurrent('an app on 1.34.0 refreshes a sign-in', { timeout: TEST_MS }, () => {
  let world: World;
  let app: DotnetStandIn;

  beforeAll(async () => {
    world = await World.start(['--migration', 'always']);
    app = await world.startApp('1.34.0');
  });

  afterAll(async () => world[Symbol.asyncDispose]());

  async function visit(at: DotnetStandIn, transport = HttpTransportType.WebSockets, signIn = {}) {
    const httpClient = new TokenKeeper();
    const identity = { ...READER, ...signIn };
    const client = await world.connect(at, { identity, httpClient, transport });
    return { client, connectionToken: httpClient.connectionToken };
  }

  function refresh({ connectionToken }: Visit, claims: Claims, { in: seconds = 0, by = app } = {}) {
    const at = Math.floor(Date.now() / 1000) + seconds;
    const end = seconds === 0 ? {} : { expireTime: { seconds: at, nanoseconds: 0 } };
    return by.ask({ do: 'refresh', hub: 'main', connectionToken, claims, ...end });
  }

  const claimsOf = ({ connectionToken }: Visit): Promise<unknown> =>
    app.ask({ do: 'claims', hub: 'main', connectionToken });

  const rolesOf = async ({ client }: Visit): Promise<unknown> =>
    (await client.invoke<About>('about')).claims[ROLE];

  it.each(TRANSPORTS)(
    'of a client over %s: hub and service have the new claims, the connection stays',
    async (_name, transport) => {
      const ann = await visit(app, transport);
      const id = await ann.client.id();
      expect(await rolesOf(ann)).toBe('reader');
      const answer = await refresh(ann, WRITER);
      expect(answer).toEqual(
        expect.arrayContaining([
          ['asrs.s.uid', 'ann'],
          ['role', 'writer'],
          ['role', 'admin'],
        ]),
      );
      await world.eventually(async () => expect(await rolesOf(ann)).toEqual(ROLES));
      expect(await claimsOf(ann)).toEqual(answer);
      expect(await ann.client.id()).toBe(id);
      expect(ann.client.events.all).toEqual([]);
    },
  );

  it('and puts off its end, without which the client has to come again', async () => {
    const signIn = { signInSeconds: SIGN_IN_SECONDS };
    const stays = await visit(app, HttpTransportType.WebSockets, signIn);
    const leaves = await visit(app, HttpTransportType.WebSockets, signIn);
    expect(await refresh(stays, [], { in: 60 })).toContainEqual(['asrs.s.coae', 'true']);
    await leaves.client.event('reconnecting');
    await sleep(SIGN_IN_SECONDS * 1000);
    expect(await stays.client.invoke('echo', 'still here')).toBe('still here');
    expect(stays.client.events.all).toEqual([]);
    expect(await rolesOf(stays)).toBe('reader');
  });

  it('of another user, or of nobody whom the edge knows: in vain', async () => {
    const ann = await visit(app);
    const bob: Claims = [
      ['asrs.s.uid', 'bob'],
      [ROLE, 'admin'],
    ];
    expect(await refresh(ann, bob)).toBe('forbidden');
    const { client } = ann;
    expect(await refresh({ client, connectionToken: await client.id() }, WRITER)).toBe('not found');
    expect(await rolesOf(ann)).toBe('reader');
    expect(client.events.all).toEqual([]);
  });

  it('of a client that moves to another process afterwards: that has the new claims', async () => {
    const sticky = 'Preferred';
    const first = await world.startApp('1.34.0', { sticky });
    const ann = await visit(first);
    await refresh(ann, WRITER, { by: first });
    await world.eventually(async () => expect(await rolesOf(ann)).toEqual(ROLES));
    const next = await world.startApp('1.34.0', { sticky, prefix: first.prefix });
    await first.kill();
    expect(await ann.client.invoke('pid')).toBe(next.pid);
    expect(await rolesOf(ann)).toEqual(ROLES);
    expect(ann.client.events.all).toEqual([]);
  });

  it('of a client that polls: a token of the new claims is good for its requests', async () => {
    const ann = await visit(app, HttpTransportType.LongPolling);
    await refresh(ann, WRITER);
    const hub = `${app.prefix}main`;
    const post = async (userId: string): Promise<number> => {
      const token = mintClientToken({
        key: DEVELOPMENT_ACCESS_KEY,
        audienceBase: 'http://edge/',
        hub,
        userId,
        claims: { role: ROLES },
      });
      const url = `${world.edge.url}/client/?hub=${hub}&id=${ann.connectionToken}`;
      const headers = { authorization: `Bearer ${token}` };
      const answer = await fetch(url, { method: 'POST', headers, body: '{"type":6}\u001e' });
      return answer.status;
    };
    expect(await post('ann')).toBe(200);
    expect(await post('bob')).not.toBe(200);
    expect(ann.client.events.all).toEqual([]);
  });
});
