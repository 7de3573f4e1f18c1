import type { HttpRequest as UwsRequest, HttpResponse } from 'uWebSockets.js';
import type { HttpAnswer, HttpRequest } from '../ports/listener.ts';
import { respond } from './uws-exchange.ts';

/** As the module calls it. */
export type UwsHandler = (res: HttpResponse, req: UwsRequest) => void;

/** Copies a request; undefined when it has been refused. */
export type ReadRequest = (res: HttpResponse, req: UwsRequest) => HttpRequest | undefined;

/** They say where a request ends and whom it is for: of two, a proxy may go by the other one. */
const SINGLE = ['host', 'content-length'] as const;

/** The connection is given up too: nobody knows whether what follows is a body or a request. */
const AMBIGUOUS: HttpAnswer = {
  status: 400,
  headers: { 'content-type': 'text/plain' },
  body: 'A request has one Host and one Content-Length at most.\n',
  hangUp: true,
};

/**
 * Refuses a request with two hosts or lengths, which `copyRequest` has merged into one. It is
 * answered a little later: by then the module has cut a peer that sent another request behind it,
 * which it would have handled otherwise.
 */
export function refusedAsAmbiguous(res: HttpResponse, { headers }: HttpRequest): boolean {
  if (!SINGLE.some((name) => headers.get(name)?.includes(','))) return false;
  let isThere = true;
  res.onAborted(() => {
    isThere = false;
  });
  setImmediate(() => {
    if (isThere) respond(res, AMBIGUOUS);
  });
  return true;
}

/** Copies a request off uWebSockets.js, which takes it back when its handler returns. */
export function copyRequest(res: HttpResponse, req: UwsRequest): HttpRequest {
  const headers = new Map<string, string>();
  req.forEach((name, value) => {
    const known = headers.get(name);
    const joint = name === 'cookie' ? '; ' : ', ';
    headers.set(name, known === undefined ? value : known + joint + value);
  });
  return {
    method: req.getCaseSensitiveMethod(),
    path: req.getUrl(),
    // Undefined, whatever its type says, for a URL without `?`.
    query: req.getQuery() ?? '',
    headers,
    remoteAddress: addressOf(res),
  };
}

/** The peer's IP address. */
export function addressOf(res: HttpResponse): string {
  return Buffer.from(res.getRemoteAddressAsText()).toString();
}
