import { fileURLToPath } from 'node:url';

import { startProcess, type StartedProcess } from '@trunkline/testing';
import { DEVELOPMENT_ACCESS_KEY, formatConnectionString } from '@trunkline/tokens';

import type { Control } from './contract.ts';

const MAIN = fileURLToPath(new URL('./app-server.ts', import.meta.url));

export interface AppServerOptions {
  readonly edgeUrl: string;
  /** Where negotiate sends clients; the edge itself when not given. */
  readonly clientUrl?: string;
  /** In front of every hub key, for app servers that should have their clients for themselves. */
  readonly prefix?: string;
  /** Of what it shares with others, for tests that use journals or gates. */
  readonly notesUrl?: string;
  /** Ready when it is connected to the edge, unless only `listening` for negotiate is asked. */
  readonly ready?: 'connected' | 'listening';
}

/** An app server in a process of its own. */
export interface AppServer extends StartedProcess<string> {
  /** Of negotiate, without a slash at its end. */
  readonly url: string;
  /** Of the edge that it serves; it keeps its clients if there is none. */
  readonly edgeUrl: string | undefined;
  /** Where its clients connect to. */
  readonly clientUrl: string;
  readonly prefix: string;
  /** Resolves when the app server has done it; rejects with its error. */
  control(control: Control): Promise<void>;
}

/** Rejects as `startProcess` does. */
export async function startAppServer(options: AppServerOptions): Promise<AppServer> {
  const { edgeUrl, clientUrl = edgeUrl, prefix = '', notesUrl, ready = 'connected' } = options;
  const endpoint = formatConnectionString(edgeUrl, DEVELOPMENT_ACCESS_KEY);
  const server = await startProcess(process.execPath, [MAIN, '--prefix', prefix], {
    name: 'app server',
    env: {
      TRUNKLINE_CONNECTION_STRING: `${endpoint}ClientEndpoint=${clientUrl};`,
      NOTES_URL: notesUrl,
    },
    ready: (line) => line.startsWith(`${ready} `) && line.slice(ready.length + 1),
  });
  const url = server.ready;
  return { ...server, url, edgeUrl, clientUrl, prefix, control: controlAt(url) };
}

/** The `control` of an app server at this URL. */
export function controlAt(url: string): AppServer['control'] {
  return async (body) => {
    const headers = { 'content-type': 'application/json' };
    const request = { method: 'POST', headers, body: JSON.stringify(body) };
    const answer = await fetch(`${url}/control`, request);
    if (!answer.ok) throw new Error(await answer.text());
  };
}
