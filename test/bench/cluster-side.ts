import { LoadGenerator } from '@trunkline/testing';

import { type Engine, startCluster } from '../bus/engines.ts';
import type { Processes } from './cost.ts';
import { startPreparedApp } from './prepared-app.ts';
import { type Memberships, type Sending, startSendingApp } from './sending.ts';
import { startAll, type Stoppable } from './side.ts';
import { newUsers } from './tokens.ts';

/** `near` is the edge of the app server that sends, `far` are the others. */
export type ClusterRole = 'near' | 'far' | 'engine' | 'app' | 'load';

/** Servers that are one service, the load generators of their clients, and who sends to these. */
export interface SendingSide extends Stoppable {
  readonly processes: Processes<ClusterRole>;
  readonly crowds: readonly Crowd[];
  send(sending: Sending): Promise<void>;
}

/** The clients of one server. */
export interface Crowd {
  readonly load: LoadGenerator;
  readonly userIds: readonly string[];
}

/** Edges on an engine. */
export interface ClusterSide extends SendingSide {
  /** The connections of the clients, whatever their edge. */
  connections(): Promise<string[]>;
}

export interface ClusterPlan {
  readonly engine: Engine;
  /** Of each edge; the app server that sends is at the first. */
  readonly clients: readonly number[];
  readonly memberships?: Memberships;
  /** Sends, all of them to everybody, come from an app server beside it that costs next to nothing. */
  readonly isPrepared?: boolean;
}

const CONCURRENCY = 64;
const CONNECT_TIMEOUT_MS = 60_000;
const HEAR_TIMEOUT_MS = 30_000;

/** App servers are at the edges with clients and at the first; all clients are where they belong. */
export const startClusterSide = ({
  engine,
  clients,
  memberships,
  isPrepared = false,
}: ClusterPlan): Promise<ClusterSide> =>
  startAll(async (started) => {
    const cluster = await startCluster(engine, clients.length);
    started({ stop: async () => cluster[Symbol.asyncDispose]() });
    const start = async (url: string) => started(await startSendingApp(url, memberships));
    const [first, ...others] = cluster.edges;
    const sender = await start(first!.url);
    const apps = [sender];
    for (const [at, { url }] of others.entries()) {
      if (clients[at + 1]! > 0) apps.push(await start(url));
    }
    const crowds = await startCrowds(
      cluster.edges.map(({ url }) => url),
      clients,
      started,
    );
    const prepared = isPrepared ? started(await startPreparedApp(first!.url)) : undefined;
    return {
      crowds,
      processes: {
        near: [first!.pid],
        far: others.map(({ pid }) => pid),
        engine: [cluster.engine.pid],
        app: apps.map(({ pid }) => pid),
        load: crowds.map(({ load }) => load.pid),
      },
      send: async (sending) => (prepared ?? sender).send(sending),
      connections: async () => (await Promise.all(apps.map((app) => app.connections()))).flat(),
    };
  });

/** Connects so many clients to each of the servers; each hears of its hub when it is where it belongs. */
export async function startCrowds(
  urls: readonly string[],
  clients: readonly number[],
  started: <Part extends Stoppable>(part: Part) => Part,
): Promise<Crowd[]> {
  const crowds: Crowd[] = [];
  for (const [at, users] of deal(clients).entries()) {
    if (users.length === 0) continue;
    const load = started(await LoadGenerator.start(urls[at]!));
    const newcomers = { tokens: users.map(({ token }) => token), concurrency: CONCURRENCY };
    await load.do('connect', newcomers, CONNECT_TIMEOUT_MS);
    await load.do('hear', { messages: users.length }, CONNECT_TIMEOUT_MS);
    crowds.push({ load, userIds: users.map(({ userId }) => userId) });
  }
  return crowds;
}

/** New users, dealt out one by one until each has as many as it is to have. */
function deal(counts: readonly number[]): ReturnType<typeof newUsers>[] {
  const hands = counts.map((): ReturnType<typeof newUsers> => []);
  const users = newUsers(counts.reduce((sum, count) => sum + count));
  while (users.length > 0) {
    for (const [at, hand] of hands.entries()) {
      if (hand.length < counts[at]!) hand.push(users.shift()!);
    }
  }
  return hands;
}

/** Sends, and waits until each crowd has heard as many messages as it is to hear. */
export async function deliver(
  { crowds, send }: SendingSide,
  sending: Sending,
  heard: readonly number[],
): Promise<void> {
  const hearing = crowds.map(({ load }, at) =>
    load.do('hear', { messages: heard[at]! }, HEAR_TIMEOUT_MS),
  );
  await Promise.all([send(sending), ...hearing]);
}
