import { expect, test } from 'vitest';
import { TestEdge } from '../fixtures.test-support.ts';
import { Gaps } from './gaps.ts';

const OLD = 'Microsoft.Azure.SignalR/1.15.2+x (.NET 6.0)';

/** Two connections of one process with a client each, and the gaps of a pool of their own. */
async function scene(userAgent?: string) {
  const edge = new TestEdge();
  const identity = { serverId: 'a', ...(userAgent === undefined ? {} : { userAgent }) };
  const [one, two] = [await edge.server(identity), await edge.server(identity)];
  const clients = [await edge.client(one), await edge.client(one)];
  const ofOne = clients.find(({ session }) => session.host === one.session)!.session;
  const ofTwo = clients.find(({ session }) => session.host === two.session)!.session;
  const gaps = new Gaps(edge.context.clock);
  const remembered = (): boolean[] =>
    [ofOne, ofTwo].map((client) => gaps.remembers(one.session, client));
  return { edge, gaps, one: one.session, two: two.session, ofOne, ofTwo, remembered };
}

test('a process remembers the clients of a connection it has lost until it has another', async () => {
  const { gaps, one, two, remembered } = await scene();
  expect(remembered()).toEqual([false, false]);
  gaps.open(one);
  expect(remembered()).toEqual([true, false]);
  gaps.close(two);
  expect(remembered()).toEqual([false, false]);
});

test('of as many as it has lost: which of them a new one replaces is not said', async () => {
  const { gaps, one, two, remembered } = await scene();
  gaps.open(one);
  gaps.open(two);
  gaps.close(one);
  expect(remembered()).toEqual([true, true]);
  gaps.close(one);
  expect(remembered()).toEqual([false, false]);
});

test('other processes do not know them', async () => {
  const { edge, gaps, one, ofOne } = await scene();
  const other = await edge.server({ serverId: 'b' });
  gaps.open(one);
  expect(gaps.remembers(other.session, ofOne)).toBe(false);
});

test('connections that come without a loss make up for none', async () => {
  const { gaps, one, remembered } = await scene();
  gaps.close(one);
  gaps.open(one);
  expect(remembered()).toEqual([true, false]);
});

test('it has noticed by itself after 40 s, counted from the last loss', async () => {
  const { edge, gaps, one, two, remembered } = await scene();
  gaps.open(one);
  edge.sleep(30);
  gaps.open(two);
  edge.sleep(39);
  expect(remembered()).toEqual([true, true]);
  edge.sleep(1);
  expect(remembered()).toEqual([false, false]);
  gaps.open(two);
  expect(remembered()).toEqual([false, true]);
});

test('software that forgets only when the app has said goodbye: after 75 s, replaced or not', async () => {
  const { edge, gaps, one, remembered } = await scene(OLD);
  gaps.open(one);
  gaps.close(one);
  edge.sleep(74);
  expect(remembered()).toEqual([true, false]);
  edge.sleep(1);
  expect(remembered()).toEqual([false, false]);
});
