import { mintClientToken } from '@trunkline/tokens';

import { FakeExchange } from '../../services/edge/src/sessions/fake-exchange.test-support.ts';
import { type HubMessage, JSON_HANDSHAKE } from '../edge/support/json-client.ts';
import type { Connection, PeerEvents } from './connection.ts';
import { Machine } from './clock.ts';
import { KEY } from './edge.ts';
import type { SimEdge } from './edge.ts';
import { messagesOf, record } from './frames.ts';
import type { Call, Conn } from './journal.ts';
import { Polling } from './polling.ts';
import type { World } from './world.ts';

const AGAIN_MS = 400;
/** Of 1: how many bring their token twice, to two edges; so much later at most the second time. */
const TWICE = 0.1;
const LATER_MS = 400;

/** Under which id it may connect, and where. */
interface Offer {
  readonly edge: SimEdge;
  readonly id: string;
  readonly token: string;
}

/** A client that is always there: it connects again, anywhere, when its connection has ended. */
export class SimClient {
  readonly user: string;
  readonly #world: World;
  readonly #machine: Machine;
  readonly #polls: boolean;
  #connection: Pick<Connection, 'send' | 'leave'> | undefined;
  #conn: Conn | undefined;
  #calls = new Map<string, Call>();
  #lastCall = 0;
  #isGone = false;

  /** `polls`: it has no WebSockets, and its requests land at any edge. */
  constructor(world: World, user: string, polls = false) {
    this.#world = world;
    this.#machine = new Machine(world.clock);
    this.user = user;
    this.#polls = polls;
    this.connect();
  }

  /** Its connection, if its hub has let it in. */
  get conn(): Conn | undefined {
    return this.#conn?.openAt === undefined ? undefined : this.#conn;
  }

  /** It is connected, or tries to be, and its hub has not let it in. */
  get isWaiting(): boolean {
    return this.conn === undefined;
  }

  connect(): void {
    if (this.#isGone) return;
    const { clock, dice, journal } = this.#world;
    const first = this.#world.someEdge();
    const offer = first && this.#negotiate(first);
    // A load balancer sends it to any edge again; who polls stays with its home, whatever the edge, and who
    // was sent on is at that edge's own address.
    const stays = this.#polls || offer?.edge !== first;
    const edge = stays ? offer?.edge : this.#world.someEdge();
    if (edge === undefined || offer === undefined) return this.#again();
    const conn: Conn = {
      id: offer.id,
      user: this.user,
      edge,
      roams: this.#polls,
      isAway: offer.edge !== edge,
      openAt: undefined,
      endedAt: undefined,
    };
    this.#conn = conn;
    this.#calls = new Map();
    const query = `hub=${this.#world.hub}&id=${encodeURIComponent(offer.token)}`;
    const isTwice = !this.#polls && dice.chance(TWICE);
    if (isTwice)
      clock.in(dice.roll() * LATER_MS, this.#machine, () => this.#bringAgain(offer.id, query));
    const at = clock.now;
    let isAccepted = this.#polls;
    const request = this.#request(edge, query);
    const events: PeerEvents = {
      accepted: () => {
        isAccepted = true;
        journal.accepted(offer.id, edge);
      },
      opened: () => this.#say(Buffer.from(JSON_HANDSHAKE)),
      received: (bytes) => {
        for (const message of messagesOf(bytes.toString())) this.#take(conn, message);
      },
      closed: () => {
        if (!isAccepted && !isTwice) journal.refused(offer.id, edge, at);
        journal.ended(conn);
        if (this.#conn !== conn) return;
        this.#conn = undefined;
        this.#again();
      },
    };
    this.#connection = this.#polls
      ? new Polling(this.#world, this.#machine, request, events)
      : edge.client(this.#machine, request, events);
  }

  /** Calls its hub. */
  call(): void {
    const { conn } = this;
    if (conn === undefined) return;
    const call = { conn, id: String(++this.#lastCall), at: this.#world.clock.now };
    this.#calls.set(call.id, call);
    this.#world.journal.called(call);
    this.#say(record({ type: 1, invocationId: call.id, target: 'echo', arguments: [] }));
  }

  /** Leaves; `forEver` if it does not come again. */
  leave(forEver = false): void {
    this.#isGone ||= forEver;
    if (this.#conn === undefined) return;
    this.#world.journal.ended(this.#conn);
    this.#conn = undefined;
    this.#connection?.leave();
    this.#again();
  }

  /** Brings a token for the second time, and goes if it should be let in. */
  #bringAgain(id: string, query: string): void {
    const edge = this.#world.someEdge();
    if (edge === undefined) return;
    const connection = edge.client(this.#machine, this.#request(edge, query), {
      accepted: () => this.#world.journal.accepted(id, edge),
      opened: () => connection.leave(),
      received: () => {},
      closed: () => {},
    });
  }

  #again(): void {
    const { clock, dice } = this.#world;
    clock.in(dice.roll() * AGAIN_MS, this.#machine, () => {
      if (this.#conn === undefined) this.connect();
    });
  }

  #say(bytes: Uint8Array): void {
    this.#connection!.send(bytes);
  }

  #take(
    conn: Conn,
    { type, invocationId, arguments: [line, number] = [] }: Partial<HubMessage>,
  ): void {
    const { journal } = this.#world;
    if (type === undefined) journal.opened(conn);
    else if (type === 3) {
      const call = this.#calls.get(invocationId!);
      if (call !== undefined) journal.answered(call);
    } else if (type === 1 && invocationId !== undefined) {
      this.#say(record({ type: 3, invocationId, result: 1 }));
    } else if (type === 1) journal.heard(conn, line as string, number as number);
  }

  #request(edge: SimEdge, query: string): Parameters<SimEdge['client']>[1] {
    const now = Math.floor(edge.machine.time.unixSeconds());
    const hub = this.#world.hub;
    const token = mintClientToken({
      key: KEY,
      audienceBase: 'http://e/',
      hub,
      now,
      userId: this.user,
    });
    const headers = new Map([['authorization', `Bearer ${token}`]]);
    return { method: 'GET', path: '/client/', query, headers, remoteAddress: '192.0.2.1' };
  }

  /** At an edge, or at the one that this sends it on to. */
  #negotiate(edge: SimEdge): Offer | undefined {
    const answer = this.#ask(edge, `hub=${this.#world.hub}&negotiateVersion=1`);
    if (answer === undefined || 'id' in answer) return answer;
    const next = this.#world.edgeAt(answer.url);
    if (next === undefined) return undefined;
    const { journal } = this.#world;
    journal.sentOn(edge, next);
    const again = this.#ask(next, new URL(answer.url).search.slice(1));
    if (again === undefined || 'id' in again) return again;
    journal.violation('redirects', `a client is sent on twice, to ${again.url}`);
    return undefined;
  }

  #ask(edge: SimEdge, query: string): Offer | { readonly url: string } | undefined {
    const exchange = new FakeExchange();
    edge.core.doors.negotiate(this.#request(edge, query), exchange);
    if (exchange.status !== 200) return undefined;
    const answer = JSON.parse(exchange.body) as
      | { url: string }
      | { connectionId: string; connectionToken: string };
    if ('url' in answer) return answer;
    return { edge, id: answer.connectionId, token: answer.connectionToken };
  }
}
