import {
  HubConnectionBuilder,
  type IHttpConnectionOptions,
  JsonHubProtocol,
  LogLevel,
} from '@microsoft/signalr';
import { MessagePackHubProtocol } from '@microsoft/signalr-protocol-msgpack';
import type { Identity } from '@trunkline/testing';

import { Client } from '../../conformance/client.ts';
import { appToken } from '../../conformance/identity.ts';
import type { AppServer } from '../../conformance/start-app-server.ts';
import type { ProtocolName } from '../../conformance/variants.ts';

/** A started client of one of HubApp's own hubs; it says yes to every question. */
export function connect(
  app: AppServer,
  hub: 'typed' | 'members',
  identity: Identity | undefined,
  protocol: ProtocolName,
): Promise<Client> {
  const token = identity && { accessTokenFactory: () => appToken(identity) };
  return connectWith(app, hub, { ...token }, protocol);
}

/** The same for any sign-in. */
export async function connectWith(
  app: AppServer,
  hub: 'typed' | 'members',
  options: IHttpConnectionOptions,
  protocol: ProtocolName,
): Promise<Client> {
  const connection = new HubConnectionBuilder()
    .withUrl(`${app.url}/${hub}`, options)
    .withHubProtocol(protocol === 'json' ? new JsonHubProtocol() : new MessagePackHubProtocol())
    .configureLogging(LogLevel.None)
    .build();
  connection.on('confirm', (question: string) => `yes: ${question}`);
  const client = new Client(connection);
  await connection.start();
  return client;
}

/** The answer's text. Rejects with it where the answer is an error. */
export async function post(url: string, body: unknown = {}): Promise<string> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${answer.status} ${text}`);
  return text;
}
