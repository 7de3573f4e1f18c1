import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { EDGE_ENVIRONMENT } from '@trunkline/foundation';

import { startProcess, type StartedProcess } from './process.ts';

const MAIN = fileURLToPath(new URL('../../../../services/edge/dist/main.js', import.meta.url));

export interface EdgeOptions {
  /** Flags after `--dev --port 0 --admin-port 0 --drain-timeout 0`; a later flag wins. */
  args?: readonly string[];
  /** The `TRUNKLINE_*` variables of this process are not handed on; these are. */
  env?: NodeJS.ProcessEnv;
  /** Flags of Node itself, such as `--expose-gc`. */
  nodeArgs?: readonly string[];
  /** The program; the one that is built here when not given. */
  main?: string;
  /** Files and sockets it may have open; as many as this process when not given. */
  openFiles?: number;
}

/** An edge in a process of its own, listening. URLs end in the port, without a slash. */
export interface StartedEdge extends StartedProcess<{ url: string; adminUrl: string }> {
  readonly url: string;
  readonly adminUrl: string;
}

/**
 * Starts the built edge with its development key on free ports of 127.0.0.1; it ends at once when it is
 * told to, unless flags give it time. Rejects as
 * `startProcess` does, and when the edge has not been built.
 */
export async function startEdge(options: EdgeOptions = {}): Promise<StartedEdge> {
  const { main = MAIN } = options;
  if (!existsSync(main)) throw new Error(`${main} is missing: run npm run build there first`);
  const flags = ['--dev', '--port', '0', '--admin-port', '0'];
  // Releases before this one do not know it, and are compared with.
  if (main === MAIN) flags.push('--drain-timeout', '0');
  flags.push(...(options.args ?? []));
  const node = [process.execPath, ...(options.nodeArgs ?? []), main, ...flags];
  const [command, ...args] =
    options.openFiles === undefined ? node : limited(node, options.openFiles);
  const edge = await startProcess(command!, args, {
    name: 'edge',
    env: { ...withoutSettings(), ...EDGE_ENVIRONMENT, ...options.env },
    ready: listening,
  });
  return { ...edge, ...edge.ready };
}

/** The command, run by a shell that first lowers the limit: Node raises a soft one to the hard one. */
function limited(command: readonly string[], openFiles: number): string[] {
  return ['sh', '-c', `ulimit -n ${openFiles} && exec "$0" "$@"`, ...command];
}

/** Settings of the surrounding shell would make a test's edge another edge than the test means. */
function withoutSettings(): NodeJS.ProcessEnv {
  const names = Object.keys(process.env).filter((name) => name.startsWith('TRUNKLINE_'));
  return Object.fromEntries(names.map((name) => [name, undefined]));
}

/** Reads the log line that says where the edge listens. */
function listening(line: string): { url: string; adminUrl: string } | undefined {
  if (!line.includes('"edge listening"')) return undefined;
  const { url, admin } = JSON.parse(line) as { url: string; admin: string };
  return { url, adminUrl: admin };
}
