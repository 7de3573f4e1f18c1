import { randomUUID } from 'node:crypto';
import { arch } from 'node:os';

import type { ConnectionString } from '@trunkline/tokens';

import type { Profile } from '../profiles.ts';
import { signToken } from '../token.ts';

/** Where and as whom a server connection is opened. */
export interface Dial {
  /** The `cid` of the URL: a new one every time. */
  readonly id: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * The HTTP request of a server connection (service protocol reference, sections 1.3 and 2).
 * `target` is the service instance that asked for the connection, if one did.
 */
export function dial(
  endpoint: ConnectionString,
  profile: Profile,
  hubKey: string,
  serverId: string,
  target: string | undefined,
): Dial {
  const id = randomUUID();
  const hub = encodeURIComponent(hubKey);
  const { serverEndpoint, accessKey, audienceBase } = endpoint;
  const asked = target === undefined ? '' : `&target=${encodeURIComponent(target)}`;
  const claims = [['nameid', serverId]] as const;
  const token = signToken(profile, accessKey, claims, `${audienceBase}server/?hub=${hub}`);
  return {
    id,
    url: `${serverEndpoint.replace(/^http/, 'ws')}server/?hub=${hub}&cid=${id}${asked}`,
    headers: {
      'Asrs-User-Agent': `${profile.product} (.NET 10.0.12; Debian GNU/Linux 12 (bookworm); ${arch().toUpperCase()})`,
      'X-ASRS-Server-Id': serverId,
      'X-Requested-With': 'XMLHttpRequest',
      Authorization: `Bearer ${token}`,
    },
  };
}
