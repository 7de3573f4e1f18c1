import { STATUS_CODES } from 'node:http';

import type { Logger } from '../options.ts';
import { text } from './answers.ts';
import type { Negotiator } from './handler.ts';
import type { NegotiateOptions } from './options.ts';
import { refusalFor } from './node.ts';

export type WebHandler = (request: Request) => Promise<Response>;

/** A handler for Hono, Next.js, Bun and Deno; what is not ours and errors are answered as by Node's. */
export function webHandler(
  negotiator: Negotiator,
  options: NegotiateOptions<Request>,
  logger: Logger,
): WebHandler {
  return async (request) => {
    const { method, url } = request;
    const { pathname, search } = new URL(url);
    const answer = await negotiator
      .answer(method, `${pathname}${search}`, request, options)
      .catch((error: unknown) => refusalFor(error, logger));
    const { status, headers, body } = answer ?? text(404, 'Not Found');
    return new Response(body, {
      status,
      statusText: STATUS_CODES[status] ?? '',
      headers: { ...headers },
    });
  };
}
