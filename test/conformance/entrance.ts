import type { Identity } from '@trunkline/testing';

import type { HubName } from './contract.ts';
import { appToken, edgeToken } from './identity.ts';
import type { AppServer } from './start-app-server.ts';

/** Where a client begins. */
export interface Entrance {
  readonly url: string;
  /** What it brings there. */
  token(identity: Identity): string;
}

/**
 * The app server's negotiate; or the place where its clients stay when `via` is the base URL of that
 * or of a network in front of it: an edge, or the app server itself if it keeps its
 * clients.
 */
export function entranceOf(
  app: AppServer,
  hub: HubName,
  via: string | undefined,
  query: Readonly<Record<string, string>> = {},
): Entrance {
  const parameters = new URLSearchParams(query).toString();
  if (via === undefined || app.edgeUrl === undefined) {
    return { url: `${via ?? app.url}/${hub}?${parameters}`, token: appToken };
  }
  const key = `${app.prefix}${hub}`;
  return {
    url: `${via}/client/?hub=${key}&${parameters}`,
    token: (identity) => edgeToken(key, identity),
  };
}
