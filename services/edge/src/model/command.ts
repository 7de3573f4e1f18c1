import type { Payloads } from '@trunkline/protocol';
import type { Filter } from './filter.ts';

/** Who a send or a close is for. Ids, users and groups compare exactly; hubs never mix. */
export type Target =
  | { readonly kind: 'all' }
  | { readonly kind: 'connections'; readonly ids: readonly string[] }
  | { readonly kind: 'users'; readonly ids: readonly string[] }
  | { readonly kind: 'groups'; readonly names: readonly string[] };

/** Left out of a target. */
export interface Exclusions {
  readonly connections: readonly string[];
  readonly users: readonly string[];
}

/**
 * All that a hub can be asked to do, whoever asks: an app server by a frame, a REST call, another
 * edge over the bus. Duties: service protocol reference, section 9.
 */
export type Command =
  | {
      readonly kind: 'send';
      readonly target: Target;
      readonly excluded: Exclusions;
      readonly payloads: Payloads;
    }
  | { readonly kind: 'join'; readonly connectionId: string; readonly group: string }
  /** `group` undefined: every group. */
  | {
      readonly kind: 'leave';
      readonly connectionId: string;
      readonly group: string | undefined;
    }
  /** `ttlSeconds` undefined: as long as rules are kept; 0: only who is connected now. */
  | {
      readonly kind: 'joinUser';
      readonly userId: string;
      readonly group: string;
      readonly ttlSeconds: number | undefined;
    }
  | { readonly kind: 'leaveUser'; readonly userId: string; readonly group: string | undefined }
  | { readonly kind: 'checkConnection'; readonly connectionId: string }
  | { readonly kind: 'checkUser'; readonly userId: string }
  | { readonly kind: 'checkGroup'; readonly group: string }
  | { readonly kind: 'checkUserInGroup'; readonly userId: string; readonly group: string }
  | {
      readonly kind: 'close';
      readonly target: Target;
      readonly excluded: Exclusions;
      readonly reason: string | undefined;
    }
  /** Those who are chosen when it begins go through all steps, whatever these change. */
  | { readonly kind: 'filtered'; readonly chosen: Filter; readonly steps: readonly Step[] };

/** What is done with each connection that a filter has chosen. */
export type Step =
  | { readonly kind: 'send'; readonly payloads: Payloads }
  | { readonly kind: 'join' | 'leave'; readonly group: string }
  | { readonly kind: 'close'; readonly reason: string | undefined };

export const NOBODY: Exclusions = { connections: [], users: [] };
