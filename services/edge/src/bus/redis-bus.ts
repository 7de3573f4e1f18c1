import type { RedisAddress } from './bus-address.ts';
import { beforeClose, ignore } from './connections.ts';
import type { Engine, EngineEvents } from './engine.ts';
import { RedisLine } from './redis-line.ts';

/** Channels in one command. */
const CHANNELS_AT_ONCE = 1_000;

/**
 * Redis as the engine, and what speaks like it. A connection that subscribes can do nothing else in
 * older versions, so there are two; the edge is connected while both are.
 */
export class RedisEngine implements Engine {
  readonly #events: EngineEvents;
  readonly #publisher: RedisLine;
  readonly #subscriber: RedisLine;
  readonly #channels = new Set<string>();
  readonly #ready = new Set<RedisLine>();
  #underway = 0;
  /** Counts connections: what was written to one that is lost is not underway in the next. */
  #connection = 0;
  /** It is one server by itself, so that who does not listen there does not listen at all. */
  #isAlone = false;

  /** `edgeId`: what the server's list of clients calls the connections by. */
  constructor(address: RedisAddress, edgeId: string, events: EngineEvents) {
    this.#events = events;
    const lineOf = (isReady: () => void): RedisLine => {
      const line: RedisLine = new RedisLine(address, edgeId, {
        ready: () => {
          isReady();
          this.#ready.add(line);
          if (this.#isConnected) this.#events.connected();
        },
        lost: (why) => this.#lost(line, why),
        failed: (why) => this.#events.failed(why),
      });
      return line;
    };
    this.#publisher = lineOf(() => this.#askWhatItIs());
    this.#subscriber = lineOf(() => this.#subscribe([...this.#channels]));
    this.#subscriber.redis.on('messageBuffer', (channel: Buffer, batch: Buffer) =>
      this.#events.received(channel.toString('latin1'), batch),
    );
  }

  underway(): number {
    return this.#underway;
  }

  write(channel: string, batch: Buffer, to: string | undefined): void {
    // The end of the connection has come, and its news has not.
    if (!this.#publisher.isWritable) return;
    const connection = this.#connection;
    this.#underway += batch.length;
    this.#publisher.collect();
    this.#publisher.redis.publish(channel, batch).then(
      (listeners) => {
        if (connection !== this.#connection) return;
        this.#underway -= batch.length;
        if (to !== undefined && listeners === 0 && this.#isAlone) this.#events.unheard(to);
        this.#events.taken();
      },
      (error: Error) => this.#refused(this.#publisher, connection, error),
    );
  }

  subscribe(channels: readonly string[]): void {
    const added = channels.filter((channel) => !this.#channels.has(channel));
    for (const channel of added) this.#channels.add(channel);
    this.#subscribe(added);
  }

  unsubscribe(channels: readonly string[]): void {
    for (const channel of channels) this.#channels.delete(channel);
    if (!this.#subscriber.isWritable) return;
    for (const some of inCommands(channels)) {
      this.#subscriber.redis.unsubscribe(...some).catch(ignore);
    }
  }

  sync(then: () => void): void {
    const connection = this.#connection;
    this.#subscriber.redis.ping().then(() => {
      if (connection === this.#connection) then();
    }, ignore);
  }

  check(): void {
    this.#publisher.check();
    this.#subscriber.check();
  }

  async close(): Promise<void> {
    // Answered behind everything that was said.
    if (this.#isConnected) await beforeClose(this.#publisher.redis.ping());
    this.#ready.clear();
    await Promise.all([this.#publisher.close(), this.#subscriber.close()]);
  }

  get #isConnected(): boolean {
    return this.#ready.size === 2;
  }

  #lost(line: RedisLine, why: string): void {
    const wasConnected = this.#isConnected;
    this.#ready.delete(line);
    this.#connection++;
    this.#underway = 0;
    // The one that hears has heard others while the one that speaks was away, and misses them from now on.
    if (wasConnected || line === this.#subscriber) this.#events.lost(why);
  }

  #subscribe(channels: readonly string[]): void {
    if (!this.#subscriber.isWritable) return;
    const connection = this.#connection;
    for (const some of inCommands(channels)) {
      this.#subscriber.redis
        .subscribe(...some)
        .catch((error: Error) => this.#refused(this.#subscriber, connection, error));
    }
  }

  /** The server says no: nobody could hear this edge, or be heard. */
  #refused(line: RedisLine, connection: number, error: Error): void {
    if (connection !== this.#connection) return;
    this.#events.failed(error.message);
    line.cut(error.message);
  }

  /** In a cluster of servers each counts its own listeners only, and so does a replica. */
  #askWhatItIs(): void {
    this.#isAlone = false;
    this.#publisher.redis.call('HELLO').then((answer) => {
      const facts = answer as unknown[];
      const has = (key: string, value: string): boolean => facts[facts.indexOf(key) + 1] === value;
      this.#isAlone = has('mode', 'standalone') && has('role', 'master');
    }, ignore);
  }
}

/** The channels, as many at a time as one command may name. */
function inCommands(channels: readonly string[]): string[][] {
  const commands: string[][] = [];
  for (let at = 0; at < channels.length; at += CHANNELS_AT_ONCE) {
    commands.push(channels.slice(at, at + CHANNELS_AT_ONCE));
  }
  return commands;
}
