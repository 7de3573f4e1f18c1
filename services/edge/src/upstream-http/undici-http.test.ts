import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { BlockList, connect } from 'node:net';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AbortCall, UpstreamOutcome, UpstreamRequest } from '../ports/upstream-http.ts';
import type { UpstreamHttpOptions } from './undici-http.ts';
import { UndiciHttp } from './undici-http.ts';

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void;

let handle: Handler;
/** Connections that the upstream has had. */
let sockets: number;
const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => handle(request, response, Buffer.concat(chunks).toString('latin1')));
});
server.on('connection', () => sockets++);
let origin: string;
let http: UndiciHttp;

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

const OPTIONS: UpstreamHttpOptions = {
  allow: LOOPBACK,
  connections: 10,
  ca: undefined,
  cert: undefined,
  key: undefined,
  proxy: undefined,
};

beforeEach(async () => {
  handle = (_request, response) => response.end();
  sockets = 0;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  http = new UndiciHttp(OPTIONS);
});

afterEach(async () => {
  await http.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const anyLength = (): boolean => true;

interface Posted {
  readonly outcome: Promise<UpstreamOutcome>;
  readonly abort: AbortCall;
}

function post(
  request: Partial<UpstreamRequest> = {},
  room: ((bytes: number) => boolean) | 'unread' = anyLength,
  by: UndiciHttp = http,
): Posted {
  const whole = { origin, path: '/', headers: {}, body: Buffer.from('{}'), ...request };
  let abort: AbortCall = () => {};
  const outcome = new Promise<UpstreamOutcome>((resolve) => {
    abort = by.post(whole, room === 'unread' ? undefined : room, resolve);
  });
  return { outcome, abort };
}

const textOf = (outcome: UpstreamOutcome): string =>
  outcome.kind === 'answer' ? Buffer.from(outcome.body).toString() : outcome.kind;

describe('a call', () => {
  test('brings path, headers and body as they are', async () => {
    const seen: unknown[] = [];
    handle = ({ method, url, headers }, response, body) => {
      seen.push(method, url, headers['x-asrs-event'], body);
      response.end('{"type":3}\x1e');
    };
    const headers = { 'x-asrs-event': 'Ã©', 'content-type': 'application/json' };
    const path = '/a%2Fb/%2e./c?d={e}';
    const body = Buffer.from([0, 1, 0xfe]);
    const outcome = await post({ path, headers, body }).outcome;
    expect(seen).toEqual(['POST', path, 'Ã©', '\0\x01\xfe']);
    expect(textOf(outcome)).toBe('{"type":3}\x1e');
  });

  test('uses the connection of the one before', async () => {
    for (let i = 0; i < 3; i++) await post().outcome;
    await post({}, 'unread').outcome;
    await post().outcome;
    // A second one where the first was not quite done with its answer.
    expect(sockets).toBeLessThan(3);
  });

  test('follows no redirect', async () => {
    let calls = 0;
    handle = (_request, response) => {
      calls++;
      response.writeHead(307, { location: `${origin}/elsewhere` }).end();
    };
    expect(await post().outcome).toMatchObject({ kind: 'answer', status: 307 });
    expect(calls).toBe(1);
  });

  test('leaves alone what nobody reads', async () => {
    handle = (_request, response) => response.writeHead(500).end('x'.repeat(1000));
    expect(await post({}, 'unread').outcome).toMatchObject({ status: 500, body: Buffer.alloc(0) });
  });
});

describe('what goes wrong', () => {
  test('nobody listens', async () => {
    const gone = createServer().listen(0, '127.0.0.1');
    await once(gone, 'listening');
    const { port } = gone.address() as AddressInfo;
    await new Promise((resolve) => gone.close(resolve));
    const outcome = await post({ origin: `http://127.0.0.1:${port}` }).outcome;
    expect(outcome).toMatchObject({ kind: 'unreachable', refused: false });
    expect((outcome as { message: string }).message).toContain('ECONNREFUSED');
  });

  test('it hangs up without an answer', async () => {
    handle = ({ socket }) => socket.destroy();
    expect(await post().outcome).toMatchObject({ kind: 'unreachable', refused: false });
  });

  test('it hangs up amid its answer', async () => {
    handle = ({ socket }, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half', () => socket.destroy());
    };
    expect(await post().outcome).toMatchObject({ kind: 'broken' });
  });

  test('it speaks no HTTP', async () => {
    handle = ({ socket }) => socket.end('garbage\r\n\r\n');
    expect(await post().outcome).toMatchObject({ kind: 'unreachable', refused: false });
  });

  test('it says more than there is room for', async () => {
    handle = (_request, response) => response.end('x'.repeat(100_000));
    let left = 50_000;
    const outcome = await post({}, (bytes) => (left -= bytes) >= 0).outcome;
    expect(outcome).toEqual({ kind: 'too_large' });
  });

  test('it is given up before its answer, and amid it', async () => {
    let begin = (): void => {};
    const begun = new Promise<void>((resolve) => (begin = resolve));
    handle = (_request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half');
    };
    const amid = post({}, () => {
      begin();
      return true;
    });
    await begun;
    amid.abort();
    expect(await amid.outcome).toEqual({ kind: 'aborted', answering: true });
    handle = () => {};
    const before = post();
    before.abort();
    expect(await before.outcome).toEqual({ kind: 'aborted', answering: false });
  });
});

describe('addresses', () => {
  const strict = new UndiciHttp({ ...OPTIONS, allow: new BlockList() });
  afterAll(() => strict.close());

  test.each(['127.0.0.1', 'localhost', '[::1]', '[::ffff:127.0.0.1]'])(
    'of this machine are not called: %s',
    async (host) => {
      const { port } = new URL(origin);
      const { outcome } = post(
        { origin: new URL(`http://${host}:${port}`).origin },
        anyLength,
        strict,
      );
      expect(await outcome).toMatchObject({ kind: 'unreachable', refused: true });
      expect(sockets).toBe(0);
    },
  );
});

describe('where undici cannot be loaded', () => {
  /** Loading fails for as long as `fails` says, as it does without a file to open. */
  const failing = (fails: () => boolean): UndiciHttp =>
    new UndiciHttp({
      ...OPTIONS,
      get proxy() {
        if (fails()) throw new Error('EMFILE');
        return undefined;
      },
    });

  test('the next call tries again', async () => {
    let fails = true;
    const by = failing(() => fails);
    const message = 'EMFILE';
    expect(await post({}, anyLength, by).outcome).toMatchObject({ kind: 'unreachable', message });
    fails = false;
    expect(await post({}, anyLength, by).outcome).toMatchObject({ kind: 'answer', status: 200 });
    await by.close();
  });

  test('it ends well, amid the try and behind it', async () => {
    const by = failing(() => true);
    const { outcome } = post({}, anyLength, by);
    await by.close();
    expect(await outcome).toMatchObject({ kind: 'unreachable' });
    await by.close();
  });
});

test('a proxy is asked for the upstream, with its password', async () => {
  const asked: unknown[] = [];
  const proxy = createServer().on('connect', (request: IncomingMessage, socket: Socket) => {
    asked.push(request.url, request.headers['proxy-authorization']);
    const [host, port] = request.url!.split(':');
    const onward = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      onward.pipe(socket).pipe(onward);
    });
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const { port } = proxy.address() as AddressInfo;
  const by = new UndiciHttp({ ...OPTIONS, proxy: `http://ann:word@127.0.0.1:${port}` });
  handle = (_request, response) => response.end('through');
  expect(textOf(await post({}, anyLength, by).outcome)).toBe('through');
  const password = `Basic ${Buffer.from('ann:word').toString('base64')}`;
  expect(asked).toEqual([new URL(origin).host, password]);
  await by.close();
  proxy.closeAllConnections();
  proxy.close();
});
