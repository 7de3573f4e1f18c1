import { mintRestToken } from '@trunkline/tokens';
import type { Post } from '../../ports/listener.ts';
import { FakeExchange } from '../fake-exchange.test-support.ts';
import { KEY } from '../fixtures.test-support.ts';
import type { TestEdge } from '../fixtures.test-support.ts';

export interface GivenCall {
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  readonly remoteAddress?: string;
}

/** One call of the REST API, `POST /api/hubs/…`, with a good token, whose body has not come yet. */
export function beginCall(
  edge: TestEdge,
  what: string,
  { headers = {}, remoteAddress = '127.0.0.1' }: GivenCall = {},
): { exchange: FakeExchange; post: Post | undefined } {
  const [method, target] = what.split(' ', 2) as [string, string];
  const [path, query = ''] = target.split('?', 2) as [string, string?];
  const now = Math.floor(edge.time.unixSeconds());
  const token = mintRestToken({ key: KEY, audience: `http://edge${path}`, now });
  const all = { host: 'edge', authorization: `Bearer ${token}`, ...headers };
  const exchange = new FakeExchange();
  const request = { method, path, query, headers: new Map(Object.entries(all)), remoteAddress };
  return { exchange, post: edge.doors.rest(request, exchange) };
}

/** The same with its body, and how it is answered, now or later. */
export function restCall(edge: TestEdge, what: string, given: GivenCall = {}): FakeExchange {
  const { exchange, post } = beginCall(edge, what, given);
  post?.take(Buffer.from(given.body ?? ''));
  return exchange;
}

/** The status of an error, and what it says. */
export function errorOf({ status, body }: FakeExchange): unknown[] {
  const { code, message } = JSON.parse(body) as { code: string; message: string };
  return [status, code, message];
}
