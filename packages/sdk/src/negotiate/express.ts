import type { IncomingMessage, ServerResponse } from 'node:http';

import type { Negotiator } from './handler.ts';
import type { NegotiateOptions } from './options.ts';
import { writeAnswer } from './node.ts';

/** What this package needs of express's request; `user` is where passport and others put it. */
export interface ExpressRequest extends IncomingMessage {
  readonly user?: { readonly id?: string };
}

export type ExpressHandler<Request> = (
  request: Request,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void;

/** A middleware that answers negotiate and passes everything else on, errors included. */
export function expressHandler<Request extends IncomingMessage>(
  negotiator: Negotiator,
  options: NegotiateOptions<Request>,
): ExpressHandler<Request> {
  return (request, response, next) => {
    const { method, url = '' } = request;
    negotiator
      .answer(method, url, request, options)
      .then((answer) => (answer === undefined ? next() : writeAnswer(response, answer)))
      .catch(next);
  };
}
