import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { freePort } from './free-port.ts';
import { type ProcessExit, startProcess, type StartedProcess } from './process.ts';

/** Between finding a port free and binding it, somebody else may have taken it. */
const PORTS_TRIED = 3;

export interface BusEngineOptions {
  /** Of 127.0.0.1; a free one when not given. */
  readonly port?: number;
  /** Lines of configuration behind those that we ship. */
  readonly config?: string;
}

/** NATS or Redis in a process of its own. */
export interface BusEngine extends StartedProcess<true> {
  readonly port: number;
  /** `127.0.0.1:<port>`. */
  readonly host: string;
  /** SIGKILL; resolves when it has ended. */
  kill(): Promise<ProcessExit>;
}

/** How to start a program that is a bus engine. */
export interface EngineProgram {
  readonly name: string;
  /** Its path; undefined where this machine has none. */
  readonly path: string | undefined;
  /** The whole configuration for a port and a folder of its own. */
  configOf(port: number, folder: string): string;
  args(configFile: string): readonly string[];
  /** Tells that it listens by a line of its output. */
  isReady(line: string): boolean;
  /** Tells that its port was taken by its output. */
  isTaken(output: string): boolean;
}

/** Rejects as `startProcess` does, and where there is no such program. */
export async function startBusEngine(
  program: EngineProgram,
  { port, config = '' }: BusEngineOptions,
  tries = PORTS_TRIED,
): Promise<BusEngine> {
  const { name, path } = program;
  if (path === undefined) throw new Error(`there is no ${name} on the PATH or in /usr/sbin`);
  const folder = mkdtempSync(join(tmpdir(), `trunkline-${name}-`));
  const file = join(folder, 'engine.conf');
  const place = port ?? (await freePort());
  writeFileSync(file, `${program.configOf(place, folder)}\n${config}\n`);
  try {
    const started = await startProcess<true>(path, program.args(file), {
      name,
      ready: (line) => program.isReady(line) || undefined,
    });
    return engineOf(started, place, () => rmSync(folder, { recursive: true }));
  } catch (error) {
    rmSync(folder, { recursive: true });
    const isTaken = program.isTaken((error as Error).message);
    if (port !== undefined || !isTaken || tries === 1) throw error;
    return startBusEngine(program, { config }, tries - 1);
  }
}

function engineOf(started: StartedProcess<true>, port: number, clear: () => void): BusEngine {
  const exited = started.exited.then((exit) => {
    clear();
    return exit;
  });
  const stop = async (): Promise<ProcessExit> => {
    await started.stop();
    return exited;
  };
  return {
    ...started,
    port,
    host: `127.0.0.1:${port}`,
    exited,
    stop,
    kill: async () => {
      started.child.kill('SIGKILL');
      return exited;
    },
    [Symbol.asyncDispose]: async () => void (await stop()),
  };
}
