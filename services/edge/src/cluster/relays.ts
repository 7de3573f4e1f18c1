import type { Budget } from '@trunkline/protocol';
import type { Bodies } from '../bodies.ts';
import type { Exchange } from '../ports/exchange.ts';
import type { Doors, HttpRequest } from '../ports/listener.ts';
import { BUSY } from '../sessions/client/answers.ts';
import type { EdgeContext } from '../sessions/edge-context.ts';
import type { ClusterStats, RelayKind, RelayOutcome } from './cluster-stats.ts';
import type { RelayFrame } from './relay-frames.ts';
import { encodeRelayFrame } from './relay-frames.ts';
import { RelayLine } from './relay-line.ts';
import { Relay } from './relay.ts';
import { RelayedExchange } from './relayed-exchange.ts';

/** The doors of clients that come by requests. */
export type HttpDoors = Pick<Doors, 'receive' | 'send' | 'leave'>;

/** What answers requests that have landed at other edges. */
export interface RelayedTo {
  readonly doors: HttpDoors;
  readonly bodies: Bodies;
}

/** Beyond what a poll may hang, and for a stream to begin or a client to leave. */
const ANSWER_MS = 10_000;
/** Posts wait for a full server connection at their owner for 20 s. */
const POST_MS = 30_000;

/** What there is between this edge and one other. */
interface Link {
  readonly line: RelayLine;
  /** Requests of the other edge, by its numbers. */
  readonly relayed: Map<number, RelayedExchange>;
}

export interface RelayRules {
  readonly send: (edgeId: string, bytes: Uint8Array) => void;
  /** The other edges that are there: relays end when theirs goes. */
  readonly edges: () => readonly string[];
  /** No other edge can be reached now. */
  readonly isCutOff: () => boolean;
}

/**
 * Requests of clients that land at an edge which does not have their connection: those that have landed
 * here, and those of other edges that are answered here.
 */
export class Relays {
  readonly #context: EdgeContext;
  readonly #stats: ClusterStats;
  readonly #rules: RelayRules;
  readonly #relays = new Map<number, Relay>();
  readonly #links = new Map<string, Link>();
  readonly #room: Budget<string>;
  #last = 0;
  #answers: RelayedTo | undefined;

  constructor(context: EdgeContext, stats: ClusterStats, rules: RelayRules) {
    this.#context = context;
    this.#stats = stats;
    this.#rules = rules;
    this.#room = context.pools.open('relays', (owner) => {
      for (const relay of this.#relays.values()) if (relay.owner === owner) relay.evict(BUSY);
    });
  }

  /** Before the first request comes from another edge. */
  answerBy(answers: RelayedTo): void {
    this.#answers = answers;
  }

  /** Has another edge answer a request, on behalf of `owner`. Undefined where there is no room or no way. */
  start(
    kind: RelayKind,
    edgeId: string,
    owner: string,
    request: HttpRequest,
    exchange: Exchange,
  ): Relay | undefined {
    const { line } = this.#linkTo(edgeId);
    if (this.#rules.isCutOff() || !line.takesRequests || !this.#room.take(owner, 1)) {
      this.#stats.relays.add(`${kind}|refused`);
      return undefined;
    }
    const relay = ++this.#last;
    const over = (ended: Relay, outcome: RelayOutcome): void => this.#over(ended, outcome);
    const options = { relay, kind, edgeId, owner, line, waitMs: this.#waitMs(kind), over };
    const started = new Relay(exchange, this.#context.time.now(), options);
    this.#relays.set(relay, started);
    this.#stats.openRelays[kind]++;
    line.say({ kind: 'request', relay, request });
    return started;
  }

  /** What another edge says; `bytes`: of how many. */
  hear(from: string, frame: RelayFrame, bytes: number): void {
    if (frame.kind === 'broken') return this.lost(from);
    // Nobody would hear of the end of an edge that counts as gone.
    if (!this.#rules.edges().includes(from)) return this.#break(from);
    const link = this.#linkTo(from);
    if (frame.kind === 'heard') return link.line.heard(frame.bytes);
    link.line.came(bytes);
    switch (frame.kind) {
      case 'request':
        return this.#answer(frame, link);
      case 'body':
        return link.relayed.get(frame.relay)?.readBody(frame.bytes, frame.isLast);
      case 'gone':
        return link.relayed.get(frame.relay)?.gone();
      case 'taken':
        if (frame.of === 'answer') return link.relayed.get(frame.relay)?.taken(frame.bytes);
        return this.#own(frame, from)?.bodyTaken(frame.bytes, this.#context.time.now());
      case 'head':
      case 'part':
        return this.#heardOwn(frame, from, link);
      case 'cut':
        return this.#own(frame, from)?.cut();
    }
  }

  /** The edge is gone: so are its requests, and those that wait for its answer. */
  lost(edgeId: string): void {
    const link = this.#links.get(edgeId);
    this.#links.delete(edgeId);
    for (const exchange of link?.relayed.values() ?? []) exchange.gone();
    for (const relay of this.#relays.values()) if (relay.edgeId === edgeId) relay.lost();
  }

  /** Something that this edge has said of them may be lost, or all of them: both edges begin anew. */
  gap(from: string | undefined): void {
    for (const edgeId of from === undefined ? this.#rules.edges() : [from]) {
      this.#break(edgeId);
      this.lost(edgeId);
    }
  }

  /** `late`: how long this edge itself slept, in which nobody could be heard. */
  expire(now: number, late: number): void {
    for (const relay of this.#relays.values()) relay.expire(now, late);
  }

  /** An answer goes on. Where nobody waits for it the other edge has missed the end, and is told again. */
  #heardOwn(frame: RelayFrame & { kind: 'head' | 'part' }, from: string, { line }: Link): void {
    const own = this.#own(frame, from);
    if (own === undefined) line.say({ kind: 'gone', relay: frame.relay });
    else if (frame.kind === 'head') own.head(frame);
    else own.part(frame.bytes, frame.isLast);
  }

  #own({ relay }: RelayFrame & { relay: number }, from: string): Relay | undefined {
    const own = this.#relays.get(relay);
    return own?.edgeId === from ? own : undefined;
  }

  #break(edgeId: string): void {
    this.#rules.send(edgeId, encodeRelayFrame({ kind: 'broken' }));
  }

  #answer({ relay, request }: RelayFrame & { kind: 'request' }, { line, relayed }: Link): void {
    const exchange = new RelayedExchange(relay, line, () => void relayed.delete(relay));
    relayed.set(relay, exchange);
    const { doors, bodies } = this.#answers!;
    if (request.method === 'GET') return doors.receive(request, exchange);
    if (request.method === 'DELETE') return doors.leave(request, exchange);
    const post = doors.send(request, exchange);
    if (post !== undefined) exchange.body = bodies.open(post, exchange);
  }

  #linkTo(edgeId: string): Link {
    const known = this.#links.get(edgeId);
    if (known !== undefined) return known;
    const line = new RelayLine((bytes) => this.#rules.send(edgeId, bytes));
    const link = { line, relayed: new Map<number, RelayedExchange>() };
    this.#links.set(edgeId, link);
    return link;
  }

  #over({ relay, kind, owner }: Relay, outcome: RelayOutcome): void {
    this.#relays.delete(relay);
    this.#room.give(owner, 1);
    this.#stats.openRelays[kind]--;
    this.#stats.relays.add(`${kind}|${outcome}`);
  }

  #waitMs(kind: RelayKind): number {
    if (kind === 'poll') return this.#context.limits.pollMs + ANSWER_MS;
    return kind === 'post' ? POST_MS : ANSWER_MS;
  }
}
