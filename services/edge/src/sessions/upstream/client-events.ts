import { introductionLength } from '../introduction.ts';
import type { Served } from '../served.ts';
import type { CallOutcome } from './call-pool.ts';
import type { EventOutcome } from './outcomes.ts';
import { completionFor, isWorthRetrying, labelOf } from './outcomes.ts';
import type { EventSource, UpstreamEvent } from './request.ts';
import { upstreamRequest } from './request.ts';
import { routeOf } from './rules.ts';
import type { UpstreamContext } from './upstream-context.ts';

/** How long to rest before an upstream is told again that a client came or went; none after the last. */
const RESTS_MS = [1_000, 2_000, 4_000, 8_000];

/** So many events of a client may end at once, without a call, before it is somebody else's turn. */
const AT_ONCE = 32;

/** What an event counts for beside its body. */
const EVENT_BYTES = 512;

/** An event, and the call of the client that waits for what comes of it. */
export interface ClientEvent extends UpstreamEvent {
  readonly invocationId?: string | undefined;
}

/**
 * What happens to one client, in its order: an event is over before the next one goes out, and the
 * client's end comes after all that it has said. It outlives the client until that is told.
 */
export class ClientEvents {
  readonly #source: EventSource;
  readonly #binary: boolean;
  readonly #context: UpstreamContext;
  /** Undefined once nobody reads results any more. */
  #client: Served | undefined;
  /** What it is told of its calls before its handshake response is out; undefined from then on. */
  #early: Uint8Array[] | undefined;
  readonly #queue: ClientEvent[] = [];
  /** The first in the queue is under way, or rests, or waits for a later turn. */
  #isBusy = false;
  #attempts = 0;
  #restsUntil: number | undefined;

  /** `isNew`: the client's handshake response is not out yet. */
  constructor(client: Served, binary: boolean, isNew: boolean, context: UpstreamContext) {
    const { id, userId, introduction, hub } = client;
    this.#source = { id, userId, introduction, hub: hub.name };
    this.#binary = binary;
    this.#client = client;
    this.#early = isNew ? [] : undefined;
    this.#context = context;
  }

  /** The client that they are about, as long as it is here. */
  get client(): Served | undefined {
    return this.#client;
  }

  /** Adds an event. False where too much waits already. */
  add(event: ClientEvent): boolean {
    if (!this.#context.queue.take(this, this.#weightOf(event))) {
      this.#context.count(this.#source.hub, event.category, 'dropped');
      return false;
    }
    if (this.#queue.push(event) === 1) this.#context.busy.add(this);
    this.#run();
    return true;
  }

  /** Tells the client what comes of a call; not before its handshake response, which it reads first. */
  reply(completion: Uint8Array): void {
    if (this.#early === undefined) this.#client?.fromHost(completion);
    else this.#early.push(completion);
  }

  /** The client's handshake response is out. */
  welcomed(): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const completion of early) this.reply(completion);
  }

  /** The client has ended, or left: nobody reads results. */
  detach(): void {
    this.#client = undefined;
    this.#early = undefined;
  }

  /** Drops all that waits, because others need the room; what is under way goes on. */
  drop(): void {
    for (const { category } of this.#queue.splice(this.#isBusy ? 1 : 0)) {
      this.#context.count(this.#source.hub, category, 'dropped');
    }
    this.#context.queue.giveAll(this);
    if (this.#queue.length === 0) this.#context.busy.delete(this);
  }

  /** Goes on with what has rested long enough. `late`: how long this edge itself slept. */
  expire(now: number, late: number): void {
    if (this.#restsUntil === undefined) return;
    this.#restsUntil += late;
    if (now < this.#restsUntil) return;
    this.#restsUntil = undefined;
    this.goOn();
  }

  /** The first in the queue has rested, or a later turn has come. */
  goOn(): void {
    this.#isBusy = false;
    this.#run();
  }

  #run(): void {
    for (let left = AT_ONCE; !this.#isBusy; left--) {
      const [event] = this.#queue;
      if (event === undefined) return;
      this.#isBusy = true;
      if (left === 0) return this.#context.goOnLater(this);
      const outcome = this.#begin(event);
      if (outcome !== undefined) this.#ended(event, outcome);
    }
  }

  /** Makes the call of an event; or answers at once what comes of it. */
  #begin(event: ClientEvent): EventOutcome | undefined {
    const { calls, policies, tokens } = this.#context;
    const names = { hub: this.#source.hub, category: event.category, event: event.event };
    const route = routeOf(policies.of(this.#source.hub).upstream, names);
    if (route === undefined) return { kind: 'unmatched' };
    return calls.submit({
      origin: route.origin,
      request: () => upstreamRequest(this.#source, event, route, tokens.keys),
      wantsAnswer: event.invocationId !== undefined,
      done: (outcome: CallOutcome) => {
        this.#ended(event, outcome);
        this.#run();
      },
    });
  }

  #ended(event: ClientEvent, outcome: EventOutcome): void {
    const { category, invocationId } = event;
    if (outcome.kind !== 'unmatched' || category === 'messages') {
      this.#context.count(this.#source.hub, category, labelOf(outcome));
    }
    if (category === 'connections' && isWorthRetrying(outcome) && this.#rest()) return;
    this.#context.tell(this.#source.hub, event, outcome);
    this.#attempts = 0;
    this.#queue.shift();
    this.#context.queue.give(this, this.#weightOf(event));
    if (this.#queue.length === 0) this.#context.busy.delete(this);
    this.#isBusy = false;
    if (invocationId === undefined || this.#client === undefined) return;
    this.reply(completionFor(outcome, invocationId, this.#binary));
  }

  /** Puts the first event off; false when that has been done often enough. */
  #rest(): boolean {
    const rest = RESTS_MS[this.#attempts++];
    if (rest === undefined) return false;
    this.#context.retries++;
    this.#restsUntil = this.#context.time.now() + rest;
    return true;
  }

  /** Of a client that has gone, its introduction is kept for the sake of the event. */
  #weightOf({ body, event, category }: ClientEvent): number {
    const isLast = category === 'connections' && event === 'disconnected';
    const kept = isLast ? introductionLength(this.#source.introduction) : 0;
    return EVENT_BYTES + body.length + kept;
  }
}
