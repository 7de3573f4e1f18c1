import type { Member } from '../model/member.ts';
import type { CloseReason } from './close-reason.ts';
import type { Host } from './host.ts';
import type { Recipient } from './recipient.ts';
import type { Served } from './served.ts';

/** A client connection as who sends it away knows it. */
export interface Leaver {
  readonly isOpen: boolean;
  /** Something would be cut off if it were closed now. */
  readonly isBusy: boolean;
  close(reason: CloseReason): void;
}

/** A client connection as its hub knows it: found, served, sent to. */
export interface HubClient extends Served, Recipient, Member<HubClient>, Leaver {
  close(reason: CloseReason, error?: string): void;
  /** `host` takes it on, now that its hub handshake is read, or instead of the one it had. */
  serveFrom(host: Host): void;
  /** The host that might have refused it takes it: what the client says can be passed on. */
  hostTook(host: Host): void;
  /** No app server takes the client on; `why` if not for lack of any. */
  turnAway(why?: string): void;
}
