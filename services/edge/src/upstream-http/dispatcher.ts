import type { LookupFunction } from 'node:net';
import { Agent, buildConnector, ProxyAgent } from 'undici';
import type { Dispatcher } from 'undici';
import type { UpstreamHttpOptions } from './undici-http.ts';

/**
 * Connections of undici to upstreams, whose names `lookup` looks up. A file of its own, to be loaded on
 * demand with undici, which a bundle of ES modules could not import by names on demand: it is CommonJS.
 */
export function dispatcherFor(options: UpstreamHttpOptions, lookup: LookupFunction): Dispatcher {
  const { ca, cert, key, proxy, connections } = options;
  const tls = {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  };
  if (proxy !== undefined) {
    return new ProxyAgent({ uri: proxy, connections, requestTls: tls, proxyTls: tls });
  }
  return new Agent({ connections, connect: buildConnector({ ...tls, lookup }) });
}
