import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { DEVELOPMENT_ACCESS_KEY, formatConnectionString } from '@trunkline/tokens';

import type { StickyMode } from '../dotnet/negotiate.ts';
import type { ProfileName } from '../dotnet/profiles.ts';
import type { ShutdownMode } from '../dotnet/shutdown.ts';
import { startProcess, type StartedProcess } from './process.ts';

/** The built program, whether this file is source or built. */
const MAIN = fileURLToPath(new URL('../../dist/dotnet-stand-in.js', import.meta.url));

export interface DotnetStandInOptions {
  readonly edgeUrl: string;
  /** The development key when not given. */
  readonly key?: string;
  /** Where negotiate sends clients; the edge itself when not given. */
  readonly clientUrl?: string;
  /** `1.34.0` when not given. */
  readonly profile?: ProfileName;
  /** `Off` when not given. */
  readonly shutdown?: ShutdownMode;
  /** Milliseconds that a graceful shutdown may take; 30,000 when not given. */
  readonly shutdownTimeout?: number;
  /** In front of every hub key, for app servers that should have their clients for themselves. */
  readonly prefix?: string;
  /** Server connections of each hub; 5 when not given. */
  readonly connections?: number;
  /** Calls of one client that run at a time; 1 when not given. */
  readonly parallel?: number;
  /** `Disabled` when not given. */
  readonly sticky?: StickyMode;
  /** Its hubs allow stateful reconnects; they do not when not given. */
  readonly stateful?: boolean;
  /** Ready when it is connected to the edge, unless only `listening` for negotiate is asked. */
  readonly ready?: 'connected' | 'listening';
}

/** A stand-in .NET app server in a process of its own. */
export interface DotnetStandIn extends StartedProcess<string> {
  /** Of negotiate, without a slash at its end. */
  readonly url: string;
  /** Where its clients connect to. */
  readonly clientUrl: string;
  readonly prefix: string;
  /** Has it send, change a group or open a gate, from outside a hub. Rejects with its error. */
  control(control: object): Promise<void>;
  /** The same with what comes of it: has it refresh a sign-in, or ask for its claims. */
  ask(control: object): Promise<unknown>;
  /** SIGKILL; resolves when it has ended. */
  kill(): Promise<void>;
}

/**
 * Starts the stand-in with the hubs of the conformance tests. Rejects as `startProcess` does, and
 * when it has not been built.
 */
export async function startDotnetStandIn(options: DotnetStandInOptions): Promise<DotnetStandIn> {
  if (!existsSync(MAIN)) throw new Error('packages/testing/dist is missing: run npm run build');
  const { edgeUrl, clientUrl = edgeUrl, prefix = '', ready = 'connected' } = options;
  const { profile = '1.34.0', key = DEVELOPMENT_ACCESS_KEY } = options;
  const endpoint = `${formatConnectionString(edgeUrl, key)}ClientEndpoint=${clientUrl};`;
  const flags = {
    '--connection-string': endpoint,
    '--profile': profile,
    '--shutdown': options.shutdown ?? 'Off',
    '--shutdown-timeout': `${options.shutdownTimeout ?? 30_000}`,
    '--prefix': prefix,
    '--connections': `${options.connections ?? 5}`,
    '--parallel': `${options.parallel ?? 1}`,
    '--sticky': options.sticky ?? 'Disabled',
  };
  const args = [
    ...Object.entries(flags).flat(),
    ...(options.stateful === true ? ['--stateful'] : []),
  ];
  const server = await startProcess(process.execPath, [MAIN, ...args], {
    name: `.NET stand-in ${profile}`,
    ready: (line) => line.startsWith(`${ready} `) && line.slice(ready.length + 1),
  });
  const url = server.ready;
  const ask = async (control: object): Promise<unknown> => {
    const answer = await fetch(`${url}/control`, { method: 'POST', body: JSON.stringify(control) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(text);
    return text === '' ? undefined : (JSON.parse(text) as unknown);
  };
  return {
    ...server,
    url,
    clientUrl,
    prefix,
    control: async (body) => void (await ask(body)),
    ask,
    kill: async () => {
      server.child.kill('SIGKILL');
      await server.exited;
    },
  };
}
