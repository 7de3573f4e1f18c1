import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { deadline, startProcess, type StartedProcess } from '@trunkline/testing';
import { DEVELOPMENT_ACCESS_KEY, formatConnectionString } from '@trunkline/tokens';

/** For all that it is told to send. */
const ANSWER_MS = 30_000;
const MAIN = fileURLToPath(new URL('./sending-app.ts', import.meta.url));

/** What an app server is told to send: a message to each of the names, all that so many times. */
export interface Sending {
  readonly to: 'all' | 'group' | 'user' | 'connection';
  /** A single one, whichever, where it is to all. */
  readonly names: readonly string[];
  readonly times: number;
}

/** Groups of a hub in whose members clients take turns: each is in several. */
export interface Memberships {
  readonly groups: number;
  readonly members: number;
  readonly clients: number;
}

/** What an app server is told over IPC. Its answer to `connections` are the ids of its clients. */
export type Request = Sending | 'connections';

/** An app server of hub `bench` in a process of its own, which sends what it is told to. */
export interface SendingApp extends StartedProcess<true> {
  /** All at once; resolves when all of it has been handed to the edge. */
  send(sending: Sending): Promise<void>;
  connections(): Promise<string[]>;
}

/** Every client is told when it has been put into its groups, if there are any. */
export async function startSendingApp(
  edgeUrl: string,
  memberships: Memberships = { groups: 0, members: 0, clients: 1 },
): Promise<SendingApp> {
  const app = await startProcess(process.execPath, [MAIN, JSON.stringify(memberships)], {
    name: 'app server',
    ipc: true,
    env: { TRUNKLINE_CONNECTION_STRING: formatConnectionString(edgeUrl, DEVELOPMENT_ACCESS_KEY) },
    ready: (line) => line === 'app server ready' || undefined,
  });
  const ask = async (request: Request): Promise<unknown> => {
    const answered = once(app.child, 'message') as Promise<unknown[]>;
    app.child.send(request);
    return (await deadline(answered, ANSWER_MS, 'the app server has not sent it all'))[0];
  };
  return {
    ...app,
    send: async (sending) => void (await ask(sending)),
    connections: async () => (await ask('connections')) as string[],
  };
}

/** The groups of the client with this number, which counts on from any number. */
export function groupsOf(
  client: number,
  { groups, members, clients }: Memberships,
): readonly string[] {
  const names: string[] = [];
  for (let place = client % clients; place < groups * members; place += clients) {
    names.push(groupName(Math.floor(place / members)));
  }
  return names;
}

export function groupName(group: number): string {
  return `group-${group}`;
}

/** The number of a user that `newUsers` has made. */
export function numberOf(userId: string): number {
  return Number(userId.slice(userId.indexOf('-') + 1));
}
