import type { HttpAnswer } from '../../ports/listener.ts';

/** What clients are answered with, texts as ASP.NET has them (client protocols reference, 2.0). */

export function json(body: object): HttpAnswer {
  const headers = { 'content-type': 'application/json' };
  return { status: 200, headers, body: JSON.stringify(body) };
}

export function text(status: number, body: string, why: string): HttpAnswer {
  return { status, headers: { 'content-type': 'text/plain' }, body, why };
}

/** No room at this edge now; the peer is not kept, since what it holds is what is short. */
export const BUSY: HttpAnswer = {
  status: 503,
  headers: { 'retry-after': '1' },
  hangUp: true,
  why: 'no_room',
};

/** The edge is about to stop: behind a load balancer the next try finds another one. */
export const DRAINING: HttpAnswer = { ...BUSY, why: 'draining' };

export const WRONG_ORIGIN = text(403, 'Pages of this origin may not connect here.', 'origin');
export const NO_ID = text(400, 'Connection ID required', 'no_id');
export const UNKNOWN_ID = text(404, 'No Connection with that ID', 'unknown_id');
export const TRANSPORT_CHANGED = text(
  400,
  'Cannot change transports mid-connection',
  'transport_changed',
);
export const NOT_POLLING = text(
  400,
  'Cannot terminate this connection using the DELETE endpoint.',
  'not_polling',
);
export const NO_POSTS = text(
  405,
  'POST requests are not allowed for WebSocket connections.',
  'no_posts',
);
/** A second event stream or WebSocket for one connection. */
export const IN_USE: HttpAnswer = { status: 409, why: 'in_use' };
/** Another edge, which has to be asked, does not answer. */
export const UNANSWERED: HttpAnswer = {
  status: 503,
  headers: { 'retry-after': '1' },
  why: 'unanswered',
};
/** A post for a connection that has ended while it came in. */
export const GONE: HttpAnswer = { status: 404 };
/** Some clients parse any body there is. */
export const POSTED: HttpAnswer = { status: 200, headers: { 'content-type': 'text/plain' } };
export const LEFT: HttpAnswer = { status: 202 };

export function notServed(transport: string): HttpAnswer {
  return text(404, `${transport} transport not supported by this end point type`, 'transport');
}
