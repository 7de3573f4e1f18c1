import {
  type HubConnection,
  HubConnectionBuilder,
  type IHttpConnectionOptions,
  LogLevel,
} from '@microsoft/signalr';
import { createServer, Hub, type HubHandle } from '@trunkline/sdk';
import { startEdge, type StartedEdge } from '@trunkline/testing';
import { DEVELOPMENT_ACCESS_KEY, formatConnectionString } from '@trunkline/tokens';

import { openSite, type Site } from '../sdk/site.ts';

/** What its clients offer. */
export interface DeskClient {
  told(text: string): void;
  add(a: number, b: number): number;
}

class Desk extends Hub<DeskClient> {
  id(): string {
    return this.context.connectionId;
  }
}

/** An edge with an app server of its own, and clients that negotiate with that. */
export interface Place extends AsyncDisposable {
  readonly edge: StartedEdge;
  readonly desk: HubHandle<DeskClient>;
  readonly site: Site;
}

export async function startPlace(bus: string): Promise<Place> {
  const edge = await startEdge({ args: ['--bus', bus] });
  const connectionString = formatConnectionString(edge.url, DEVELOPMENT_ACCESS_KEY);
  const server = createServer({ connectionString });
  const desk = server.hub('/desk', Desk);
  const userId = ({ headers }: { headers: Record<string, unknown> }) => headers['x-user'] as string;
  const site = await openSite(server, { userId });
  return {
    edge,
    desk,
    site,
    async [Symbol.asyncDispose]() {
      await site[Symbol.asyncDispose]();
      await edge.stop();
    },
  };
}

/** A client of a place, with what it was told, and why its connection ended. */
export interface DeskConnection {
  readonly connection: HubConnection;
  readonly closed: Promise<Error | undefined>;
  readonly told: readonly string[];
  readonly id: string;
}

export async function connectTo(
  { site }: Place,
  user: string,
  options: IHttpConnectionOptions = {},
): Promise<DeskConnection> {
  const told: string[] = [];
  const connection = new HubConnectionBuilder()
    .withUrl(`${site.url}/desk`, { ...options, headers: { 'x-user': user } })
    .configureLogging(LogLevel.None)
    .build();
  connection.on('told', (text: string) => void told.push(text));
  connection.on('add', (a: number, b: number) => a + b);
  const closed = new Promise<Error | undefined>((resolve) => connection.onclose(resolve));
  await connection.start();
  return { connection, closed, told, id: await connection.invoke<string>('id') };
}
