import { randomBytes } from 'node:crypto';
import { LogDigest, createLogger } from '@trunkline/telemetry';
import type { Bus, BusListener } from '../ports/bus.ts';
import { SYSTEM_TIME } from '../system-time.ts';
import { BusMember } from './bus-member.test-support.ts';
import { BusStats } from './bus-stats.ts';
import { EngineBus } from './engine-bus.ts';
import type { Engine, EngineEvents } from './engine.ts';

/** An engine within the process, whose connections tests cut. */
export class Loopback {
  readonly lines = new Set<LoopbackLine>();
  isDown = false;
  /** Looks at each batch on its way; false loses it. */
  passes: (name: string, batch: Buffer) => boolean = () => true;

  connect(events: EngineEvents): LoopbackLine {
    const line = new LoopbackLine(this, events);
    this.lines.add(line);
    setImmediate(() => line.join());
    return line;
  }

  /** Ends, and takes all connections with it. */
  stop(): void {
    this.isDown = true;
    for (const line of this.lines) line.cut();
  }

  start(): void {
    this.isDown = false;
    for (const line of this.lines) line.join();
  }
}

export class LoopbackLine implements Engine {
  readonly #engine: Loopback;
  readonly #events: EngineEvents;
  readonly names = new Set<string>();
  readonly written: string[] = [];
  isConnected = false;
  /** What it says that the engine has not taken. */
  waiting = 0;
  #session = 0;

  constructor(engine: Loopback, events: EngineEvents) {
    this.#engine = engine;
    this.#events = events;
  }

  join(): void {
    if (this.#engine.isDown) return this.#events.failed('it is down');
    this.isConnected = true;
    this.#events.connected();
  }

  cut(): void {
    if (!this.isConnected) return;
    this.isConnected = false;
    this.#session++;
    this.#events.lost('it was cut');
  }

  /** It can say nothing any more, and hears others all the same. */
  cutOut(): void {
    this.#session++;
    this.#events.lost('it was cut');
  }

  underway(): number {
    return this.waiting;
  }

  write(name: string, batch: Buffer, to: string | undefined): void {
    this.written.push(name);
    if (!this.#engine.passes(name, batch)) return;
    const listeners = [...this.#engine.lines].filter((one) => one !== this && one.hears(name));
    for (const line of listeners) line.deliver(name, batch);
    if (to !== undefined && listeners.length === 0) setImmediate(() => this.#events.unheard(to));
  }

  hears(name: string): boolean {
    return this.isConnected && this.names.has(name);
  }

  deliver(name: string, batch: Buffer): void {
    const lent = Buffer.from(batch);
    const session = this.#session;
    setImmediate(() => {
      if (session !== this.#session || !this.isConnected) return;
      this.#events.received(name, lent);
      lent.fill(0xee);
    });
  }

  taken(): void {
    this.waiting = 0;
    this.#events.taken();
  }

  subscribe(names: readonly string[]): void {
    for (const name of names) this.names.add(name);
  }

  unsubscribe(names: readonly string[]): void {
    for (const name of names) this.names.delete(name);
  }

  sync(then: () => void): void {
    const session = this.#session;
    setImmediate(() => {
      if (session === this.#session && this.isConnected) then();
    });
  }

  check(): void {}

  async close(): Promise<void> {
    this.isConnected = false;
    this.#engine.lines.delete(this);
  }
}

/** An edge on a loopback, with what it has logged and counted. */
export class LoopbackMember extends BusMember {
  readonly stats: BusStats;
  readonly lines: Record<string, unknown>[];
  readonly line: LoopbackLine;

  constructor(engine: Loopback, edgeId: string, cluster = 'test') {
    const stats = new BusStats();
    const lines: Record<string, unknown>[] = [];
    const before = new Set(engine.lines);
    super(edgeId, (listener) => joinLoopback(engine, edgeId, listener, { cluster, stats, lines }));
    this.stats = stats;
    this.lines = lines;
    this.line = [...engine.lines].find((line) => !before.has(line))!;
  }
}

export function joinLoopback(
  engine: Loopback,
  edgeId: string,
  listener: BusListener,
  {
    cluster = 'test',
    stats = new BusStats(),
    lines = [] as Record<string, unknown>[],
  }: { cluster?: string; stats?: BusStats; lines?: Record<string, unknown>[] } = {},
): Bus {
  const write = (line: string): void =>
    void lines.push(JSON.parse(line) as Record<string, unknown>);
  const digest = new LogDigest(createLogger({ name: 'edge', level: 'info' }, { write }));
  const membership = { edgeId, cluster, stats, digest, time: SYSTEM_TIME, random: randomBytes };
  return new EngineBus(membership, 'loopback', listener, (_names, events) =>
    engine.connect(events),
  );
}
