import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';

import { createLogger } from '@trunkline/telemetry';
import { DEVELOPMENT_CONNECTION_STRING, parseConnectionString } from '@trunkline/tokens';
import type { FastifyInstance } from 'fastify';
import { describe, expect, it } from 'vitest';

import { createChat } from '../../services/chat/src/app.ts';
import { createAdminApp } from '../../services/edge/src/admin/admin-app.ts';
import { buildApp } from '../../services/negotiate/src/app.ts';
import { Desk } from '../../services/negotiate/src/desk.ts';

/** A request has 10 s; late ones are looked for once a second, and the machine may be busy. */
const CUT_WITHIN_MS = 14_000;

const logger = createLogger({ name: 'slow', level: 'silent' });

const APPS: [name: string, path: string, start: () => Promise<FastifyInstance>][] = [
  [
    'the negotiate service',
    '/chat/negotiate',
    () => {
      const connection = parseConnectionString(DEVELOPMENT_CONNECTION_STRING);
      const desk = new Desk({ connection, admission: { dev: true } });
      return buildApp({ hubs: undefined, allowedOrigins: ['*'] }, desk, logger);
    },
  ],
  [
    'the chat sample',
    '/chat/negotiate',
    async () => (await createChat(DEVELOPMENT_CONNECTION_STRING, logger)).app,
  ],
  [
    "the edge's admin port",
    '/live',
    async () =>
      createAdminApp(
        { contentType: 'text/plain', metrics: async () => '' } as never,
        { whyNot: undefined },
        undefined as never,
      ),
  ],
];

/** Milliseconds until the server ends a connection on which these pieces come, one a second. */
async function cutAfter(port: number, pieces: readonly string[]): Promise<number> {
  const started = performance.now();
  const socket = connect(port, '127.0.0.1');
  const rest = pieces.values();
  const trickle = setInterval(() => {
    const { value } = rest.next();
    if (value !== undefined && socket.writable) socket.write(value);
  }, 1000);
  try {
    await new Promise<void>((resolve, reject) => {
      socket.on('error', () => resolve());
      socket.on('close', () => resolve());
      socket.resume();
      const timeout = () => reject(new Error('the connection was not cut'));
      setTimeout(timeout, 2 * CUT_WITHIN_MS).unref();
    });
  } finally {
    clearInterval(trickle);
    socket.destroy();
  }
  return performance.now() - started;
}

describe.concurrent.each(APPS)('%s', (_name, path, start) => {
  it.concurrent(
    'cuts off who says nothing, who stops in the head, and who trickles head or body',
    { timeout: 60_000 },
    async () => {
      const app = await start();
      await app.listen({ port: 0, host: '127.0.0.1' });
      const { port } = app.server.address() as AddressInfo;
      const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\n`;
      const trickle = Array.from({ length: 60 }, (_, index) => `X-${index}: 1\r\n`);
      const body = `${head}Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n`;
      const times = await Promise.all([
        cutAfter(port, []),
        cutAfter(port, [head]),
        cutAfter(port, [head, ...trickle]),
        cutAfter(port, [body, ...Array.from({ length: 60 }, () => ' ')]),
      ]);
      await app.close();
      for (const ms of times) expect(ms).toBeLessThan(CUT_WITHIN_MS);
    },
  );
});
