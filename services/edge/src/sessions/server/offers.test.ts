import { expect, test } from 'vitest';

import { TestEdge } from '../fixtures.test-support.ts';

const warnings = ({ lines }: TestEdge) => lines.filter(({ level }) => level === 'warn');

test('two apps under one hub key are told once, by their names', async () => {
  const edge = new TestEdge();
  for (let n = 0; n < 2; n++) await edge.server({ serverId: 'shop', offer: 'aaaa' });
  await edge.server({ serverId: 'shop-2', offer: 'aaaa' });
  await edge.server({ hub: 'board', serverId: 'board', offer: 'cccc' });
  expect(warnings(edge)).toEqual([]);
  for (let n = 0; n < 5; n++) await edge.server({ serverId: `forum-${n}`, offer: 'bbbb' });
  expect(warnings(edge)).toMatchObject([
    {
      hub: 'chat',
      serverId: 'shop',
      offer: 'aaaa',
      otherServerId: 'forum-0',
      otherOffer: 'bbbb',
      msg: expect.stringContaining('two apps under one hub key') as string,
    },
  ]);
});

test('those that do not say what they offer are compared with nobody', async () => {
  const edge = new TestEdge();
  await edge.server({ serverId: 'dotnet', offer: undefined });
  await edge.server({ serverId: 'shop', offer: 'aaaa' });
  await edge.server({ serverId: 'dotnet-2', offer: undefined });
  expect(warnings(edge)).toEqual([]);
});

test('it is over when one of them has gone or leaves, and told again when it begins again', async () => {
  const edge = new TestEdge();
  const shop = await edge.server({ serverId: 'shop', offer: 'aaaa' });
  for (const end of ['gone', 'leaves'] as const) {
    const other = await edge.server({ serverId: end, offer: 'bbbb' });
    if (end === 'gone') other.socket.leave(1006);
    else other.session.depart('fin:1');
    edge.pass(10);
    shop.says({ type: 3, entries: [] });
  }
  // A new version comes while the old one is leaving: nothing to tell.
  shop.session.depart('fin:1');
  await edge.server({ serverId: 'shop', offer: 'cccc' });
  expect(warnings(edge).map(({ otherServerId }) => otherServerId)).toEqual(['gone', 'leaves']);
});

test('one that comes and goes does not fill the log', async () => {
  const edge = new TestEdge();
  await edge.server({ serverId: 'shop', offer: 'aaaa' });
  for (let n = 0; n < 100; n++) {
    const other = await edge.server({ serverId: `forum-${n}`, offer: 'bbbb' });
    other.socket.leave(1006);
  }
  expect(warnings(edge)).toHaveLength(1);
});
