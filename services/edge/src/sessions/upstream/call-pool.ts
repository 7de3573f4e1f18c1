import type { Budget } from '@trunkline/protocol';
import type { LogDigest } from '@trunkline/telemetry';
import { Histogram } from '@trunkline/telemetry';
import type { Pools } from '../../pools.ts';
import type { Time } from '../../ports/time.ts';
import type {
  AbortCall,
  UpstreamHttp,
  UpstreamOutcome,
  UpstreamRequest,
} from '../../ports/upstream-http.ts';
import { inSlices } from '../slices.ts';
import type { BreakerState } from './breaker.ts';
import { Breaker, BREAKER_STATES } from './breaker.ts';

/** Calls to one upstream are a part of the calls to all, so that a slow one leaves room for others. */
export const UPSTREAMS_AT_ONCE = 4;

export interface CallLimits {
  /** From when a call is asked for to the end of its answer. */
  readonly timeoutMs: number;
  /** Calls under way to one upstream; `UPSTREAMS_AT_ONCE` times as many to all. */
  readonly concurrency: number;
}

/** What comes of a call that somebody asks for. */
export type CallOutcome =
  | Exclude<UpstreamOutcome, { kind: 'aborted' }>
  /** Not made: the upstream has failed several times in a row. */
  | { readonly kind: 'breaker' }
  /** `answering`: while the body of its answer came. */
  | { readonly kind: 'timeout'; readonly answering: boolean };

export interface Call {
  readonly origin: string;
  /** Asked for when the call is made, since many never are, and a signature costs something. */
  readonly request: () => UpstreamRequest;
  /** Whether anybody reads the answer. */
  readonly wantsAnswer: boolean;
  /** Told once, unless `submit` has told already. */
  readonly done: (outcome: CallOutcome) => void;
}

/** A call that waits, or is under way. */
interface Pending {
  readonly call: Call;
  readonly upstream: Upstream;
  deadline: number;
  startedAt: number;
  /** Its time is over, and it is given up for that. */
  isOverdue: boolean;
  abort: AbortCall | undefined;
}

/** Everything that is called at one origin. */
interface Upstream {
  readonly origin: string;
  readonly breaker: Breaker;
  inFlight: number;
  readonly waiting: Set<Pending>;
}

/** Bad answers that mean, behind a proxy, that nobody is there. */
const NOBODY_THERE = new Set([502, 503, 504]);

/**
 * Makes the calls to upstreams, so many at a time to one and to all. The others wait in their order, and
 * every call has a deadline. An upstream that fails time and again is not called for a while.
 */
export class CallPool {
  readonly seconds = new Histogram('trunkline_upstream_call_duration_seconds');
  readonly #http: UpstreamHttp;
  readonly #limits: CallLimits;
  readonly #time: Time;
  readonly #digest: LogDigest;
  /** Bodies of answers, as far as they have come. */
  readonly #answers: Budget<Pending>;
  readonly #upstreams = new Map<string, Upstream>();
  readonly #underWay = new Set<Pending>();
  #waiting = 0;

  constructor(
    http: UpstreamHttp,
    limits: CallLimits,
    parts: { readonly time: Time; readonly digest: LogDigest; readonly pools: Pools },
  ) {
    this.#http = http;
    this.#limits = limits;
    this.#time = parts.time;
    this.#digest = parts.digest;
    // Whoever holds most gives up its answer, and its caller is told so.
    this.#answers = parts.pools.open('upstream_answers', (pending) => pending.abort?.());
  }

  get inFlight(): number {
    return this.#underWay.size;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** How many upstreams there are with a breaker in each state. */
  breakers(): Record<BreakerState, number> {
    const now = this.#time.now();
    const counts = Object.fromEntries(BREAKER_STATES.map((state) => [state, 0]));
    for (const { breaker } of this.#upstreams.values()) counts[breaker.state(now)]!++;
    return counts as Record<BreakerState, number>;
  }

  /** Makes a call, now or when there is room for it; or says at once that it will not be made. */
  submit(call: Call): CallOutcome | undefined {
    const upstream = this.#upstreamAt(call.origin);
    const now = this.#time.now();
    if (!upstream.breaker.admits(now)) return { kind: 'breaker' };
    const deadline = now + this.#limits.timeoutMs;
    const pending: Pending = {
      call,
      upstream,
      deadline,
      startedAt: now,
      isOverdue: false,
      abort: undefined,
    };
    if (this.#hasRoom(upstream)) {
      this.#start(pending);
    } else {
      upstream.waiting.add(pending);
      this.#waiting++;
    }
    return undefined;
  }

  /** Gives up what is over its deadline. `late`: how long this edge itself slept. */
  expire(now: number, late: number): void {
    // Those that wait come first, or they would be started now, when the others leave room for them.
    const waited = [...this.#upstreams.values()].flatMap((upstream) =>
      this.#takeOverdue(upstream, now, late),
    );
    this.#giveUp(waited, { kind: 'timeout', answering: false });
    inSlices(this.#time, overdueOf(this.#underWay, now, late), (pending) => {
      pending.isOverdue = true;
      // It may have ended before its turn came.
      if (this.#underWay.has(pending)) pending.abort?.();
      return true;
    });
  }

  /** Takes those from an upstream that have waited too long, and forgets one that is of no use. */
  #takeOverdue(
    { origin, breaker, inFlight, waiting }: Upstream,
    now: number,
    late: number,
  ): Pending[] {
    const overdue = overdueOf(waiting, now, late);
    for (const pending of overdue) waiting.delete(pending);
    if (overdue.length > 0) breaker.gaveUp();
    const isIdle = inFlight === 0 && waiting.size === 0;
    // Failures are kept: those of a quiet upstream come one by one, and open its breaker all the same.
    if (isIdle && breaker.isSound) this.#upstreams.delete(origin);
    return overdue;
  }

  #upstreamAt(origin: string): Upstream {
    let upstream = this.#upstreams.get(origin);
    if (upstream === undefined) {
      upstream = { origin, breaker: new Breaker(), inFlight: 0, waiting: new Set() };
      this.#upstreams.set(origin, upstream);
    }
    return upstream;
  }

  #hasRoom({ inFlight }: Upstream): boolean {
    const { concurrency } = this.#limits;
    return inFlight < concurrency && this.#underWay.size < UPSTREAMS_AT_ONCE * concurrency;
  }

  #start(pending: Pending): void {
    const { call, upstream } = pending;
    upstream.inFlight++;
    this.#underWay.add(pending);
    pending.startedAt = this.#time.now();
    const room = (bytes: number): boolean => this.#answers.take(pending, bytes);
    pending.abort = this.#http.post(
      call.request(),
      call.wantsAnswer ? room : undefined,
      (outcome) => this.#ended(pending, outcome),
    );
  }

  #ended(pending: Pending, ended: UpstreamOutcome): void {
    const { call, upstream } = pending;
    const now = this.#time.now();
    const outcome = this.#judged(ended, pending);
    this.#underWay.delete(pending);
    this.#answers.giveAll(pending);
    upstream.inFlight--;
    this.seconds.observe((now - pending.startedAt) / 1000);
    this.#note(upstream, outcome, now);
    this.#startWaiting();
    call.done(outcome);
  }

  /** A call is given up because its time is over, or its answer takes the room that others need. */
  #judged(outcome: UpstreamOutcome, { isOverdue }: Pending): CallOutcome {
    if (outcome.kind !== 'aborted') return outcome;
    if (!isOverdue) return { kind: 'too_large' };
    return { kind: 'timeout', answering: outcome.answering };
  }

  #note(upstream: Upstream, outcome: CallOutcome, now: number): void {
    const { breaker, origin } = upstream;
    const why = failureOf(outcome);
    if (why === undefined) {
      if (breaker.state(now) !== 'closed') this.#tell('upstream is back', origin);
      return breaker.succeeded();
    }
    this.#tell('upstream call failed', origin, why);
    if (!breaker.failed(now)) return;
    this.#tell('upstream is not called for a while', origin, why);
    const given = [...upstream.waiting];
    upstream.waiting.clear();
    this.#giveUp(given, { kind: 'breaker' });
  }

  /** Tells callers that their calls, which wait no more, are not made; several turns tell thousands. */
  #giveUp(calls: readonly Pending[], outcome: CallOutcome): void {
    this.#waiting -= calls.length;
    inSlices(this.#time, calls, ({ call }) => {
      call.done(outcome);
      return true;
    });
  }

  /** Upstreams take turns: who has been given a call is asked last the next time. */
  #startWaiting(): void {
    if (this.#waiting === 0) return;
    // A copy: who has had its turn goes to the end.
    const upstreams = [...this.#upstreams.values()];
    for (const upstream of upstreams) {
      const [next] = upstream.waiting;
      if (next === undefined || !this.#hasRoom(upstream)) continue;
      upstream.waiting.delete(next);
      this.#waiting--;
      this.#upstreams.delete(upstream.origin);
      this.#upstreams.set(upstream.origin, upstream);
      this.#start(next);
    }
  }

  #tell(message: string, upstream: string, why?: string): void {
    const level = why === undefined ? 'info' : 'warn';
    this.#digest[level]({ upstream }, message, why === undefined ? {} : { why });
  }
}

/** Those whose time is over. `late`: what is added to the time of each before that. */
function overdueOf(calls: ReadonlySet<Pending>, now: number, late: number): Pending[] {
  for (const pending of calls) pending.deadline += late;
  return [...calls].filter(({ deadline }) => now >= deadline);
}

/** Why an outcome says that the upstream is down; undefined where it does not. */
function failureOf(outcome: CallOutcome): string | undefined {
  switch (outcome.kind) {
    case 'unreachable':
      return outcome.message;
    case 'timeout':
      return 'no answer in time';
    case 'answer':
      return NOBODY_THERE.has(outcome.status) ? `status ${outcome.status}` : undefined;
    default:
      return undefined;
  }
}
