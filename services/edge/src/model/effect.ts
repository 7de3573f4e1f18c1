import type { Payloads } from '@trunkline/protocol';

/**
 * What a hub wants done in answer to a command, in this order. The hub itself touches no socket:
 * whoever executes the command performs the effects.
 */
export type Effect<M> =
  /** Sends each member the payload of its hub protocol. */
  | {
      readonly kind: 'deliver';
      readonly members: readonly M[];
      readonly payloads: Payloads;
    }
  /** Ends these client connections; the reason is for their hub Close message. */
  | { readonly kind: 'close'; readonly members: readonly M[]; readonly reason: string | undefined }
  /** The answer, where one was asked for: whether what the command names was there. */
  | { readonly kind: 'answer'; readonly found: boolean }
  /** Other edges must see the command too. */
  | { readonly kind: 'publish' };
