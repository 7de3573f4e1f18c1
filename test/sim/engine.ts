import type { Engine, EngineEvents } from '../../services/edge/src/bus/engine.ts';
import type { Machine } from './clock.ts';
import type { Dice } from './dice.ts';
import type { Journal } from './journal.ts';
import { Wire } from './wire.ts';

const MOST_MS = 3;
const RETRY_MS = 150;
/** An edge that has not read for so long is cut off, as the shipped settings of NATS and Redis have it. */
const SLOW_MS = 2_000;
/** How long an edge takes at most to see that its engine does not answer. */
const UNNOTICED_MS = 3_000;

/** What may happen to a batch on its way to one edge. */
export interface Weather {
  /** Of 1: how many are lost, and how many come twice. */
  loss: number;
  duplication: number;
}

/** A NATS or Redis server, between edges that it tells of nothing but what they subscribe to. */
export class SimEngine {
  readonly machine: Machine;
  readonly dice: Dice;
  readonly lines = new Set<SimLine>();
  readonly weather: Weather = { loss: 0, duplication: 0 };
  /** Tells who sends to an edge that is not there, as NATS does and Redis does not. */
  readonly tellsUnheard: boolean;
  isDown = false;
  readonly #journal: Journal;

  constructor(machine: Machine, dice: Dice, journal: Journal) {
    this.machine = machine;
    this.dice = dice;
    this.#journal = journal;
    this.tellsUnheard = dice.chance(0.5);
  }

  /** `machine`: of the edge. */
  connect(edgeId: string, machine: Machine, events: EngineEvents): SimLine {
    const line = new SimLine(edgeId, this, machine, events);
    this.lines.add(line);
    return line;
  }

  /** Ends, with all its connections. */
  stop(): void {
    this.isDown = true;
    for (const line of this.lines) line.cut('the engine has ended');
  }

  start(): void {
    this.isDown = false;
  }

  /** A batch has come in. */
  pass(from: SimLine, name: string, batch: Buffer, to: string | undefined): void {
    const listeners = [...this.lines].filter((line) => line !== from && line.hears(name));
    for (const line of listeners) this.#hand(from.edgeId, line, name, batch);
    if (to !== undefined && listeners.length === 0 && this.tellsUnheard) from.unheard(to);
  }

  received(edgeId: string, from: string, name: string, sentAt: number): void {
    this.#journal.receivedBatch(edgeId, from, name, sentAt);
  }

  /** The connection of an edge has ended. */
  disconnected(edgeId: string): void {
    this.#journal.connectionLost(edgeId);
  }

  /** An edge listens to a subject no more. */
  unsubscribed(edgeId: string, name: string): void {
    this.#journal.forgetLosses((to, _from, subject) => to === edgeId && subject === name);
  }

  #hand(from: string, line: SimLine, name: string, batch: Buffer): void {
    // Its edge hears nothing more, whatever still comes to it, and so cannot see what does not.
    if (line.isClosed) return;
    if (this.dice.chance(this.weather.loss)) {
      return this.#journal.lostBatch(line.edgeId, from, name);
    }
    this.#journal.carriesBatch(line.edgeId, from, name);
    line.deliver(from, name, batch);
    if (this.dice.chance(this.weather.duplication)) line.deliver(from, name, batch);
  }
}

/** An edge's connection to the engine, made again and again. */
export class SimLine implements Engine {
  readonly edgeId: string;
  readonly #engine: SimEngine;
  readonly #machine: Machine;
  readonly #events: EngineEvents;
  readonly #wanted = new Set<string>();
  /** Of the connection that is there: what it is heard by, and both directions. */
  readonly #heardBy = new Set<string>();
  #up: Wire | undefined;
  #down: Wire | undefined;
  #underway = 0;
  /** The way to the engine is cut. */
  isPartitioned = false;
  #isClosed = false;
  #frozenSince: number | undefined;

  constructor(edgeId: string, engine: SimEngine, machine: Machine, events: EngineEvents) {
    this.edgeId = edgeId;
    this.#engine = engine;
    this.#machine = machine;
    this.#events = events;
    this.#dial();
  }

  underway(): number {
    return this.#underway;
  }

  write(name: string, batch: Buffer, to: string | undefined): void {
    const copy = Buffer.from(batch);
    this.#underway += copy.length;
    this.#up?.carry(() => {
      this.#underway -= copy.length;
      this.#engine.pass(this, name, copy, to);
    });
  }

  subscribe(names: readonly string[]): void {
    for (const name of names) this.#wanted.add(name);
    this.#up?.carry(() => names.forEach((name) => this.#heardBy.add(name)));
  }

  unsubscribe(names: readonly string[]): void {
    for (const name of names) {
      this.#wanted.delete(name);
      this.#engine.unsubscribed(this.edgeId, name);
    }
    this.#up?.carry(() => names.forEach((name) => this.#heardBy.delete(name)));
  }

  sync(then: () => void): void {
    const down = this.#down;
    this.#up?.carry(() => down?.carry(then));
  }

  check(): void {}

  async close(): Promise<void> {
    // What was written before still arrives.
    this.#up?.carry(() => this.forget());
    this.#isClosed = true;
  }

  /** The edge's process has ended. */
  forget(): void {
    this.#isClosed = true;
    this.#disconnect();
    this.#engine.lines.delete(this);
  }

  /** The edge has closed it, and what it wrote before is still on its way. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  hears(name: string): boolean {
    return this.#heardBy.has(name);
  }

  deliver(from: string, name: string, batch: Buffer): void {
    if (this.#isTooSlow()) return this.cut('it does not read');
    const { now } = this.#machine.clock;
    this.#down?.carry(() => {
      const lent = Buffer.from(batch);
      this.#events.received(name, lent);
      lent.fill(0xff);
      this.#engine.received(this.edgeId, from, name, now);
    });
  }

  unheard(edgeId: string): void {
    this.#down?.carry(() => this.#events.unheard(edgeId));
  }

  /** The connection breaks, and the edge sees it. */
  cut(why: string): void {
    if (this.#up === undefined) return;
    this.#disconnect();
    this.#lost(0, why);
  }

  /** Nothing passes any more, and the edge sees it when nobody answers. */
  partition(): void {
    this.isPartitioned = true;
    if (this.#up === undefined) return;
    this.#disconnect();
    this.#lost(this.#engine.dice.roll() * UNNOTICED_MS, 'no answer');
  }

  #lost(ms: number, why: string): void {
    this.#machine.clock.in(ms, this.#machine, () => {
      if (this.#isClosed) return;
      this.#underway = 0;
      this.#events.lost(why);
      this.#dial();
    });
  }

  #disconnect(): void {
    this.#up?.cut();
    this.#down?.cut();
    this.#up = undefined;
    this.#down = undefined;
    this.#heardBy.clear();
    this.#engine.disconnected(this.edgeId);
  }

  #isTooSlow(): boolean {
    const { now } = this.#machine.clock;
    if (!this.#machine.isFrozen) this.#frozenSince = undefined;
    else this.#frozenSince ??= now;
    return this.#frozenSince !== undefined && now - this.#frozenSince > SLOW_MS;
  }

  #dial(): void {
    this.#machine.clock.in(this.#engine.dice.roll() * RETRY_MS, this.#machine, () => {
      if (this.#isClosed) return;
      if (this.isPartitioned || this.#engine.isDown) {
        this.#events.failed('no answer');
        return this.#dial();
      }
      this.#up = new Wire(this.#engine.machine, this.#engine.dice, MOST_MS);
      this.#down = new Wire(this.#machine, this.#engine.dice, MOST_MS);
      this.subscribe([...this.#wanted]);
      this.sync(() => this.#events.connected());
    });
  }
}
