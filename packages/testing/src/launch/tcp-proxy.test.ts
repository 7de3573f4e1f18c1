import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

import { describe, expect, it, onTestFinished } from 'vitest';

import { TcpProxy } from './tcp-proxy.ts';

/** A server that greets, then echoes. */
async function startEcho(greeting: string): Promise<{ url: string; accepted: Socket[] }> {
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
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, accepted };
}

async function startProxy(target?: string): Promise<TcpProxy> {
  const proxy = await TcpProxy.start(target);
  onTestFinished(() => proxy[Symbol.asyncDispose]());
  return proxy;
}

/** A connection to the proxy; what it hears is text. */
function dial(proxy: TcpProxy): Socket {
  const socket = connect(Number(new URL(proxy.url).port), '127.0.0.1').setEncoding('utf8');
  onTestFinished(() => void socket.destroy());
  return socket;
}

describe('TcpProxy', () => {
  it('carries no more than it is told to', async () => {
    const { url } = await startEcho('');
    const proxy = await startProxy(url);
    proxy.bytesPerSecond = 1_000_000;
    const socket = dial(proxy);
    const start = performance.now();
    socket.write('x'.repeat(250_000));
    let heard = 0;
    for await (const text of socket) {
      heard += (text as string).length;
      if (heard === 250_000) break;
    }
    expect(performance.now() - start).toBeGreaterThan(150);
  });

  it('forwards both ways, and the end', async () => {
    const echo = await startEcho('one');
    const socket = dial(await startProxy(echo.url));
    expect(await once(socket, 'data')).toEqual(['one']);
    socket.write('hello');
    expect(await once(socket, 'data')).toEqual(['hello']);
    socket.end();
    await once(socket, 'end');
  });

  it('forwards new connections to the new target', async () => {
    const [one, two] = [await startEcho('one'), await startEcho('two')];
    const proxy = await startProxy(one.url);
    await once(dial(proxy), 'data');
    proxy.target = two.url;
    expect(await once(dial(proxy), 'data')).toEqual(['two']);
  });

  it('resets connections while there is no target', async () => {
    const [error] = (await once(dial(await startProxy()), 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNRESET');
  });

  it('resets connections to a target that does not answer', async () => {
    const [error] = (await once(dial(await startProxy('http://127.0.0.1:1')), 'error')) as [
      NodeJS.ErrnoException,
    ];
    expect(error.code).toBe('ECONNRESET');
  });

  it('cuts what there is on both sides, and goes on', async () => {
    const echo = await startEcho('one');
    const proxy = await startProxy(echo.url);
    const socket = dial(proxy);
    await once(socket, 'data');
    const far = new Promise((resolve) => echo.accepted[0]!.once('close', resolve));
    proxy.cut();
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNRESET');
    await far;
    expect(await once(dial(proxy), 'data')).toEqual(['one']);
  });
});
