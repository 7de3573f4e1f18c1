import { readFileSync } from 'node:fs';

import { type BusEngine, type BusEngineOptions, startBusEngine } from './bus-engine.ts';
import { findProgram } from '@trunkline/foundation';

const SHIPPED = new URL('../../../../deploy/redis.conf', import.meta.url);
const LISTEN = 'port 6379\n';

/** The machine's Redis or Valkey server, if it has one; suites that need it are skipped where it has not. */
export const REDIS = findProgram('redis-server', 'valkey-server');

/**
 * Starts a Redis server on 127.0.0.1 with the configuration that we ship, and lines of `config` behind
 * it. Rejects as `startProcess` does, and where there is no Redis server.
 */
export function startRedis(options: BusEngineOptions = {}): Promise<BusEngine> {
  return startBusEngine(PROGRAM, options);
}

const PROGRAM = {
  name: 'redis-server',
  path: REDIS,
  configOf: (port: number, folder: string): string => {
    const text = readFileSync(SHIPPED, 'utf8');
    if (!text.includes(LISTEN)) throw new Error(`deploy/redis.conf does not have ${LISTEN}`);
    return text.replace(LISTEN, `port ${port}\nbind 127.0.0.1\ndir "${folder}"\n`);
  },
  args: (file: string) => [file],
  isReady: (line: string) => line.includes('Ready to accept connections'),
  isTaken: (output: string) => output.includes('Address already in use'),
};
