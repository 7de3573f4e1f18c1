import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { NegotiateOptions, Server } from '@trunkline/sdk';

/** A started server, and where clients negotiate with it: at `url` and the path of a hub. */
export interface Site extends AsyncDisposable {
  readonly url: string;
}

/** Starts a server, and has a web server of this process answer its negotiates. */
export async function openSite(
  server: Server,
  options?: NegotiateOptions<IncomingMessage>,
): Promise<Site> {
  const negotiate = server.node(options);
  const http = createHttpServer((request, response) => void negotiate(request, response));
  http.listen(0, '127.0.0.1');
  await Promise.all([once(http, 'listening'), server.start()]);
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      http.closeAllConnections();
      http.close();
      await server.stop({ timeout: 0 });
    },
  };
}
