/** Client protocols reference, section 10: how clients find their way to the edge. */
import { expect, it } from 'vitest';

import { EventReader } from '../edge/support/event-reader.ts';
import { HttpConnection } from '../edge/support/http-connection.ts';
import { JSON_HANDSHAKE } from '../edge/support/hub-client.ts';
import { negotiate } from '../edge/support/negotiate.ts';
import { frame, Opcode, RawSocket } from '../edge/support/raw-socket.ts';
import { userToken } from '../edge/support/tokens.ts';
import { sharedApp } from './support/app.ts';
import { officialClient, TRANSPORT_LABELS, TRANSPORTS } from './support/official-client.ts';

/** What the hub says of a connection. */
interface About {
  readonly cookie?: string;
  readonly query: Readonly<Record<string, string>>;
}

const { edge, app } = await sharedApp({ cookie: 'session=ann-1; Path=/' });

async function redirect(query: string): Promise<{ url: URL; accessToken: string }> {
  const answer = await fetch(`${app.url}/chat/negotiate${query}`, { method: 'POST' });
  const { url, accessToken } = (await answer.json()) as { url: string; accessToken: string };
  return { url: new URL(url), accessToken };
}

/** Opens a WebSocket, shakes hands in JSON, and has the hub echo. */
async function expectWelcome(path: string, accessToken: string): Promise<void> {
  using socket = new RawSocket(edge.url);
  const headers = { Authorization: `Bearer ${accessToken}` };
  expect((await socket.upgrade(path, headers)).status).toMatch(/^HTTP\/1\.1 101/);
  socket.write(frame(Opcode.Text, '{"protocol": "json", "version": 1}\x1e'));
  socket.write(
    frame(Opcode.Text, '{"type":1,"invocationId":"1","target":"echo","arguments":[1]}\x1e'),
  );
  const said = (): string => socket.frames.all.map(({ payload }) => payload.toString()).join('');
  await expect.poll(said).toBe('{}\x1e{"type":3,"invocationId":"1","result":1}\x1e');
}

it('trap 13: a cookie that the app sets at negotiate reaches the hub by every transport', async () => {
  for (const label of TRANSPORT_LABELS) {
    const client = officialClient(`${app.url}/chat`, { transport: TRANSPORTS[label] });
    await client.start();
    // On WebSockets the library gives the cookie's attributes along.
    expect((await client.invoke<About>('about')).cookie).toMatch(/^session=ann-1(?:; Path=\/)?$/);
    await client.stop();
  }
  // The edge itself has no need of any: no cookie makes its clients stick.
  const { accessToken } = await negotiate(edge.url);
  const answer = await fetch(`${edge.url}/client/negotiate?hub=chat`, {
    method: 'POST',
    headers: { authorization: `Bearer ${accessToken}` },
  });
  expect(answer.headers.has('set-cookie')).toBe(false);
});

it('trap 14: an event stream is let in by the access token of its query, which no hub sees', async () => {
  const client = officialClient(`${app.url}/chat`, { transport: TRANSPORTS.serverSentEvents });
  await client.start();
  expect((await client.invoke<About>('about')).query).not.toHaveProperty('access_token');
  await client.stop();

  const { connectionToken, accessToken } = await negotiate(edge.url);
  const query = `hub=chat&id=${connectionToken}&access_token=${accessToken}`;
  const headers = { accept: 'text/event-stream' };
  const stream = await fetch(`${edge.url}/client/?${query}`, { headers });
  expect(stream.status).toBe(200);
  const events = new EventReader(stream);
  const posting = new HttpConnection(edge.url, {
    hub: 'chat',
    connectionId: '',
    connectionToken,
    accessToken,
  });
  await posting.post(JSON_HANDSHAKE);
  expect(await events.events.first(() => true, 'an event')).toBe('{}\x1e');
});

it('trap 15: the whole query of the first negotiate goes along with the redirect', async () => {
  const { url } = await redirect('?x=1&y=a%26b&negotiateVersion=1&useStatefulReconnect=true');
  expect(Object.fromEntries(url.searchParams)).toMatchObject({
    hub: 'chat',
    'asrs.op': '/chat',
    x: '1',
    y: 'a&b',
    negotiateVersion: '1',
    useStatefulReconnect: 'true',
  });
  const client = officialClient(`${app.url}/chat?x=1&y=a%26b`);
  await client.start();
  expect((await client.invoke<About>('about')).query).toMatchObject({ x: '1', y: 'a&b' });
  await client.stop();
});

it('trap 16: clients may connect without negotiating, or negotiate as of version 0', async () => {
  // As Python: where the redirect leads, at once.
  const python = await redirect('');
  await expectWelcome(`${python.url.pathname}${python.url.search}`, python.accessToken);
  // As Go: no version is asked for, and the connection id is what comes back.
  const accessToken = userToken('chat', 'ann');
  const answer = await fetch(`${edge.url}/client/negotiate?hub=chat`, {
    method: 'POST',
    headers: { authorization: `Bearer ${accessToken}` },
  });
  const body = (await answer.json()) as { connectionId: string };
  expect(body).toMatchObject({ negotiateVersion: 0 });
  expect(body).not.toHaveProperty('connectionToken');
  await expectWelcome(`/client/?hub=chat&id=${body.connectionId}`, accessToken);
});
