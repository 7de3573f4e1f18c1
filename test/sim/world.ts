import { answers } from './checkers/answers.ts';
import { calls } from './checkers/calls.ts';
import { claims } from './checkers/claims.ts';
import type { Checker, MakeChecker } from './checkers/checker.ts';
import { deliveries } from './checkers/deliveries.ts';
import { order } from './checkers/order.ts';
import { redirects } from './checkers/redirects.ts';
import { settled } from './checkers/settled.ts';
import { SimApp } from './app.ts';
import { SimClient } from './client.ts';
import { Clock, Machine } from './clock.ts';
import { Dice } from './dice.ts';
import { SimEdge } from './edge.ts';
import { SimEngine } from './engine.ts';
import { Journal } from './journal.ts';

const EDGES = ['a', 'b', 'c'];
const CLIENTS = 9;
/** Clients beside them that poll. */
const POLLING_CLIENTS = 2;
const USERS = 4;
/** So many that a join often is the first of its group at an edge. */
export const GROUPS = Array.from({ length: 24 }, (_, n) => `group${n}`);

const CHECKERS: readonly MakeChecker[] = [
  order,
  deliveries,
  answers,
  calls,
  claims,
  redirects,
  settled,
];

/** Edges on one engine, app servers at each or at some, and clients anywhere: a whole cluster on one clock. */
export class World {
  readonly hub = 'chat';
  readonly clock = new Clock();
  readonly journal = new Journal(this.clock);
  /** For all that nobody has planned. */
  readonly dice: Dice;
  /** What apps say of moves: see `MigrationLevel`. */
  readonly migrationLevel: number;
  /** Edges are reached by URLs of their own; else through a load balancer. */
  readonly #haveUrls: boolean;
  /** The edges that app servers dial; clients are at all of them. */
  readonly homes: readonly string[];
  readonly engine: SimEngine;
  readonly edges = new Map<string, SimEdge>();
  readonly apps: SimApp[] = [];
  readonly clients: SimClient[] = [];
  /** The machine of those who look at all this. */
  readonly #outside: Machine;
  readonly #checkers: readonly Checker[];
  #started = 0;

  constructor(seed: number) {
    this.dice = new Dice(seed);
    this.migrationLevel = this.dice.between(0, 2);
    this.#haveUrls = seed % 2 === 0;
    this.homes = this.dice.chance(0.5) ? EDGES : EDGES.slice(0, this.dice.between(1, 2));
    this.#outside = new Machine(this.clock);
    this.engine = new SimEngine(new Machine(this.clock), this.dice, this.journal);
    this.#checkers = CHECKERS.map((make) => make(this.journal, this));
    this.journal.watchedBy(this.#checkers);
    for (const edgeId of EDGES) this.startEdge(edgeId);
    this.clock.pass(3_000);
    for (const at of EDGES.keys()) {
      this.apps.push(this.newApp(this.homes[at % this.homes.length]!));
    }
    this.clock.pass(500);
    for (let n = 0; n < CLIENTS; n++) this.clients.push(new SimClient(this, `user${n % USERS}`));
    for (let n = 0; n < POLLING_CLIENTS; n++) {
      this.clients.push(new SimClient(this, `user${n}`, true));
    }
    this.clock.pass(1_500);
  }

  /** Edges whose processes run and do not leave. */
  get live(): SimEdge[] {
    return [...this.edges.values()].filter(({ isServing }) => isServing);
  }

  /** An edge that a load balancer would choose. */
  someEdge(): SimEdge | undefined {
    return this.dice.pick(this.#ready());
  }

  /** That edge, or another one that app servers dial where it is not there. */
  edgeFor(edgeId: string): SimEdge | undefined {
    const dialled = this.#ready().filter((edge) => this.homes.includes(edge.edgeId));
    return dialled.find((edge) => edge.edgeId === edgeId) ?? this.dice.pick(dialled);
  }

  /** The edge at this URL, if it is there. */
  edgeAt(url: string): SimEdge | undefined {
    const edge = this.edges.get(new URL(url).hostname.replace('.sim', ''));
    return edge?.isServing === true && !edge.machine.isFrozen ? edge : undefined;
  }

  startEdge(edgeId: string): void {
    this.journal.forgetLosses((to) => to === edgeId);
    const { clock, dice, engine, journal } = this;
    const url = this.#haveUrls ? `http://${edgeId}.sim` : '';
    const edge = new SimEdge(edgeId, url, clock, dice, engine, journal);
    this.edges.set(edgeId, edge);
    // Until it knows the others, and they know it.
    this.later(2_500, this.journal.disturb(edgeId));
  }

  /** The process of an app server whose edge that is. */
  newApp(home: string): SimApp {
    return new SimApp(this, `app-${home}${++this.#started}`, home);
  }

  nobodyFrozeSince(at: number): boolean {
    return [...this.edges.values()].every((edge) => !edge.wasFrozenSince(at));
  }

  later(ms: number, run: () => void): void {
    this.clock.in(ms, this.#outside, run);
  }

  /** All app servers send to a group as soon as it has a new member. */
  sendSoon(group: string): void {
    for (const app of this.apps) {
      const line = this.dice.pick(app.lines);
      if (line !== undefined) app.send(line, { kind: 'group', name: group });
    }
  }

  /** `user group` of what app servers have joined for certain. */
  joinedUsers(): Iterable<string> {
    return this.#checkers.flatMap((checker) => checker.joinedUsers?.() ?? []);
  }

  /** All is quiet and has been for a while. */
  settled(): void {
    for (const checker of this.#checkers) checker.settled?.(this);
  }

  /** Nobody is left but the edges. */
  over(): void {
    for (const checker of this.#checkers) checker.over?.(this);
  }

  #ready(): SimEdge[] {
    return this.live.filter(({ isReady, machine }) => isReady && !machine.isFrozen);
  }
}
