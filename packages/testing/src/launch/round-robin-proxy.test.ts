import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

import { expect, it, onTestFinished } from 'vitest';

import { freePort } from './free-port.ts';
import { startRoundRobinProxy } from './round-robin-proxy.ts';

/** The port of a server that greets, then echoes. */
async function startEcho(greeting: string): Promise<number> {
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
  return (server.address() as AddressInfo).port;
}

async function dial(port: number): Promise<{ socket: Socket; greeting: string }> {
  const socket = connect(port, '127.0.0.1').setEncoding('utf8');
  onTestFinished(() => void socket.destroy());
  const [greeting] = (await once(socket, 'data')) as [string];
  return { socket, greeting };
}

it('gives each connection to the next port, and carries it both ways to its end', async () => {
  const proxy = await startRoundRobinProxy([await startEcho('one'), await startEcho('two')]);
  onTestFinished(() => proxy.stop());
  const greetings: string[] = [];
  for (let n = 0; n < 4; n++) {
    const { socket, greeting } = await dial(proxy.port);
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
  const proxy = await startRoundRobinProxy([await freePort(), await startEcho('two')]);
  onTestFinished(() => proxy.stop());
  for (let n = 0; n < 3; n++) expect((await dial(proxy.port)).greeting).toBe('two');
  expect(proxy.counts).toEqual([0, 3]);
});

it('resets what there is when it stops', async () => {
  const proxy = await startRoundRobinProxy([await startEcho('one')]);
  const { socket } = await dial(proxy.port);
  const ended = once(socket, 'error');
  await proxy.stop();
  expect(await ended).toMatchObject([{ code: 'ECONNRESET' }]);
});

it('resets a connection where nobody is', async () => {
  const proxy = await startRoundRobinProxy([await freePort()]);
  onTestFinished(() => proxy.stop());
  const socket = connect(proxy.port, '127.0.0.1');
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
  expect(error.code).toBe('ECONNRESET');
});
