import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { deadline, startProcess } from '@trunkline/testing';

import type { Attack, Target } from './attack.ts';

const MAIN = fileURLToPath(new URL('./attacker.ts', import.meta.url));
/** For preparations: the longest is two thousand clients. */
const READY_MS = 60_000;
const END_MS = 30_000;

/** What an attack took: sockets opened, and bytes written to them. */
export interface Cost {
  readonly sockets: number;
  readonly bytes: number;
}

/** An attacker in a process of its own, prepared. */
export interface Attacker extends AsyncDisposable {
  strike(): void;
  /** Ends the attack, and with it every connection of it. Rejects when it ended by itself. */
  end(): Promise<Cost>;
}

/** Rejects as `startProcess` does. `nice`: its priority once it is prepared. */
export async function startAttacker(
  { name }: Attack,
  { url, hub }: Target,
  nice: number,
): Promise<Attacker> {
  const process_ = await startProcess(process.execPath, [MAIN, name, url, hub, `${nice}`], {
    name: `attacker ${name}`,
    ipc: true,
    readyTimeout: READY_MS,
    ready: (line) => line === 'prepared',
  });
  const { child, exited, output } = process_;
  return {
    strike: () => void child.send('strike'),
    async end() {
      if (child.exitCode !== null) throw new Error(`the attacker has ended:\n${output()}`);
      const answered = once(child, 'message') as Promise<[Cost]>;
      child.send('end');
      const [cost] = await deadline(answered, END_MS, 'the attacker did not end');
      await exited;
      return cost;
    },
    [Symbol.asyncDispose]: () => process_[Symbol.asyncDispose](),
  };
}
