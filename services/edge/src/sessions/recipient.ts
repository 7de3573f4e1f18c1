import type { CloseReason } from './close-reason.ts';
import type { HeldMessage } from './client/opening-queue.ts';

/** What delivery needs of a client. */
export interface Recipient {
  /** The handshake response is out, and no Close of the hub yet: fan-out may reach the client. */
  readonly ready: boolean;
  /** What is sent to it waits for its handshake response. */
  readonly holds: boolean;
  /** The hub protocol it speaks, once it has said so. */
  readonly protocolName: string | undefined;
  /** Sends whole hub messages, which `Outbox` may keep until it ends. */
  send(bytes: Uint8Array, count: number): void;
  /** Where it `holds`: keeps a message until then. False when too many wait: close it then. */
  hold(message: HeldMessage): boolean;
  close(reason: CloseReason, error?: string): void;
}
