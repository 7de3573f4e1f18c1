/** The app server of the conformance tests: hubs, negotiate, and `POST /control`. See contract.ts. */
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { parseArgs } from 'node:util';

import { createServer, type HubHandle } from '@trunkline/sdk';
// Not with all of the package, whose loading each start of an app server would wait for.
import { detourOf, identityOf } from '@trunkline/testing/identity';

import { type Control, HUB_NAMES, type HubName, IMPATIENT_MS } from './contract.ts';
import { signInEnd } from './identity.ts';
import { Main, type MainClient, select } from './hubs.ts';

const { prefix = '' } = parseArgs({ options: { prefix: { type: 'string' } } }).values;

const OPTIONS = {
  main: {},
  other: {},
  reach: {},
  detailed: { enableDetailedErrors: true },
  impatient: { clientTimeoutInterval: IMPATIENT_MS },
};

const server = createServer();
const hubs = new Map<HubName, HubHandle<MainClient>>(
  HUB_NAMES.map((name) => [
    name,
    server.hub(`/${name}`, Main, { ...OPTIONS[name], hub: `${prefix}${name}` }),
  ]),
);

async function obey(control: Control): Promise<void> {
  const { clients, groups } = hubs.get(control.hub)!;
  if (control.do === 'send') return select(clients, control.to).message(...control.args);
  return groups[control.do](control.connectionId, control.group);
}

function negotiate(request: IncomingMessage, response: ServerResponse): void {
  const identity = identityOf(request.headers.authorization);
  const detour = detourOf(identity);
  if (detour !== undefined) {
    response.end(JSON.stringify(detour));
    return;
  }
  const { userId, claims, signInSeconds, tokenLifetimeSeconds, detours: _, ...options } = identity;
  if (tokenLifetimeSeconds === 0) answerLate(response);
  const expiresAt = signInSeconds === undefined ? undefined : new Date(signInEnd(signInSeconds));
  const handle = server.node({
    ...options,
    ...(tokenLifetimeSeconds !== undefined && {
      tokenLifetimeSeconds: Math.max(1, tokenLifetimeSeconds),
    }),
    userId: () => userId,
    claims: () => claims ?? {},
    expiresAt: () => expiresAt,
  });
  void handle(request, response);
}

/** No app gives out a token that has expired: this one gives its answer when its token, of 1 s, has. */
function answerLate(response: ServerResponse): void {
  const end = response.end.bind(response);
  response.end = (body: unknown) => {
    setTimeout(() => end(body), 2000);
    return response;
  };
}

// Who asks here is busy for seconds at times: a connection that it goes on using must not end then.
const http = createHttpServer({ keepAliveTimeout: 0 }, (request, response) => {
  if (request.url !== '/control') return negotiate(request, response);
  void (async () => {
    try {
      await obey((await json(request)) as Control);
      response.writeHead(204).end();
    } catch (error) {
      response.writeHead(500).end(String(error));
    }
  })();
});

process.once('SIGTERM', () => void server.stop({ timeout: 1000 }).then(() => process.exit()));
http.listen(0, '127.0.0.1', () => {
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  console.log(`listening ${url}`);
  void server.start().then(() => console.log(`connected ${url}`));
});
