import type { IncomingMessage, ServerResponse } from 'node:http';

import { errorMessage } from '../errors.ts';
import type { Logger } from '../options.ts';
import type { HttpAnswer } from './answers.ts';
import { text } from './answers.ts';
import type { Negotiator } from './handler.ts';
import type { NegotiateOptions } from './options.ts';

export type NodeHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/**
 * A handler for `http.createServer`. What is not ours gets a 404. An error of the app's callbacks
 * gets its own `statusCode` if it has one of 400 to 599, and else a 500.
 */
export function nodeHandler(
  negotiator: Negotiator,
  options: NegotiateOptions<IncomingMessage>,
  logger: Logger,
): NodeHandler {
  return async (request, response) => {
    request.resume();
    const { method, url = '' } = request;
    const answer = await negotiator
      .answer(method, url, request, options)
      .catch((error: unknown) => refusalFor(error, logger));
    writeAnswer(response, answer ?? text(404, 'Not Found'));
  };
}

/** What an error of the app's callbacks is answered with. */
export function refusalFor(error: unknown, logger: Logger): HttpAnswer {
  const status = statusOf(error);
  if (status < 500) return text(status, errorMessage(error));
  logger.error(`negotiate failed: ${errorMessage(error)}`, error);
  return text(status, 'Negotiate failed.');
}

/** Does nothing where the app has answered meanwhile, a request that takes too long for example. */
export function writeAnswer(response: ServerResponse, answer: HttpAnswer): void {
  if (response.headersSent) return;
  response.writeHead(answer.status, {
    ...answer.headers,
    'content-length': Buffer.byteLength(answer.body),
  });
  response.end(answer.body);
}

function statusOf(error: unknown): number {
  const status = (error as { statusCode?: unknown } | null | undefined)?.statusCode;
  return typeof status === 'number' && status >= 400 && status < 600 ? status : 500;
}
