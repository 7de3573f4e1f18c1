import { readFileSync } from 'node:fs';

import { type BusEngine, type BusEngineOptions, startBusEngine } from './bus-engine.ts';
import { findProgram } from '@trunkline/foundation';

const SHIPPED = new URL('../../../../deploy/nats.conf', import.meta.url);
const LISTEN = 'listen: "0.0.0.0:4222"';

/** The machine's NATS server, if it has one; suites that need it are skipped where it has not. */
export const NATS = findProgram('nats-server');

/**
 * Starts a NATS server on 127.0.0.1 with the configuration that we ship, and lines of `config` behind
 * it. Rejects as `startProcess` does, and where there is no NATS server.
 */
export function startNats(options: BusEngineOptions = {}): Promise<BusEngine> {
  return startBusEngine(PROGRAM, options);
}

const PROGRAM = {
  name: 'nats-server',
  path: NATS,
  configOf: (port: number): string => {
    const text = readFileSync(SHIPPED, 'utf8');
    if (!text.includes(LISTEN)) throw new Error(`deploy/nats.conf does not have ${LISTEN}`);
    return text.replace(LISTEN, `listen: "127.0.0.1:${port}"`);
  },
  args: (file: string) => ['-c', file],
  isReady: (line: string) => line.includes('Server is ready'),
  isTaken: (output: string) => output.includes('address already in use'),
};
