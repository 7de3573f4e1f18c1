import type { Payloads } from '@trunkline/protocol';
import type { NameKind } from './interest.ts';
import type { Needs } from './questions.ts';

/** Which other edges a command is for. */
export type Audience =
  /** All that have the hub: users, groups and everybody may be anywhere. */
  | { readonly kind: 'hub' }
  /** Those that have somebody of this user, or of this group. */
  | { readonly kind: 'name'; readonly of: NameKind; readonly name: string }
  /** Those that these connections are at. */
  | { readonly kind: 'connections'; readonly ids: readonly string[] }
  | { readonly kind: 'edge'; readonly id: string };

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
  | Publish;

/** Other edges must see the command too. `needs`: what must come of it there, if somebody asks. */
export interface Publish {
  readonly kind: 'publish';
  readonly to: Audience;
  readonly needs: Needs | 'nothing';
}
