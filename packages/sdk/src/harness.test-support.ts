import { afterEach } from 'vitest';

import { systemClock } from './clock.ts';
import type { Clock } from './clock.ts';
import type { FakeServerConnection } from './fake-service.test-support.ts';
import { FakeService, until } from './fake-service.test-support.ts';
import { ManualClock } from './manual-clock.test-support.ts';
import type { HubClass } from './hubs/hub.ts';
import type { Logger, ServerOptions } from './options.ts';
import type { MapOptions } from './hubs/hub-route.ts';
import type { HubHandle } from './server.ts';
import { Server } from './server.ts';

/** A logger that keeps what it is told. */
export class Log implements Logger {
  readonly lines: string[] = [];
  readonly info = (message: string): void => void this.lines.push(message);
  readonly warn = this.info;
  readonly error = this.info;
}

export interface Harness<Client> {
  readonly service: FakeService;
  readonly server: Server;
  readonly hub: HubHandle<Client>;
  readonly log: Log;
  /** The first of the server connections. */
  readonly trunk: FakeServerConnection;
}

const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

export function atEnd(cleanup: () => Promise<unknown>): void {
  cleanups.push(cleanup);
}

export async function fakeService(): Promise<FakeService> {
  const service = await FakeService.start();
  atEnd(() => service.stop());
  return service;
}

export interface ServeOptions extends MapOptions {
  readonly server?: ServerOptions;
  readonly clock?: Clock;
}

/** A started server with one hub on `/chat`, one server connection unless said, and its service. */
export async function serve<Client>(
  hubClass: HubClass<Client>,
  { server: serverOptions = {}, clock = systemClock, ...options }: ServeOptions = {},
): Promise<Harness<Client>> {
  const service = await fakeService();
  const log = new Log();
  const { connectionString } = service;
  const given = { connectionString, connectionCount: 1, logger: log, ...serverOptions };
  const server = new Server(given, clock);
  atEnd(() => passing(clock, server.stop({ timeout: 0 })));
  const hub = server.hub('/chat', hubClass, options);
  await server.start();
  const trunk = await until(() => service.live[0], 'a server connection');
  return { service, server, hub, log, trunk };
}

/** Awaits `work`, and lets time pass meanwhile where it does not by itself. */
export async function passing<T>(clock: Clock, work: Promise<T>): Promise<T> {
  const progress = { done: false };
  const settle = () => void (progress.done = true);
  work.then(settle, settle);
  if (clock instanceof ManualClock) {
    while (!progress.done) {
      clock.advance(100);
      await new Promise(setImmediate);
    }
  }
  return work;
}
