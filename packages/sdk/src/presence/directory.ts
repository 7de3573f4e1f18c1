import type { Clock } from '../clock.ts';
import type { GroupMember } from '../management/hub-manager.ts';
import type { Logger } from '../options.ts';
import type { Watches } from './watches.ts';

/** Which connections of a hub: those in a group, those of a user, or all where neither is given. */
export interface ConnectionScope {
  readonly group?: string;
  readonly userId?: string;
}

export interface ConnectionCount {
  readonly count: number;
  /** While it is the same, the connections are the same. */
  readonly version: string;
}

export interface ConnectionPage {
  readonly members: readonly GroupMember[];
  /** Of the next page; undefined on the last. */
  readonly cursor: string | undefined;
}

/** What one service tells of the connections of a hub. Both reject with TrunklineError. */
export interface Directory {
  /** The endpoint's name. */
  readonly name: string;
  count(scope: ConnectionScope, signal?: AbortSignal): Promise<ConnectionCount>;
  page(
    scope: ConnectionScope,
    size: number,
    cursor?: string,
    signal?: AbortSignal,
  ): Promise<ConnectionPage>;
}

/** The services that can have connections of a hub, and what who watches these needs. */
export interface Directories {
  /** Those that are to be asked. Throws TrunklineError `not-connected` where none can be. */
  about(scope: ConnectionScope): readonly Directory[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly watches: Watches;
}

/** The most that a service has on one page. */
const PAGE = 200;

/** The connections that a service has of a scope, asked for page by page as they are read. */
export async function* listAt(
  directory: Directory,
  scope: ConnectionScope,
  top = Infinity,
  signal?: AbortSignal,
): AsyncGenerator<GroupMember> {
  let left = top;
  let cursor: string | undefined;
  while (left > 0) {
    const page = await directory.page(scope, Math.min(PAGE, left), cursor, signal);
    yield* page.members.slice(0, left);
    left -= page.members.length;
    ({ cursor } = page);
    if (cursor === undefined) return;
  }
}
