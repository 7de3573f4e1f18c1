import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { deadline, startProcess, type StartedProcess } from '@trunkline/testing';

import type { Sending } from './sending.ts';

/** For all that it is told to do. */
const ANSWER_MS = 60_000;
const MAIN = fileURLToPath(new URL('./rest-calls.ts', import.meta.url));

/** A group whose members are asked for page after page, and again from the first: for so long, once at least. */
export interface Listing {
  readonly group: string;
  readonly pageSize: number;
  readonly seconds: number;
}

/** What came of it. */
export interface Listed {
  readonly pages: number;
  readonly p50Milliseconds: number;
}

/** What the caller is told over IPC. */
export type RestOrder = Sending | Listing;

/** A caller of the REST API, of hub `bench`, in a process of its own. */
export interface RestCaller extends StartedProcess<true> {
  /** Resolves when every call has been answered. */
  send(sending: Sending): Promise<void>;
  /** One call at a time. */
  list(listing: Listing): Promise<Listed>;
}

export async function startRestCaller(edgeUrl: string): Promise<RestCaller> {
  const caller = await startProcess(process.execPath, [MAIN, edgeUrl], {
    name: 'REST caller',
    ipc: true,
    ready: (line) => line === 'REST caller ready' || undefined,
  });
  const ask = async (order: RestOrder): Promise<unknown> => {
    const answered = once(caller.child, 'message') as Promise<unknown[]>;
    caller.child.send(order);
    return (await deadline(answered, ANSWER_MS, 'the REST caller has not done it all'))[0];
  };
  return {
    ...caller,
    send: async (sending) => void (await ask(sending)),
    list: async (listing) => (await ask(listing)) as Listed,
  };
}
