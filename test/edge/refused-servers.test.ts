import { once } from 'node:events';
import { connect } from 'node:net';

import { startEdge } from '@trunkline/testing';
import { expect, it } from 'vitest';

const FLOOD_MS = 3_000;
const LOG_BYTES = 4 * 1024;
/** As many requests at a time: more is only faster. */
const AT_A_TIME = 100;
const REFUSED = 'HTTP/1.1 401 Unauthorized';
const REQUEST = [
  'GET /server/?hub=chat HTTP/1.1',
  'Host: edge',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Authorization: Bearer nonsense',
  '\r\n',
].join('\r\n');

/** Asks on one connection, again as soon as it is refused; answers how often that was. */
async function ask(url: string, ms: number): Promise<number> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  const end = performance.now() + ms;
  let refusals = 0;
  while (performance.now() < end) {
    socket.write(REQUEST.repeat(AT_A_TIME));
    const due = refusals + AT_A_TIME;
    for (let text = ''; refusals < due;) {
      const [chunk] = (await once(socket, 'data')) as [Buffer];
      text += chunk.toString('latin1');
      const parts = text.split(REFUSED);
      refusals += parts.length - 1;
      text = parts.at(-1)!.slice(-REFUSED.length);
    }
  }
  socket.destroy();
  return refusals;
}

it('an app server that is refused again and again on one connection does not fill the log', async () => {
  await using edge = await startEdge();
  const before = edge.output().length;
  const refusals = await ask(edge.url, FLOOD_MS);
  expect(refusals).toBeGreaterThan(1_000);
  await edge.stop();
  const log = edge.output().slice(before);
  expect(Buffer.byteLength(log)).toBeLessThan(LOG_BYTES);
  const lines = log.match(/^.*"app server refused".*$/gm) ?? [];
  const counts = lines.map((line) => (JSON.parse(line) as { count: number }).count);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(refusals);
});
