import { isIP } from 'node:net';

import type { Claims, OpenConnection } from '@trunkline/protocol';

import type { Profile } from '../profiles.ts';
import { type User, userOf } from '../user.ts';
import type { HubCallerContext } from './definition.ts';

const MIGRATE_FROM = 'asrs-migrate-from';

/** A client connection as OpenConnection describes it (service protocol reference, 8.2 and 8.6). */
export class CallerContext implements HubCallerContext {
  readonly connectionId: string;
  user: User;
  readonly items = new Map<unknown, unknown>();
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly query: URLSearchParams;
  readonly path: string;
  readonly remoteAddress: string | undefined;
  readonly migration: HubCallerContext['migration'];
  /** What `abort` does; the hub connection sets it. */
  onAbort = (): void => {};
  readonly #aborted = new AbortController();
  readonly #profile: Profile;

  constructor(message: OpenConnection, profile: Profile, serverId: string) {
    this.connectionId = message.connectionId;
    this.#profile = profile;
    this.user = userOf(message.claims, profile);
    const headers = [...message.headers].map(
      ([name, value]) => [name.toLowerCase(), value] as const,
    );
    this.headers = new Map(headers);
    this.query = new URLSearchParams(message.queryString);
    this.path = this.query.get('asrs.op') ?? '';
    const forwarded = this.headers.get('x-forwarded-for')?.[0]?.split(',')[0]?.trim() ?? '';
    this.remoteAddress = isIP(forwarded) === 0 ? undefined : forwarded;
    const from = this.headers.get(MIGRATE_FROM);
    this.migration = from === undefined ? undefined : { from: from[0] ?? '', to: serverId };
  }

  /** The service says that the client has other claims now (section 18.6). */
  signInAnew(claims: Claims): void {
    this.user = userOf(claims, this.#profile);
  }

  get aborted(): AbortSignal {
    return this.#aborted.signal;
  }

  abort(): void {
    this.onAbort();
  }

  fireAborted(): void {
    this.#aborted.abort();
  }
}
