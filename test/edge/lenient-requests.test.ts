import { NGINX, startEdge, startNginx, type StartedNginx } from '@trunkline/testing';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** What docs/proxies.md says of requests that uWebSockets.js reads leniently, and nginx does not. */

let edge: Awaited<ReturnType<typeof startEdge>>;
let nginx: StartedNginx;

beforeAll(async () => {
  edge = await startEdge();
  if (NGINX !== undefined) nginx = await startNginx(edge.url);
});
afterAll(async () => {
  await nginx?.stop();
  await edge.stop();
});

const POST = 'POST /client/negotiate?hub=chat HTTP/1.1\r\nHost: edge\r\n';
const chunked = (body: string, coding = 'chunked'): string =>
  `${POST}Transfer-Encoding: ${coding}\r\n\r\n${body}`;
const header = (line: string): string => `${POST}Content-Length: 0\r\n${line}\r\n\r\n`;
/** Behind each request: a parser that has found the end of the one before answers it with 404. */
const NEXT = 'GET /client/next HTTP/1.1\r\nHost: edge\r\n\r\n';
/** By nothing, within the time that others are answered in. */
const QUIET_MS = 1_000;
/** A first answer of 401 means that the request has come in: it has no token. */
const TAKEN = [401, 404];

/** The statuses that bytes are answered with, up to two, or none in a second. */
function statuses(bytes: string, url: string): Promise<number[]> {
  const { port, protocol } = new URL(url);
  const to = { host: '127.0.0.1', port: Number(port) };
  return new Promise((resolve) => {
    const socket =
      protocol === 'https:'
        ? connectTls({ ...to, servername: 'localhost', ca: nginx.ca })
        : connect(to);
    let text = '';
    const found = (): number[] =>
      [...text.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => Number(status));
    const done = (): void => {
      socket.destroy();
      resolve(found());
    };
    socket.on('error', done).on('close', done);
    socket.on('data', (data: Buffer) => {
      text += data.toString('latin1');
      if (found().length === 2) done();
    });
    socket.write(Buffer.from(bytes + NEXT, 'latin1'));
    socket.setTimeout(QUIET_MS, done);
  });
}

const FINE = '0\r\n\r\n';
const REQUESTS: [name: string, bytes: string, edge: number[], nginx: number[]][] = [
  ['a coding beside chunked', chunked(FINE, 'gzip, chunked'), TAKEN, [501]],
  ['the coding identity', chunked(FINE, 'identity'), TAKEN, [501]],
  ['an unknown coding', chunked(FINE, 'xchunked'), TAKEN, [501]],
  ['chunked twice', chunked(FINE, 'chunked\r\nTransfer-Encoding: chunked'), TAKEN, [400]],
  ['no end of a line behind a chunk', chunked(`3\r\nabcXX${FINE}`), TAKEN, [400]],
  ['a blank behind a chunk size', chunked(`3 \r\nabc\r\n${FINE}`), TAKEN, TAKEN],
  ['bare line feeds around a chunk', chunked('3\nabc\n0\n\n'), TAKEN, TAKEN],
  ['a header line without a colon', header('nonsense'), [], TAKEN],
  ['a blank before the colon', header('X : y'), [], [400]],
  ['a folded line', header('X: y\r\n z'), [], [400]],
  ['a NUL in a value', header('X: a\0b'), [], [400]],
  ['a carriage return in a value', header('X: a\rb'), [], [400]],
  ['no host', 'GET /client/?hub=chat HTTP/1.1\r\n\r\n', [], [400]],
];

it.each(REQUESTS)('the edge alone: %s', async (_name, bytes, alone) => {
  expect(await statuses(bytes, edge.url)).toEqual(alone);
});

describe.skipIf(NGINX === undefined)('behind nginx', () => {
  it.each(REQUESTS)('%s', async (_name, bytes, _alone, behind) => {
    expect(await statuses(bytes, nginx.url)).toEqual(behind);
  });

  it('trailers are 505 to the edge alone, and gone behind nginx', async () => {
    const trailers = chunked('3\r\nabc\r\n0\r\nX: y\r\n\r\n');
    expect(await statuses(trailers, edge.url)).toContain(505);
    expect(await statuses(trailers, nginx.url)).toEqual(TAKEN);
  });

  it('the end of chunks with extensions is found', async () => {
    expect(await statuses(chunked(`3;a=b\r\nabc\r\n${FINE}`), nginx.url)).toEqual(TAKEN);
  });
});
