/**
 * The app server of the chaos tests: a hub, and a line of output for whatever happens to a client.
 * At SIGTERM, or told `stop` over IPC, it stops as apps are meant to; only SIGTERM ends the process.
 */
import { setTimeout as pass } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { createServer, Hub, HubError, type Migration } from '@trunkline/sdk';

const {
  name = '',
  hub = '',
  timeout,
  migration,
} = parseArgs({
  options: {
    name: { type: 'string' },
    hub: { type: 'string' },
    /** Of silent clients, in milliseconds. */
    timeout: { type: 'string' },
    migration: { type: 'string' },
  },
}).values;

/** What calls are given when it stops. */
const STOP_MS = 2_000;

interface ChaosClient {
  message(number: number, text: string): void;
}

/** By connection id, as apps keep their groups that know of one process only. */
const rooms = new Map<string, string>();

class Chaos extends Hub<ChaosClient> {
  override onConnected(): void {
    console.log(`connected ${this.context.connectionId}`);
  }

  override onDisconnected(error?: Error): void {
    console.log(`disconnected ${this.context.connectionId} ${error?.message ?? ''}`);
  }

  echo(value: unknown): unknown {
    return value;
  }

  async echoLater(value: unknown, milliseconds: number): Promise<unknown> {
    console.log(`called ${this.context.connectionId}`);
    await pass(milliseconds);
    return value;
  }

  /** The numbers below `end`, one every 50 ms. */
  async *count(end: number): AsyncGenerator<number> {
    for (let number = 0; number < end; number++) {
      yield number;
      await pass(50);
    }
  }

  connectionId(): string {
    return this.context.connectionId;
  }

  enter(room: string): void {
    rooms.set(this.context.connectionId, room);
  }

  room(): string {
    const room = rooms.get(this.context.connectionId);
    if (room === undefined) throw new HubError('You are in no room.');
    return room;
  }

  /** Which app server this is. */
  server(): string {
    return name;
  }

  async broadcast(number: number, text: string): Promise<void> {
    await this.clients.all.message(number, text);
  }
}

const server = createServer();
server.hub('/chaos', Chaos, {
  hub,
  migration: migration as Migration,
  ...(timeout === undefined ? {} : { clientTimeoutInterval: Number(timeout) }),
});

const stop = (): Promise<void> => server.stop({ timeout: STOP_MS });
process.once('SIGTERM', () => void stop().then(() => process.exit()));
process.once('message', () => void stop().then(() => console.log('stopped')));
await server.start();
console.log('serving');
