import type { Member } from '../model/member.ts';
import type { Host } from './host.ts';
import type { Recipient } from './recipient.ts';
import type { Served } from './served.ts';

/** A client connection as its hub knows it: found, served, sent to. */
export interface HubClient extends Served, Recipient, Member<HubClient> {
  /** `host` takes it on, now that its hub handshake is read, or instead of the one it had. */
  serveFrom(host: Host): void;
  /** No app server takes the client on; `why` if not for lack of any. */
  turnAway(why?: string): void;
}
