import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { HttpTransportType, HubConnectionBuilder, LogLevel } from '@microsoft/signalr';
import { MessagePackHubProtocol } from '@microsoft/signalr-protocol-msgpack';
import { createServer, Hub } from '@trunkline/sdk';
import type { HubUser, Server } from '@trunkline/sdk';
import { startEdge } from '@trunkline/testing';
import type { StartedEdge } from '@trunkline/testing';
import { DEVELOPMENT_ACCESS_KEY, formatConnectionString } from '@trunkline/tokens';
import { HubConnectionBuilder as BuilderOf6 } from 'signalr-6';
import { afterAll, beforeAll, expect, test } from 'vitest';

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
let server: Server;
const http = createHttpServer();
let url: string;
beforeAll(async () => {
  edge = await startEdge();
  const connectionString = formatConnectionString(edge.url, DEVELOPMENT_ACCESS_KEY);
  server = createServer({ connectionString, connectionCount: 1 });
  server.hub('/mirror', Mirror, { authorize });
  const negotiate = server.node();
  http.on('request', (request, response) => void negotiate(request, response));
  http.listen(0, '127.0.0.1');
  await Promise.all([once(http, 'listening'), server.start()]);
  url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/mirror`;
});
afterAll(async () => {
  await server?.stop({ timeout: 0 });
  http.closeAllConnections();
  http.close();
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
