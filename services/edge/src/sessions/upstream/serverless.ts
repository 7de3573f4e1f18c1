import type { Budget, ClientCompletion } from '@trunkline/protocol';
import type { LogDigest } from '@trunkline/telemetry';
import type { Pools } from '../../pools.ts';
import type { Time } from '../../ports/time.ts';
import type { UpstreamHttp } from '../../ports/upstream-http.ts';
import { CLIENT_CLOSE_REASONS } from '../close-reason.ts';
import { LabelCounts } from '../counters.ts';
import type { Host } from '../host.ts';
import type { HubPolicies } from '../hub-policies.ts';
import { inSlices } from '../slices.ts';
import type { TokenVerifier } from '../token-verifier.ts';
import type { CallLimits } from './call-pool.ts';
import { CallPool } from './call-pool.ts';
import type { ClientEvent, ClientEvents } from './client-events.ts';
import type { EventOutcome, OutcomeLabel } from './outcomes.ts';
import { labelOf } from './outcomes.ts';
import type { Category } from './rules.ts';
import type { UpstreamContext } from './upstream-context.ts';
import { UpstreamHost } from './upstream-host.ts';

/** How often it is looked whether upstreams have heard all. */
const TOLD_MS = 50;

export interface ServerlessParts {
  readonly time: Time;
  readonly digest: LogDigest;
  readonly pools: Pools;
  readonly tokens: Pick<TokenVerifier, 'keys'>;
  readonly policies: HubPolicies;
  readonly http: UpstreamHttp;
  readonly limits: CallLimits;
  /** Seconds of the edge's clock, as of its latest sweep. */
  readonly tick: () => number;
  /** A client that an upstream serves has answered a question. */
  readonly answered: (message: ClientCompletion, host: Host) => void;
}

/** All that is served without app servers on this edge: a host for each hub, and what they share. */
export class Serverless implements UpstreamContext {
  readonly time: Time;
  readonly policies: HubPolicies;
  readonly tokens: Pick<TokenVerifier, 'keys'>;
  readonly calls: CallPool;
  readonly queue: Budget<ClientEvents>;
  readonly busy = new Set<ClientEvents>();
  readonly answered: (message: ClientCompletion, host: Host) => void;
  retries = 0;
  /** Whose events go on in a later turn, in this order. */
  readonly #later = new Set<ClientEvents>();
  #goesOnLater = false;
  readonly #tick: () => number;
  readonly #digest: LogDigest;
  /** By hub, keyed `category|outcome`; forgotten with the host. */
  readonly #counts = new Map<string, LabelCounts>();
  readonly #hosts = new Map<string, UpstreamHost>();

  constructor(parts: ServerlessParts) {
    const { time, pools, digest } = parts;
    this.time = time;
    this.policies = parts.policies;
    this.tokens = parts.tokens;
    this.answered = parts.answered;
    this.#digest = digest;
    this.calls = new CallPool(parts.http, parts.limits, { time, digest, pools });
    this.queue = pools.open<ClientEvents>('upstream_events', (events) => this.#evict(events));
    this.#tick = parts.tick;
  }

  get tick(): number {
    return this.#tick();
  }

  /** The host that serves a hub's clients while it has no app server; undefined where there is to be none. */
  hostFor(hub: string): UpstreamHost | undefined {
    if (this.policies.of(hub).withoutServer !== 'upstream') return undefined;
    let host = this.#hosts.get(hub);
    if (host === undefined) this.#hosts.set(hub, (host = new UpstreamHost(this)));
    return host;
  }

  /** Hosts by hub, of those that have served a client. */
  get hosts(): Iterable<readonly [hub: string, host: UpstreamHost]> {
    return this.#hosts;
  }

  /** What came of events, by hub. */
  get counts(): Iterable<readonly [hub: string, counts: LabelCounts]> {
    return this.#counts;
  }

  goOnLater(events: ClientEvents): void {
    this.#later.add(events);
    if (this.#goesOnLater) return;
    this.#goesOnLater = true;
    this.time.endOfTurn(() => this.#goOn());
  }

  #goOn(): void {
    const goOn = (events: ClientEvents): boolean => {
      // Whoever is not through then comes again, behind the others.
      this.#later.delete(events);
      events.goOn();
      return true;
    };
    inSlices(this.time, this.#later, goOn, () => void (this.#goesOnLater = false));
  }

  /** The hub is not in use any more. */
  forget(hub: string): void {
    this.#hosts.delete(hub);
    this.#counts.delete(hub);
  }

  count(hub: string, category: Category, outcome: OutcomeLabel): void {
    let counts = this.#counts.get(hub);
    if (counts === undefined) this.#counts.set(hub, (counts = new LabelCounts([])));
    counts.add(`${category}|${outcome}`);
  }

  tell(hub: string, { category }: ClientEvent, outcome: EventOutcome): void {
    const label = labelOf(outcome);
    if (label === 'ok') return;
    const isUnheard = label === 'unmatched' && category === 'connections';
    if (isUnheard) return;
    const status = outcome.kind === 'answer' ? { status: outcome.status } : {};
    this.#digest.info(
      { hub, category, outcome: label, ...status },
      'event not taken by an upstream',
    );
  }

  /** Looks after deadlines and rests. `late`: how long this edge itself slept. */
  expire(now: number, late: number): void {
    this.calls.expire(now, late);
    for (const events of this.busy) events.expire(now, late);
    if (late > 0) for (const host of this.#hosts.values()) host.slept(Math.ceil(late / 1000));
  }

  /** When upstreams have been told of everything. */
  async whenTold(): Promise<void> {
    while (this.busy.size > 0) {
      await new Promise<void>((resolve) => void this.time.after(TOLD_MS, resolve));
    }
  }

  /** Drops what waits of the client that makes most wait, and closes it. */
  #evict(events: ClientEvents): void {
    events.drop();
    const { client } = events;
    // Later: its end is an event, and who evicts must not take.
    this.time.endOfTurn(() => client?.close(CLIENT_CLOSE_REASONS.slowAppServer));
  }
}
