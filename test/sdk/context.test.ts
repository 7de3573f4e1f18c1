import { HttpTransportType, HubConnectionBuilder, LogLevel } from '@microsoft/signalr';
import { MessagePackHubProtocol } from '@microsoft/signalr-protocol-msgpack';
import { createServer, Hub } from '@trunkline/sdk';
import type { HubUser } from '@trunkline/sdk';
import { startEdge } from '@trunkline/testing';
import type { StartedEdge } from '@trunkline/testing';
import { DEVELOPMENT_ACCESS_KEY, formatConnectionString } from '@trunkline/tokens';
import { HubConnectionBuilder as BuilderOf6 } from 'signalr-6';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { openSite, type Site } from './site.ts';

class Mirror extends Hub {
  how(): object {
    const { transport, protocol, canBeAsked } = this.context;
    return { transport, protocol, canBeAsked };
  }
}

const seen: unknown[] = [];
/** Asked when the connection opens too, with its context. */
const authorize = (user: HubUser): boolean => {
  if ('protocol' in user) seen.push(user.protocol);
  return true;
};

let edge: StartedEdge;
let site: Site;
let url: string;
beforeAll(async () => {
  edge = await startEdge();
  const connectionString = formatConnectionString(edge.url, DEVELOPMENT_ACCESS_KEY);
  const server = createServer({ connectionString, connectionCount: 1 });
  server.hub('/mirror', Mirror, { authorize });
  site = await openSite(server);
  url = `${site.url}/mirror`;
});
afterAll(async () => {
  await site?.[Symbol.asyncDispose]();
  await edge?.stop();
});

const TRANSPORTS = ['WebSockets', 'ServerSentEvents', 'LongPolling'] as const;

test.each(
  TRANSPORTS.flatMap((transport) => [
    { transport, protocol: 'json' },
    ...(transport === 'ServerSentEvents' ? [] : [{ transport, protocol: 'messagepack' }]),
  ]),
)('a hub knows $transport with $protocol', async ({ transport, protocol }) => {
  const builder = new HubConnectionBuilder()
    .withUrl(url, {
      transport: HttpTransportType[transport],
      headers: { 'Asrs-Transport': 'of my own', 'X-Other': 'passes' },
    })
    .configureLogging(LogLevel.None);
  if (protocol === 'messagepack') builder.withHubProtocol(new MessagePackHubProtocol());
  const connection = builder.build();
  await connection.start();
  expect(await connection.invoke('how')).toEqual({ transport, protocol, canBeAsked: true });
  expect(seen.at(-1)).toBe(protocol);
  await connection.stop();
});

test('a client before client results cannot be asked', async () => {
  const connection = new BuilderOf6().withUrl(url).configureLogging(LogLevel.None).build();
  await connection.start();
  expect(await connection.invoke('how')).toMatchObject({ canBeAsked: false });
  await connection.stop();
});
