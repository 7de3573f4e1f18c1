import { fileURLToPath } from 'node:url';

import { type ProcessExit, startProcess, type StartedProcess } from '@trunkline/testing';
import { expect } from 'vitest';

const MAIN = fileURLToPath(new URL('./edge-process.ts', import.meta.url));

/** An edge on a bus in a process of its own; see `edge-process.ts`. */
export interface EdgeProcess extends StartedProcess<unknown> {
  /** Resolves when it has said the line. */
  says(line: string, timeout?: number): Promise<void>;
  /** Has it leave; resolves when it has ended, by itself. */
  leave(): Promise<ProcessExit>;
}

/** `isUp`: to wait until it is part of the bus. */
export async function startEdgeProcess(
  bus: string,
  subject: string,
  isUp = true,
): Promise<EdgeProcess> {
  const started = await startProcess(process.execPath, [MAIN, bus, 'child', subject], {
    name: 'edge on a bus',
    ipc: true,
    ready: (line) => line === (isUp ? 'up' : 'joining'),
  });
  return {
    ...started,
    says: (line, timeout = 5_000) =>
      expect.poll(() => started.output().split('\n'), { timeout }).toContain(line),
    leave: async () => {
      started.child.send('leave');
      return started.exited;
    },
  };
}
