import { DEVELOPMENT_ACCESS_KEY, formatConnectionString } from '@trunkline/tokens';
import { vi } from 'vitest';

import type { Cluster } from '../../bus/engines.ts';
import { HUB_NAMES } from '../../conformance/contract.ts';
import {
  type AppServer,
  type AppServerOptions,
  controlAt,
} from '../../conformance/start-app-server.ts';
import { type Arrangement, startWorld, type World } from '../../conformance/world.ts';
import type { RestoredPart } from './part.ts';

/** Enough for an app's server connections on a busy machine. */
const CONNECTED_MS = 20_000;

/** The settings of an app with `Microsoft.Azure.SignalR`, as it has them from the environment. */
export function azureSettings(edgeUrl: string, clientUrl = edgeUrl): NodeJS.ProcessEnv {
  const endpoint = formatConnectionString(edgeUrl, DEVELOPMENT_ACCESS_KEY);
  return { Azure__SignalR__ConnectionString: `${endpoint}ClientEndpoint=${clientUrl};` };
}

/** Starts the app, and waits until clients can come; without an edge they stay with it. */
export async function startHubApp(
  part: RestoredPart,
  { edgeUrl, clientUrl = edgeUrl, prefix = '', notesUrl }: Partial<AppServerOptions>,
): Promise<AppServer> {
  const server = await part.start({
    NOTES_URL: notesUrl,
    ...(edgeUrl !== undefined && azureSettings(edgeUrl, clientUrl)),
    // The SDK puts the underscore behind it.
    ...(prefix !== '' && { Azure__SignalR__ApplicationName: prefix.slice(0, -1) }),
  });
  const { url } = server;
  await Promise.all(HUB_NAMES.map((hub) => negotiates(`${url}/${hub}`)));
  return { ...server, edgeUrl, clientUrl: clientUrl ?? url, prefix, control: controlAt(url) };
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
export function startHubAppWorld(
  part: RestoredPart,
  cluster?: () => Promise<Cluster>,
  arrangement?: Arrangement,
): Promise<World> {
  return startWorld({
    fronts: ['straight'],
    start: (options) => startHubApp(part, options),
    // Some arguments of its hub methods are JSON.
    protocols: ['json'],
    cluster,
    ...(arrangement && { arrangement }),
  });
}
