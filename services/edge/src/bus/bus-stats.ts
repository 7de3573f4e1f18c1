import type { GapCause } from '../ports/bus.ts';
import { GAP_CAUSES } from '../ports/bus.ts';

/**
 * Why a message was not handed to the engine: `full`, more waits than there is room for; `stale`, it
 * has waited too long; `too_large`, it is longer than any message may be.
 */
export const DROP_REASONS = ['full', 'stale', 'too_large'] as const;
export type DropReason = (typeof DROP_REASONS)[number];

/** What an edge's part of the bus has done: plain numbers, read at a scrape. */
export class BusStats {
  isUp = false;
  /** When it last came up or went down, on the edge's clock; never: -Infinity. */
  since = -Infinity;
  reconnects = 0;
  subscriptions = 0;
  /** Said, and not handed to the engine yet. */
  queueBytes = 0;
  readonly published: Traffic = { messages: 0, bytes: 0, batches: 0 };
  readonly received: Traffic = { messages: 0, bytes: 0, batches: 0 };
  readonly gaps: Record<GapCause, number> = zeros(GAP_CAUSES);
  readonly dropped: Record<DropReason, number> = zeros(DROP_REASONS);
}

interface Traffic {
  messages: number;
  /** Of the messages, without what the batches add. */
  bytes: number;
  batches: number;
}

function zeros<const K extends string>(keys: readonly K[]): Record<K, number> {
  return Object.fromEntries(keys.map((key) => [key, 0])) as Record<K, number>;
}
