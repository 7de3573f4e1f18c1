import { createHmac } from 'node:crypto';

import { NAME_IDENTIFIER } from '@trunkline/tokens';
import { describe, expect, it } from 'vitest';

import { ACCESS_KEY } from './fake-service.test-support.ts';
import type { Principal } from './negotiate.ts';
import { PROFILE_NAMES } from './profiles.ts';
import { Scene } from './scene.test-support.ts';

const NAME = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name';
const ROLE = 'http://schemas.microsoft.com/ws/2008/06/identity/claims/role';

const ALICE: Principal = {
  userId: 'alice',
  authenticationType: 'x',
  claims: [
    [NAME_IDENTIFIER, 'alice'],
    [NAME, 'Name alice'],
    [ROLE, 'r1'],
    [ROLE, 'r2'],
    ['custom', 'é'],
  ],
};

/** The parts of a token whose signature is right, as text, with its times blotted out. */
function parts(token: string): { header: string; payload: string } {
  const [header = '', payload = '', signature] = token.split('.');
  const right = createHmac('sha256', ACCESS_KEY).update(`${header}.${payload}`).digest('base64url');
  expect(signature).toBe(right);
  const text = (part: string): string => Buffer.from(part, 'base64url').toString();
  return { header: text(header), payload: text(payload).replaceAll(/:1\d{9}/g, ':N') };
}

function negotiate(scene: Scene, query: string, principal: Principal) {
  const { status, body } = scene.app.negotiate(scene.hub, '/chat', query, principal);
  expect(status).toBe(200);
  return JSON.parse(body) as { url: string; accessToken: string };
}

/** Service protocol reference, sections 3 and 20.2. */
describe.each(PROFILE_NAMES)('tokens and negotiate at %s', (profile) => {
  const issuer = profile === '1.34.0' ? '"iss":"azure-signalr",' : '';
  const times = '"nbf":N,"exp":N,"iat":N,';

  it('signs server tokens, without a port in the audience', async () => {
    await using scene = await Scene.start({ profile, applicationName: 'myapp' });
    const { request } = await scene.side();
    const { header, payload } = parts(request.headers.authorization!.replace('Bearer ', ''));
    expect(Object.keys(JSON.parse(header) as object)).toEqual(
      profile === '1.34.0' ? ['alg', 'typ', 'kid'] : ['alg', 'kid', 'typ'],
    );
    const { serverId } = scene.app;
    expect(payload).toBe(
      `{"nameid":"${serverId}",${times}${issuer}"aud":"http://127.0.0.1/server/?hub=myapp_chat"}`,
    );
  });

  it('answers with the URL of the service and the claims of the user', async () => {
    await using scene = await Scene.start({ profile });
    const endpoint = /Endpoint=([^;]+);(?:Port=(\d+);)?/.exec(scene.service.connectionString)!;
    const base = endpoint[2] === undefined ? endpoint[1] : `${endpoint[1]}:${endpoint[2]}`;
    const { body } = scene.app.negotiate(scene.hub, '/chat', 'negotiateVersion=1&foo=b%20r', ALICE);
    expect(Object.keys(JSON.parse(body) as object)).toEqual([
      'negotiateVersion',
      'url',
      'accessToken',
      'availableTransports',
    ]);
    const { url, accessToken } = negotiate(scene, 'negotiateVersion=1&foo=b%20r', ALICE);
    const query = 'hub=chat&asrs.op=%2Fchat&negotiateVersion=1&foo=b%20r&asrs_request_id=';
    expect(url.startsWith(`${base}/client/?${query}`)).toBe(true);
    expect(parts(accessToken).payload).toBe(
      '{"asrs.s.uid":"alice","asrs.s.aut":"x","nameid":"alice","unique_name":"Name alice",' +
        `"role":["r1","r2"],"custom":"é",${times}${issuer}"aud":"http://127.0.0.1/client/?hub=chat"}`,
    );
  });

  it('says nothing of nobody', async () => {
    await using scene = await Scene.start({ profile });
    const { accessToken } = negotiate(scene, '', {});
    expect(parts(accessToken).payload).toBe(
      `{${times}${issuer}"aud":"http://127.0.0.1/client/?hub=chat"}`,
    );
  });

  it('carries what the client has asked for, and says nothing of auth type Bearer', async () => {
    await using scene = await Scene.start({ profile });
    const query = 'negotiateVersion=1&useStatefulReconnect=true';
    const { url, accessToken } = negotiate(scene, query, { authenticationType: 'Bearer' });
    expect(url).toContain(`&${query}&`);
    expect(parts(accessToken).payload).not.toContain('asrs.s.aut');
  });

  it('renames reserved claims, or not', async () => {
    await using scene = await Scene.start({ profile });
    const claims = [
      ['sub', 'a'],
      ['sub', 'b'],
      ['iss', 'me'],
    ] as const;
    const { payload } = parts(negotiate(scene, '', { claims }).accessToken);
    expect(payload).toContain(
      profile === '1.34.0'
        ? '{"sub":"a","asrs.u.sub":"b","asrs.u.iss":"me",'
        : '{"sub":["a","b"],"iss":"me",',
    );
  });

  it('tells of stickiness, detailed errors and its handshake time', async () => {
    await using scene = await Scene.start({
      profile,
      sticky: 'Required',
      hubOptions: { enableDetailedErrors: true, handshakeTimeout: 20_000 },
    });
    const { payload } = parts(negotiate(scene, '', {}).accessToken);
    expect(payload).toContain(
      `{"asrs.s.sn":"${scene.app.serverId}","asrs.s.ssticky":"Required","asrs.s.cht":"20",` +
        '"asrs.s.derror":"True",',
    );
  });

  it('tells of transports, the time between polls, the end of the sign-in and of the token', async () => {
    await using scene = await Scene.start({ profile });
    const answer = scene.app.negotiate(
      scene.hub,
      '/chat',
      '',
      { expiresAt: new Date(4_000_500) },
      {
        transports: ['WebSockets', 'LongPolling'],
        accessTokenLifetime: 60,
        maxPollIntervalInSeconds: 30,
      },
    );
    const { accessToken } = JSON.parse(answer.body) as { accessToken: string };
    const claims = JSON.parse(
      Buffer.from(accessToken.split('.')[1]!, 'base64url').toString(),
    ) as Record<string, unknown>;
    expect(claims).toMatchObject({
      'asrs.s.ttl': '30',
      'asrs.s.htt': '5',
      'asrs.s.coae': 'true',
      'asrs.s.aeo': '4000',
      exp: Number(claims['iat']) + 60,
    });
  });

  it('refuses without a connection, and tokens over 4,096 characters', async () => {
    await using scene = await Scene.start({ profile, silentService: true });
    expect(scene.app.negotiate(scene.hub, '/chat', '', {}).status).toBe(500);
    scene.service.answers.handshake = true;
    await scene.clock.advance(15_100);
    await scene.side(1);
    await scene.client('c1', { side: await scene.side(1) });
    const claims = [['long', 'x'.repeat(4_096)]] as const;
    expect(scene.app.negotiate(scene.hub, '/chat', '', { claims }).status).toBe(413);
  });
});
