import type { IncomingMessage } from 'node:http';

import type { Negotiator } from './handler.ts';
import type { NegotiateOptions } from './options.ts';

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
  callNotFound(): unknown;
}

export interface FastifyLike {
  /** Under which the plugin is registered; empty as a rule. */
  readonly prefix: string;
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

/** Of these, a refresh is refused with 405 to all but POST. */
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** A plugin with routes for each mapped path. The app's hooks see its requests like any other. */
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
    const { paths, refreshPaths } = negotiator;
    const serve = (method: readonly string[], url: string) =>
      instance.route({ method, url, handler });
    const handler = async (request: Request & FastifyRequestLike, reply: FastifyReplyLike) => {
      const answer = await negotiator.answer(
        request.method,
        request.url.slice(instance.prefix.length),
        request,
        options,
      );
      if (answer === undefined) return reply.callNotFound();
      reply.code(answer.status);
      reply.headers(answer.headers);
      return reply.send(answer.body);
    };
    for (const path of paths) serve(['POST'], path);
    for (const path of refreshPaths) serve(METHODS, path);
    for (const url of inAnyCase([...paths, ...refreshPaths])) serve(METHODS, url);
  };
}

/**
 * Routes for paths ignoring case, as the other handlers compare: fastify itself tells case apart,
 * unless the app has told it not to. Each segment becomes a parameter with a pattern; since fastify
 * has one route for parameters in the same places, paths of one length share one.
 */
function inAnyCase(paths: readonly string[]): string[] {
  const byLength = new Map<number, string[][]>();
  for (const segments of paths.map((path) => path.split('/'))) {
    byLength.set(segments.length, [...(byLength.get(segments.length) ?? []), segments]);
  }
  return [...byLength.values()].map((alike) => {
    const places = alike[0]!.map((_, place) => {
      const patterns = alike.map((segments) => segments[place]!.replace(/./gsu, eitherCase));
      // Before the first slash there is nothing.
      return place === 0 ? '' : `:segment${place}(^(?:${[...new Set(patterns)].join('|')})$)`;
    });
    return places.join('/');
  });
}

function eitherCase(one: string): string {
  const [lower, upper] = [one.toLowerCase(), one.toUpperCase()];
  if (lower !== upper) return `[${lower}${upper}]`;
  return one.replace(/[^\w-]/, '\\$&');
}
