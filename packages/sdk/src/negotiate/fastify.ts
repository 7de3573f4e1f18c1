import type { IncomingMessage } from 'node:http';

import type { NegotiateOptions, Negotiator } from './handler.ts';

/** What this package needs of fastify's request; `user` is where fastify's plugins put it. */
export interface FastifyRequestLike {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly user?: { readonly id?: string } | undefined;
}

export interface FastifyReplyLike {
  code(status: number): unknown;
  headers(values: Record<string, string>): unknown;
  send(body: string): unknown;
}

export interface FastifyLike {
  removeAllContentTypeParsers(): void;
  addContentTypeParser(
    contentType: string,
    parser: (
      request: never,
      payload: IncomingMessage,
      done: (error: Error | null, body?: unknown) => void,
    ) => void,
  ): unknown;
  route(options: {
    readonly method: unknown;
    readonly url: string;
    readonly handler: (request: never, reply: never) => unknown;
  }): unknown;
}

export type FastifyPlugin = (instance: FastifyLike) => Promise<void>;

/** A plugin with one route for each mapped path. The app's hooks see its requests like any other. */
export function fastifyPlugin<Request>(
  negotiator: Negotiator,
  options: NegotiateOptions<Request>,
): FastifyPlugin {
  return async (instance) => {
    // Clients send an empty body of any type, which fastify would refuse; it is of no interest.
    instance.removeAllContentTypeParsers();
    instance.addContentTypeParser('*', (_request, payload, done) => {
      payload.resume();
      done(null);
    });
    for (const path of negotiator.paths) {
      const handler = async (request: Request & FastifyRequestLike, reply: FastifyReplyLike) => {
        const query = /\?.*$/s.exec(request.url)?.[0] ?? '';
        const answer = await negotiator.answer('POST', `${path}${query}`, request, options);
        reply.code(answer!.status);
        reply.headers(answer!.headers);
        return reply.send(answer!.body);
      };
      instance.route({ method: 'POST', url: path, handler });
      const anyCase = inAnyCase(path);
      if (anyCase !== path) instance.route({ method: 'POST', url: anyCase, handler });
    }
  };
}

/**
 * A route for a path ignoring case, as the other handlers compare: fastify itself tells case apart,
 * unless the app has told it not to. Each segment becomes a parameter with a pattern.
 */
function inAnyCase(path: string): string {
  const segments = path.split('/').map((segment, index) => {
    const pattern = segment.replace(/./gsu, eitherCase);
    return /\p{L}/u.test(segment) ? `:segment${index}(^${pattern}$)` : segment;
  });
  return segments.join('/');
}

function eitherCase(one: string): string {
  const [lower, upper] = [one.toLowerCase(), one.toUpperCase()];
  if (lower !== upper) return `[${lower}${upper}]`;
  return one.replace(/[^\w-]/, '\\$&');
}
