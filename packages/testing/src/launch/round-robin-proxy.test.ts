import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

import { expect, it, onTestFinished } from 'vitest';

import { freePort } from './free-port.ts';
import { type RoundRobinProxy, startRoundRobinProxy } from './round-robin-proxy.ts';

/** The URL of a server that greets, then echoes. */
async function startEcho(greeting: string): Promise<string> {
  const accepted: Socket[] = [];
  const server = createServer((socket) => {
    accepted.push(socket);
    socket.on('error', () => {});
    socket.write(greeting);
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of accepted) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const absent = async (): Promise<string> => `http://127.0.0.1:${await freePort()}`;

function open({ url }: RoundRobinProxy): Socket {
  return connect(Number(new URL(url).port), '127.0.0.1').setEncoding('utf8');
}

async function dial(proxy: RoundRobinProxy): Promise<{ socket: Socket; greeting: string }> {
  const socket = open(proxy);
  onTestFinished(() => void socket.destroy());
  const [greeting] = (await once(socket, 'data')) as [string];
  return { socket, greeting };
}

it('gives each connection to the next port, and carries it both ways to its end', async () => {
  await using proxy = await startRoundRobinProxy([await startEcho('one'), await startEcho('two')]);
  const greetings: string[] = [];
  for (let n = 0; n < 4; n++) {
    const { socket, greeting } = await dial(proxy);
    greetings.push(greeting);
    socket.write('hello');
    expect(await once(socket, 'data')).toEqual(['hello']);
    socket.end();
    await once(socket, 'end');
  }
  expect(greetings).toEqual(['one', 'two', 'one', 'two']);
  expect(proxy.counts).toEqual([2, 2]);
});

it('passes over ports where nobody listens', async () => {
  await using proxy = await startRoundRobinProxy([await absent(), await startEcho('two')]);
  for (let n = 0; n < 3; n++) expect((await dial(proxy)).greeting).toBe('two');
  expect(proxy.counts).toEqual([0, 3]);
});

it('resets what there is when it stops', async () => {
  const proxy = await startRoundRobinProxy([await startEcho('one')]);
  const { socket } = await dial(proxy);
  const ended = once(socket, 'error');
  await proxy[Symbol.asyncDispose]();
  expect(await ended).toMatchObject([{ code: 'ECONNRESET' }]);
});

it('resets a connection where nobody is', async () => {
  await using proxy = await startRoundRobinProxy([await absent()]);
  const socket = open(proxy);
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
  expect(error.code).toBe('ECONNRESET');
});
