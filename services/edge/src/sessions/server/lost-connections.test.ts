import { expect, test } from 'vitest';
import { TestEdge } from '../fixtures.test-support.ts';
import { LostConnections } from './lost-connections.ts';

const OLD = 'Microsoft.Azure.SignalR/1.15.2+x (.NET 6.0)';

/** Two connections of one process with a client each, and the losses of a pool of their own. */
async function scene(userAgent?: string) {
  const edge = new TestEdge();
  const identity = { serverId: 'a', ...(userAgent === undefined ? {} : { userAgent }) };
  const [one, two] = [await edge.server(identity), await edge.server(identity)];
  const clients = [await edge.client(one), await edge.client(one)];
  const ofOne = clients.find(({ session }) => session.host === one.session)!.session;
  const ofTwo = clients.find(({ session }) => session.host === two.session)!.session;
  const losses = new LostConnections(edge.context.time);
  const remembered = (): boolean[] =>
    [ofOne, ofTwo].map((client) => losses.remembers(one.session, client.id));
  return { edge, losses, one: one.session, two: two.session, ofOne, ofTwo, remembered };
}

test('a process remembers the clients of a connection it has lost until it has another', async () => {
  const { losses, one, two, remembered } = await scene();
  expect(remembered()).toEqual([false, false]);
  losses.lost(one);
  expect(remembered()).toEqual([true, false]);
  losses.replaced(two);
  expect(remembered()).toEqual([false, false]);
});

test('of as many as it has lost: which of them a new one replaces is not said', async () => {
  const { losses, one, two, remembered } = await scene();
  losses.lost(one);
  losses.lost(two);
  losses.replaced(one);
  expect(remembered()).toEqual([true, true]);
  losses.replaced(one);
  expect(remembered()).toEqual([false, false]);
});

test('other processes do not know them', async () => {
  const { edge, losses, one, ofOne } = await scene();
  const other = await edge.server({ serverId: 'b' });
  losses.lost(one);
  expect(losses.remembers(other.session, ofOne.id)).toBe(false);
});

test('connections that come without a loss make up for none', async () => {
  const { losses, one, remembered } = await scene();
  losses.replaced(one);
  losses.lost(one);
  expect(remembered()).toEqual([true, false]);
});

test('it has noticed by itself after 40 s, counted from the last loss', async () => {
  const { edge, losses, one, two, remembered } = await scene();
  losses.lost(one);
  edge.sleep(30);
  losses.lost(two);
  edge.sleep(39);
  expect(remembered()).toEqual([true, true]);
  edge.sleep(1);
  expect(remembered()).toEqual([false, false]);
  losses.lost(two);
  expect(remembered()).toEqual([false, true]);
});

test('software that forgets only when the app has said goodbye: after 75 s, replaced or not', async () => {
  const { edge, losses, one, remembered } = await scene(OLD);
  losses.lost(one);
  losses.replaced(one);
  edge.sleep(74);
  expect(remembered()).toEqual([true, false]);
  edge.sleep(1);
  expect(remembered()).toEqual([false, false]);
});

test('a line to an edge that is lost tells nothing more of the clients that were lost there', async () => {
  const { losses, one, ofOne, ofTwo, remembered } = await scene();
  losses.lostAt('edge-2', one, ofOne);
  losses.lostAt('edge-3', one, ofTwo);
  losses.lineLost('edge-2');
  losses.replaced(one);
  // A new connection shows it of the edge whose line is whole, and of no other.
  expect(remembered()).toEqual([true, false]);
});
