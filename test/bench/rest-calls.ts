/** The caller of the REST API that does what it is told to over IPC: see `rest-caller.ts`. */
import { Agent, request } from 'node:http';

import { mintRestToken } from '@trunkline/tokens';

import { median } from './compare.ts';
import type { Listed, Listing, RestOrder } from './rest-caller.ts';
import type { Sending } from './sending.ts';
import { ACCESS_KEY } from './tokens.ts';

/** Kept open from call to call; each has one call under way at most. */
const CONNECTIONS = 32;
const VERSION = 'api-version=2024-12-01';
const HUB = '/api/hubs/bench';
const BODY = JSON.stringify({ target: 'tick', arguments: ['thirty-two bytes of chat message'] });

const edgeUrl = process.argv[2]!;
const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
/** By path: a token is for one. */
const tokens = new Map<string, string>();

const paths: Record<Sending['to'], (name: string) => string> = {
  all: () => `${HUB}/:send`,
  group: (name) => `${HUB}/groups/${name}/:send`,
  user: (name) => `${HUB}/users/${name}/:send`,
  connection: (name) => `${HUB}/connections/${name}/:send`,
};

function call(method: 'GET' | 'POST', path: string, query: string, body = ''): Promise<string> {
  const token = tokens.get(path) ?? mintRestToken({ key: ACCESS_KEY, audience: edgeUrl + path });
  tokens.set(path, token);
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    'content-length': body.length,
  };
  return new Promise((resolve, reject) => {
    const sent = request(`${edgeUrl}${path}?${query}`, { method, headers, agent }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const { statusCode = 0 } = response;
        if (statusCode < 300) resolve(Buffer.concat(chunks).toString());
        else reject(new Error(`${method} ${path} was answered with ${statusCode}`));
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

async function send({ to, names, times }: Sending): Promise<void> {
  const total = names.length * times;
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < total)
      await call('POST', paths[to](names[next++ % names.length]!), VERSION, BODY);
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, work));
}

async function list({ group, pageSize, seconds }: Listing): Promise<Listed> {
  const path = `${HUB}/groups/${group}/connections`;
  const first = `${VERSION}&maxpagesize=${pageSize}`;
  const milliseconds: number[] = [];
  const until = performance.now() + seconds * 1000;
  let query = first;
  do {
    const startedAt = performance.now();
    const page = await call('GET', path, query);
    milliseconds.push(performance.now() - startedAt);
    const { nextLink } = JSON.parse(page) as { nextLink?: string };
    query = nextLink === undefined ? first : new URL(nextLink).search.slice(1);
  } while (performance.now() < until);
  return { pages: milliseconds.length, p50Milliseconds: median(milliseconds) };
}

async function obey(order: RestOrder): Promise<void> {
  process.send!('to' in order ? (await send(order), 'sent') : await list(order));
}

process.on('message', (order: RestOrder) => void obey(order));
console.log('REST caller ready');
process.once('SIGTERM', () => process.exit());
