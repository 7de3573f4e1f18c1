import type { StartedEdge } from '@trunkline/testing';
import { DEVELOPMENT_ACCESS_KEY, formatConnectionString } from '@trunkline/tokens';
import { vi } from 'vitest';

import { HUB_NAMES } from '../../conformance/contract.ts';
import { type AppServer, controlAt } from '../../conformance/start-app-server.ts';
import type { World } from '../../conformance/world.ts';
import type { RestoredPart } from './part.ts';

/** Enough for an app's server connections on a busy machine. */
const CONNECTED_MS = 20_000;

export interface HubAppOptions {
  /** Where its clients go; they stay with it when not given. */
  readonly edge?: StartedEdge | undefined;
  /** In front of every hub key; it ends in `_`. */
  readonly prefix?: string;
}

/** The settings of an app with `Microsoft.Azure.SignalR`, as it has them from the environment. */
export function azureSettings(edgeUrl: string, clientUrl = edgeUrl): NodeJS.ProcessEnv {
  const endpoint = formatConnectionString(edgeUrl, DEVELOPMENT_ACCESS_KEY);
  return { Azure__SignalR__ConnectionString: `${endpoint}ClientEndpoint=${clientUrl};` };
}

/** Starts the app, and waits until clients can come. */
export async function startHubApp(
  part: RestoredPart,
  { edge, prefix = '' }: HubAppOptions,
): Promise<AppServer> {
  const env = edge && {
    ...azureSettings(edge.url),
    // The SDK puts the underscore behind it.
    ...(prefix && { Azure__SignalR__ApplicationName: prefix.slice(0, -1) }),
  };
  const server = await part.start(env ?? {});
  const { url } = server;
  await Promise.all(HUB_NAMES.map((hub) => negotiates(`${url}/${hub}`)));
  const clientUrl = edge?.url ?? url;
  return { ...server, clientUrl, prefix, direct: edge === undefined, control: controlAt(url) };
}

/** The SDK answers with 500 until it is connected. */
export async function negotiates(hubUrl: string): Promise<void> {
  const negotiate = async (): Promise<void> => {
    const answer = await fetch(`${hubUrl}/negotiate?negotiateVersion=1`, { method: 'POST' });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${hubUrl} does not negotiate: ${answer.status} ${text}`);
  };
  await vi.waitFor(negotiate, { timeout: CONNECTED_MS, interval: 50 });
}

/** What the scenarios of the conformance tests share, with this app in the place of theirs. */
export function hubAppWorld(
  part: RestoredPart,
  app: AppServer,
  edge: StartedEdge | undefined,
): World {
  return {
    ...(edge && { edge }),
    apps: new Map([['straight', app]]),
    // Some arguments of their hub methods are JSON.
    protocols: ['json'],
    startApp: ({ prefix = '' } = {}) => startHubApp(part, { edge, prefix }),
    ended: () => (app.child.exitCode === null ? [] : [app.child.spawnargs.join(' ')]),
    [Symbol.asyncDispose]: () => app[Symbol.asyncDispose](),
  };
}
