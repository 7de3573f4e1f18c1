/** An app server with the hub of desk.ts. Prints the URL of its hub once it is connected. */
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { createServer } from '@trunkline/sdk';

import { Desk, politeness, signedIn } from './desk.ts';

const server = createServer({ filters: [politeness] });
server.hub('/desk', Desk, { authorize: signedIn });
const negotiate = server.node({
  userId: ({ headers }) => headers['x-user'] as string | undefined,
  claims: ({ headers }) => ({ role: String(headers['x-role']) }),
});

const http = createHttpServer((request, response) => void negotiate(request, response));
process.once('SIGTERM', () => void server.stop({ timeout: 100 }).then(() => process.exit()));
http.listen(0, '127.0.0.1', () => {
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/desk`;
  void server.start().then(() => console.log(`connected ${url}`));
});
