import { expect, test } from 'vitest';
import type { FakeClient } from '../fixtures.test-support.ts';
import { JSON_HANDSHAKE, TestEdge, turn, usedOf } from '../fixtures.test-support.ts';
import { Pools } from '../../pools.ts';
import { FakeUpstream } from './fake-upstream.test-support.ts';
import { UrlTemplate } from './url-template.ts';

const CLIENTS = 100;
const CALLS = 20_000;

const RULE = {
  template: new UrlTemplate('http://app/{event}'),
  hubs: undefined,
  categories: undefined,
  events: undefined,
};

/** The same numbers each time: a linear congruential generator. */
function dice(): (below: number) => number {
  let state = 1;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state % below;
  };
}

test('20,000 calls of 100 clients arrive in the order of each, whatever the order of answers', async () => {
  const http = new FakeUpstream();
  const pools = new Pools();
  const edge = new TestEdge({ withoutServer: 'upstream', upstream: [RULE] }, { http, pools });
  const random = dice();
  const clients: FakeClient[] = Array.from({ length: CLIENTS }, () => edge.strangeClient());
  for (const client of clients) client.says(JSON_HANDSHAKE);
  await turn();
  /** Calls that have come and are not answered; and the next number of each client. */
  const open: number[] = [];
  const next = new Map<string, number>();
  let taken = 0;
  const takeNew = (): void => {
    for (; taken < http.posts.length; taken++) {
      const post = http.posts[taken]!;
      const id = post.request.headers['x-asrs-connection-id']!;
      const said = next.get(id);
      expect(post.event).toBe(said === undefined ? 'connected' : `n${said}`);
      next.set(id, said === undefined ? 0 : said + 1);
      open.push(taken);
    }
  };
  const answerOne = (): void => {
    const place = random(open.length);
    const index = open[place]!;
    open[place] = open.at(-1)!;
    open.pop();
    const post = http.posts[index]!;
    // Now and then one fails: the next goes out all the same.
    if (post.event !== 'connected' && random(100) === 0) post.answer(500);
    else post.answer(204);
  };
  const said = new Map<FakeClient, number>();
  for (let n = 0; n < CALLS; n++) {
    const client = clients[random(CLIENTS)]!;
    const number = said.get(client) ?? 0;
    said.set(client, number + 1);
    client.says(`{"type":1,"target":"n${number}","arguments":[]}␞`);
    takeNew();
    if (random(2) === 0 && open.length > 0) answerOne();
    takeNew();
  }
  while (open.length > 0) {
    answerOne();
    takeNew();
  }
  for (const client of clients) expect(next.get(client.id)).toBe(said.get(client) ?? 0);
  expect(http.posts).toHaveLength(CALLS + CLIENTS);
  expect(usedOf(pools, 'upstream_events')).toBe(0);
  expect(edge.closes).toEqual({});
});
