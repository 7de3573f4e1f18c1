/**
 * The stand-in .NET app server as a program: the app server of the conformance tests. Negotiates for
 * users named in a bearer token of the app's own, and obeys `POST /control`. Says `listening <url>`,
 * then `connected <url>`; ends at SIGTERM as its shutdown mode says.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import type { Claims, Timestamp } from '@trunkline/protocol';

import { type Destination, select } from './app/destination.ts';
import { choicesOf, detourOf, identityOf, principalOf } from './app/identity.ts';
import { gates, mainHub } from './app/main-hub.ts';
import { DotnetAppServer } from './dotnet-app-server.ts';
import type { HubServer } from './hub-server.ts';
import type { StickyMode } from './negotiate.ts';
import { PROFILE_NAMES } from './profiles.ts';
import type { ShutdownMode } from './shutdown.ts';

const TEXT = { type: 'string' } as const;
const { values: flags } = parseArgs({
  options: {
    'connection-string': { ...TEXT, default: '' },
    profile: { ...TEXT, default: '1.34.0' },
    shutdown: { ...TEXT, default: 'Off' },
    'shutdown-timeout': { ...TEXT, default: '30000' },
    prefix: { ...TEXT, default: '' },
    connections: { ...TEXT, default: '5' },
    parallel: { ...TEXT, default: '1' },
    sticky: { ...TEXT, default: 'Disabled' },
    stateful: { type: 'boolean', default: false },
  },
});

const profile = PROFILE_NAMES.find((name) => name === flags.profile);
if (profile === undefined) {
  throw new Error(`--profile must be one of ${PROFILE_NAMES.join(', ')}`);
}

type Control =
  | { do: 'send'; hub: string; to: Destination; args: readonly unknown[] }
  | { do: 'add' | 'remove'; hub: string; connectionId: string; group: string }
  | { do: 'refresh'; hub: string; connectionToken: string; claims: Claims; expireTime?: Timestamp }
  | { do: 'claims'; hub: string; connectionToken: string }
  | { do: 'open'; gate: string };

/** As the contract has them: megabytes may come in. */
const COMMON = {
  maximumReceiveMessageSize: 1024 * 1024,
  maximumParallelInvocationsPerClient: Number(flags.parallel),
  allowStatefulReconnects: flags.stateful,
};
const HUBS = {
  main: COMMON,
  other: COMMON,
  reach: COMMON,
  detailed: { ...COMMON, enableDetailedErrors: true },
  impatient: { ...COMMON, clientTimeoutInterval: 1_000 },
};

const app = new DotnetAppServer({
  connectionString: flags['connection-string'],
  profile,
  shutdown: flags.shutdown as ShutdownMode,
  shutdownTimeout: Number(flags['shutdown-timeout']),
  connections: Number(flags.connections),
  sticky: flags.sticky as StickyMode,
  log: (line) => console.log(`log ${line}`),
  // What a fresh process of 1.34.0 was seen to take (section 21.2).
  compile: () => setTimeout(20),
});
const hubs = new Map<string, HubServer>(
  Object.entries(HUBS).map(([name, options]) => [
    name,
    app.hub(`${flags.prefix}${name}`, mainHub, options),
  ]),
);

/** What comes of it, where it is a question. */
async function obey(control: Control): Promise<unknown> {
  if (control.do === 'open') return gates.open(control.gate);
  const { clients, groups, authRefresh } = hubs.get(control.hub)!;
  switch (control.do) {
    case 'send':
      return select(clients, control.to).send('message', ...control.args);
    case 'refresh':
      return authRefresh.refresh(control.connectionToken, control.claims, control.expireTime);
    case 'claims':
      return authRefresh.claimsOf(control.connectionToken);
    default:
      return groups[control.do](control.connectionId, control.group);
  }
}

function negotiate(hub: HubServer, path: string, query: string, request: IncomingMessage) {
  const identity = identityOf(request.headers.authorization);
  const detour = detourOf(identity);
  if (detour !== undefined) return { status: 200, body: JSON.stringify(detour) };
  return app.negotiate(hub, path, query, principalOf(identity), choicesOf(identity));
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, search } = new URL(request.url!, 'http://app');
  const [, name, rest] = pathname.split('/');
  const hub = hubs.get(name!);
  if (pathname === '/control') {
    const outcome = await obey((await json(request)) as Control);
    if (outcome === undefined) response.writeHead(204).end();
    else response.writeHead(200).end(JSON.stringify(outcome));
  } else if (hub !== undefined && rest === 'negotiate' && request.method === 'POST') {
    const { status, body } = negotiate(hub, `/${name}`, search.slice(1), request);
    const type = status === 200 ? 'application/json' : 'text/plain';
    response.writeHead(status, { 'content-type': type }).end(body);
  } else {
    response.writeHead(404).end();
  }
}

// Who asks here is busy for seconds at times: a connection that it goes on using must not end then.
const http = createServer({ keepAliveTimeout: 0 }, (request, response) => {
  answer(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
});
process.once('SIGTERM', () => void app.stop().then(() => process.exit()));
http.listen(0, '127.0.0.1', () => {
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  console.log(`listening ${url}`);
  void app.start().then(() => console.log(`connected ${url}`));
});
