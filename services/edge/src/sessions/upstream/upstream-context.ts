import type { Budget, ClientCompletion } from '@trunkline/protocol';
import type { Time } from '../../ports/time.ts';
import type { Host } from '../host.ts';
import type { HubPolicies } from '../hub-policies.ts';
import type { TokenVerifier } from '../token-verifier.ts';
import type { CallPool } from './call-pool.ts';
import type { ClientEvent, ClientEvents } from './client-events.ts';
import type { EventOutcome, OutcomeLabel } from './outcomes.ts';
import type { Category } from './rules.ts';

/** What the clients of upstreams share. */
export interface UpstreamContext {
  readonly time: Time;
  readonly policies: HubPolicies;
  /** Whose keys sign. */
  readonly tokens: Pick<TokenVerifier, 'keys'>;
  readonly calls: CallPool;
  /** Bytes of events that wait, or are under way. */
  readonly queue: Budget<ClientEvents>;
  /** Those that have an event under way, or resting. */
  readonly busy: Set<ClientEvents>;
  /** Goes on with a client's events in a later turn, when that has time. */
  goOnLater(events: ClientEvents): void;
  /** Events that were put off, to be told again. */
  retries: number;
  /** Seconds of the edge's clock, as of its latest sweep. */
  readonly tick: number;
  /** Counts what came of an event. */
  count(hub: string, category: Category, outcome: OutcomeLabel): void;
  /** Logs what came of an event, if somebody should know. */
  tell(hub: string, event: ClientEvent, outcome: EventOutcome): void;
  /** A client has answered a question of somebody who may wait for it. */
  answered(message: ClientCompletion, host: Host): void;
}
