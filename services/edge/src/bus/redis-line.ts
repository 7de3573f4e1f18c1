import { Redis } from 'ioredis';
import type { RedisOptions } from 'ioredis';
import type { RedisAddress } from './bus-address.ts';
import { CONNECT_MS, ignore, retryDelay } from './connections.ts';

/** Checks that a connection may leave unanswered. */
const SILENT_CHECKS = 2;
/** Between the end of a connection and its reset, when the server does not end it. */
const RESET_MS = 50;

export interface LineEvents {
  ready(): void;
  /** It was ready. */
  lost(why: string): void;
  failed(why: string): void;
}

/**
 * One connection to Redis, made again for ever. It is pinged, because the client library does not
 * notice when a server freezes.
 */
export class RedisLine {
  readonly redis: Redis;
  readonly #events: LineEvents;
  #isReady = false;
  #isCollecting = false;
  #why = 'the connection to the server was lost';
  /** Checks since the latest sign of life. */
  #silent = 0;

  constructor(address: RedisAddress, edgeId: string, events: LineEvents) {
    this.#events = events;
    this.redis = new Redis(optionsOf(address, edgeId));
    this.redis.on('connect', () => {
      this.#silent = 0;
    });
    this.redis.on('ready', () => {
      this.#silent = 0;
      this.#isReady = true;
      events.ready();
    });
    this.redis.on('close', () => this.#end());
    this.redis.on('error', (error: Error) => {
      this.#bearErrors();
      if (this.#isReady) this.#why = reasonOf(error);
      else events.failed(reasonOf(error));
    });
  }

  /** Commands go out; the client library fails them where they cannot. */
  get isWritable(): boolean {
    return this.redis.status === 'ready' && this.redis.stream.writable;
  }

  /**
   * Has commands leave together when the code that runs has ended. The client library hands each to the
   * socket by itself: one call of the system for 64 of them rather than 64 halves what they cost.
   */
  collect(): void {
    if (this.#isCollecting) return;
    this.#isCollecting = true;
    const { stream } = this.redis;
    stream.cork();
    process.nextTick(() => {
      this.#isCollecting = false;
      stream.uncork();
    });
  }

  /** To be called about once a second. */
  check(): void {
    const { status } = this.redis;
    if (status !== 'ready' && status !== 'connect') return;
    if (this.#silent >= SILENT_CHECKS) return this.cut('the server does not answer');
    this.#silent++;
    if (this.isWritable) this.redis.ping().then(this.#heard, ignore);
  }

  /** Ends the connection, to make it again. */
  cut(why: string): void {
    this.#why = why;
    this.#bearErrors();
    this.redis.disconnect(true);
    this.#end();
  }

  /** Ends it for good. */
  async close(): Promise<void> {
    this.#bearErrors();
    this.redis.disconnect();
    const { stream } = this.redis;
    if (stream === undefined || stream.closed) return;
    await new Promise<void>((resolve) => void stream.once('close', resolve));
  }

  /**
   * The client library listens for one error of a connection, and a TLS handshake that fails may have
   * two: nobody would hear the second one, and the process would end by it.
   */
  #bearErrors(): void {
    this.redis.stream?.on('error', ignore);
  }

  readonly #heard = (): void => {
    this.#silent = 0;
  };

  #end(): void {
    if (!this.#isReady) return;
    this.#isReady = false;
    this.#events.lost(this.#why);
  }
}

function optionsOf(address: RedisAddress, edgeId: string): Omit<RedisOptions, 'replyMapping'> {
  const { host, port, user, password, tls, ca } = address;
  return {
    host,
    port,
    connectionName: `trunkline-edge-${edgeId.replaceAll(/[^\w-]/g, '_')}`,
    ...(user === undefined ? {} : { username: user }),
    ...(password === undefined ? {} : { password }),
    ...(tls ? { tls: ca === undefined ? {} : { ca } } : {}),
    retryStrategy: retryDelay,
    connectTimeout: CONNECT_MS,
    disconnectTimeout: RESET_MS,
    // What is said twice, or late, is worse than what is lost: the bus has a queue of its own.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    // Both ask for more than a user of the bus may be allowed.
    enableReadyCheck: false,
    disableClientInfo: true,
  };
}

/** An address with several addresses behind it fails with an error for each, and no text of its own. */
function reasonOf(error: Error): string {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : undefined;
  return first instanceof Error ? first.message : error.message;
}
