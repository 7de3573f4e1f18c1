import type { HttpRequest as UwsRequest, HttpResponse } from 'uWebSockets.js';
import type { HttpRequest } from '../ports/listener.ts';

/** Copies a request off uWebSockets.js, which takes it back when its handler returns. */
export function copyRequest(res: HttpResponse, req: UwsRequest): HttpRequest {
  const headers = new Map<string, string>();
  req.forEach((name, value) => {
    const known = headers.get(name);
    const joint = name === 'cookie' ? '; ' : ', ';
    headers.set(name, known === undefined ? value : known + joint + value);
  });
  return {
    // Undefined, whatever its type says, for a URL without `?`.
    query: req.getQuery() ?? '',
    headers,
    remoteAddress: Buffer.from(res.getRemoteAddressAsText()).toString(),
  };
}
